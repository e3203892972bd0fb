package exposition

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
)

// sameBlocks checks that two blocks are one to the bit, and agree in all that is known of them.
func sameBlocks(t *testing.T, name string, typ dto.MetricType, got, want *Block) {
	t.Helper()
	if lines(name, got) != lines(name, want) || string(got.Proto()) != string(want.Proto()) {
		t.Fatalf("%s: got\n%s%q\nwant\n%s%q", name, lines(name, got), got.Proto(), lines(name, want), want.Proto())
	}
	if got.Series() != want.Series() || got.Plain() != want.Plain() || !got.SameSets(want) {
		t.Fatalf("%s: got %d series, plain %v, fingerprint %x; want %d, %v, %x", name,
			got.series, got.Plain(), got.sets, want.series, want.Plain(), want.sets)
	}
	back, err := DecodeBlock(name, typ, got.Proto())
	if err != nil || lines(name, back) != lines(name, got) || string(back.Proto()) != string(got.Proto()) || !back.SameSets(got) {
		t.Fatalf("%s: does not decode to itself: %v", name, err)
	}
}

// labelsKey is a metric's labels as one text.
func labelsKey(m *dto.Metric) string {
	var pairs []string
	for _, l := range m.Label {
		pairs = append(pairs, l.String())
	}
	slices.Sort(pairs)
	return strings.Join(pairs, ";")
}

// upserted is the slow model: the metrics of old, each replaced by its pushed twin, then the new ones.
func upserted(old, pushed []*dto.Metric) []*dto.Metric {
	var all []*dto.Metric
	find := func(in []*dto.Metric, m *dto.Metric) int {
		return slices.IndexFunc(in, func(o *dto.Metric) bool { return labelsKey(o) == labelsKey(m) })
	}
	for _, m := range old {
		if at := find(pushed, m); at >= 0 {
			m = pushed[at]
		}
		all = append(all, m)
	}
	for _, m := range pushed {
		if find(old, m) < 0 {
			all = append(all, m)
		}
	}
	return all
}

func TestUpsertAgainstAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	overlay := Labels{{"job", "j"}}
	for typ, value := range valueMakers(r) {
		for _, name := range []string{"x", "x_count", "not.plain"} {
			for round := range 60 {
				names := []string{"a", "b", "c", "instance"}
				if round%4 == 0 {
					names = []string{"a", "b.c", "d:e"}
				}
				old := randomProtos(r, r.IntN(30), names, value)
				pushed := randomProtos(r, r.IntN(30), names, value)
				got, err := Upsert(name, typ, mustEncode(t, family(name, typ, old...), overlay), mustEncode(t, family(name, typ, pushed...), overlay))
				if err != nil {
					t.Fatal(err)
				}
				sameBlocks(t, name, typ, got, mustEncode(t, family(name, typ, upserted(old, pushed)...), overlay))
			}
		}
	}
}

func TestUpsertOfManyThatDifferByNames(t *testing.T) {
	var old, pushed []*dto.Metric
	for i := range 4 * scanned {
		old = append(old, gauge(1, fmt.Sprintf("a%d", i), "same"))
		pushed = append(pushed, gauge(2, fmt.Sprintf("a%d", 2*i), "same"))
	}
	got, err := Upsert("x", gaugeType, mustEncode(t, family("x", gaugeType, old...), nil), mustEncode(t, family("x", gaugeType, pushed...), nil))
	if err != nil {
		t.Fatal(err)
	}
	sameBlocks(t, "x", gaugeType, got, mustEncode(t, family("x", gaugeType, upserted(old, pushed)...), nil))
}

func TestUpsertOnNothing(t *testing.T) {
	pushed := mustEncode(t, family("x", gaugeType, gauge(1, "a", "1"), gauge(2)), Labels{{"job", "j"}})
	for _, old := range []*Block{nil, {}} {
		got, err := Upsert("x", gaugeType, old, pushed)
		if err != nil {
			t.Fatal(err)
		}
		sameBlocks(t, "x", gaugeType, got, pushed)
		if got, err = Upsert("x", gaugeType, pushed, &Block{}); err != nil {
			t.Fatal(err)
		}
		sameBlocks(t, "x", gaugeType, got, pushed)
	}
}

func TestUpsertRefusesTwinsByEscaping(t *testing.T) {
	old := mustEncode(t, family("x", gaugeType, gauge(1, "a.b", "1")), nil)
	pushed := mustEncode(t, family("x", gaugeType, gauge(2, "a_b", "1")), nil)
	for _, pair := range [][2]*Block{{old, pushed}, {pushed, old}} {
		_, err := Upsert("x", gaugeType, pair[0], pair[1])
		var fault *Invalid
		if !errors.As(err, &fault) || fault.Reason != ReasonEscaping || fault.Family != "x" {
			t.Errorf("got %v", err)
		}
	}
	other := mustEncode(t, family("x", gaugeType, gauge(2, "a_b", "2")), nil)
	if b, err := Upsert("x", gaugeType, old, other); err != nil || b.Series() != 2 {
		t.Errorf("metrics that stay different when escaped: %v", err)
	}
}

func TestUpsertCopiesAndShares(t *testing.T) {
	old := mustEncode(t, family("x", gaugeType, gauge(1, "a", "1")), nil)
	pushed := mustEncode(t, family("x", gaugeType, gauge(2, "a", "2")), nil)
	got, err := Upsert("x", gaugeType, old, pushed)
	if err != nil {
		t.Fatal(err)
	}
	want := lines("x", got) + string(got.Proto())
	for _, b := range []*Block{old, pushed} {
		clear(b.Proto())
	}
	if lines("x", got)+string(got.Proto()) != want {
		t.Error("the block shares memory with another")
	}
}

// BenchmarkUpsert defends that what stays is copied: an upsert of one series of a thousand costs a small
// part of encoding the thousand.
func BenchmarkUpsert(b *testing.B) {
	const series = 1000
	whole := FromProto(benchFamily(gaugeType, series))
	old := mustEncode(b, whole, Labels{{"job", "j"}})
	single := *whole
	single.metrics = whole.metrics[:1]
	pushed := mustEncode(b, &single, Labels{{"job", "j"}})
	b.Run("one of 1000", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Upsert(whole.Name, whole.Type, old, pushed); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("all of 1000", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Upsert(whole.Name, whole.Type, old, old); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode 1000", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			mustEncode(b, whole, Labels{{"job", "j"}})
		}
	})
}
