package exposition

import (
	"errors"
	"testing"
	"time"
)

// FuzzSum adds whatever two bodies hold: what is taken can be read back and stored, its buckets are those of
// a histogram, and the order does not count.
func FuzzSum(f *testing.F) {
	for _, mf := range protosOfAllTypes() {
		f.Add(delimited(f, mf), delimited(f, mf), uint8(0))
	}
	for _, mf := range samplesOfAllTypes() {
		f.Add(delimited(f, mf), delimited(f, mf), uint8(GaugeSum))
	}
	wide := integerNative()
	*wide.ZeroThreshold, *wide.Schema = 3, -1
	f.Add(delimited(f, gathered("h", histogramType, histogram(integerNative()))),
		delimited(f, gathered("h", histogramType, histogram(wide))), uint8(GaugeMax))
	f.Fuzz(func(t *testing.T, first, second []byte, rule uint8) {
		a, err := DecodeProtobuf(first)
		if err != nil || len(a) == 0 {
			return
		}
		b, err := DecodeProtobuf(second)
		if err != nil || len(b) == 0 || a[0].Type != b[0].Type || a[0].Name != b[0].Name {
			return
		}
		s := Sum{Name: a[0].Name, Type: a[0].Type, Gauge: GaugeRule(rule % 4), Time: time.Unix(1, 0)}
		checkSum(t, s, a[0], b[0])
	})
}

func checkSum(t *testing.T, s Sum, a, b *Family) {
	if without, err := a.DropLabels([]string{"a", "code"}, s.Gauge); err == nil {
		a = without
	}
	x, err := a.Encode(Labels{{"job", "j"}})
	if err != nil {
		return
	}
	y, err := b.Encode(Labels{{"job", "j"}})
	if err != nil {
		return
	}
	both, err := addBoth(s, x, y)
	turned, failed := addBoth(s, y, x)
	var fault, other *Invalid
	if errors.As(err, &fault) != errors.As(failed, &other) || err != nil && fault == nil {
		t.Fatalf("one way %v, the other way %v", err, failed)
	}
	if err != nil {
		return
	}
	sameBlocks(t, s.Name, s.Type, both, mustEncode(t, FromProto(gathered(s.Name, s.Type, mustMetrics(t, both)...)), nil))
	if s.Type == counterType || s.Type == summaryType || s.Type == histogramType {
		if sortedText(s.Name, both) != sortedText(s.Name, turned) {
			t.Fatalf("the order counts:\n%s\n%s", lines(s.Name, both), lines(s.Name, turned))
		}
		again, err := addBoth(s, both, both)
		if err != nil && !errors.As(err, &fault) || err == nil && again.Series() != both.Series() {
			t.Fatalf("what was added up cannot be added to itself: %v", err)
		}
	}
}

// addBoth adds two blocks to nothing.
func addBoth(s Sum, a, b *Block) (*Block, error) {
	sum, err := s.Add(nil, a)
	if err != nil {
		return nil, err
	}
	return s.Add(sum, b)
}
