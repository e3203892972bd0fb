package exposition

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func mustEncode(t testing.TB, f *Family, overlay Labels) *Block {
	t.Helper()
	b, err := f.Encode(overlay)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// lines returns the text of a block of the named family.
func lines(name string, b *Block) string {
	return string(b.appendText(nil, name, model.NoEscaping))
}

func TestEncodeLaysLabels(t *testing.T) {
	for _, c := range []struct {
		name    string
		metric  *dto.Metric
		overlay Labels
		want    string
	}{
		{"no labels", gauge(1), nil, `x{instance=""} 1`},
		{"added", gauge(1), Labels{{"job", "j"}}, `x{instance="",job="j"} 1`},
		{"overwritten", gauge(1, "job", "mine"), Labels{{"job", "j"}}, `x{instance="",job="j"} 1`},
		{"overwritten by empty", gauge(1, "a", "mine"), Labels{{"a", ""}}, `x{a="",instance=""} 1`},
		{"instance kept", gauge(1, "instance", "i"), Labels{{"job", "j"}}, `x{instance="i",job="j"} 1`},
		{"instance of the group", gauge(1, "instance", "i"), Labels{{"instance", "g"}}, `x{instance="g"} 1`},
		{"empty value kept", gauge(1, "a", ""), nil, `x{a="",instance=""} 1`},
		{"sorted", gauge(1, "z", "1", "B", "2", "a", "3"), Labels{{"m", "4"}}, `x{B="2",a="3",instance="",m="4",z="1"} 1`},
	} {
		b := mustEncode(t, family("x", gaugeType, c.metric), c.overlay)
		if got := strings.TrimSuffix(lines("x", b), "\n"); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestEncodeOrdersMetrics(t *testing.T) {
	f := family("x", gaugeType,
		gauge(1, "a", "2", "b", "1"), gauge(2, "a", "1", "b", "2"), gauge(3, "z", "9"), gauge(4),
		gauge(5, "a", "1", "c", "2"), gauge(6, "a", "1", "b", "10"), gauge(7, "y", "9"))
	want := "x{instance=\"\"} 4\n" +
		"x{instance=\"\",z=\"9\"} 3\nx{instance=\"\",y=\"9\"} 7\n" +
		"x{a=\"1\",b=\"10\",instance=\"\"} 6\nx{a=\"1\",b=\"2\",instance=\"\"} 2\nx{a=\"1\",c=\"2\",instance=\"\"} 5\n" +
		"x{a=\"2\",b=\"1\",instance=\"\"} 1\n"
	if got := lines("x", mustEncode(t, f, nil)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestEncodeLeavesTheFamilyAlone(t *testing.T) {
	m := gauge(1, "z", "1", "job", "mine")
	f := family("x", gaugeType, m)
	before := proto.Clone(m)
	b := mustEncode(t, f, Labels{{"job", "j"}})
	if !proto.Equal(before, m) {
		t.Errorf("metric changed to %v", m)
	}
	text := lines("x", b)
	*m.Label[0].Value = "changed"
	*m.Gauge.Value = 2
	if lines("x", b) != text {
		t.Error("the block shares memory with the family")
	}
}

func TestTimestamped(t *testing.T) {
	late := gauge(1, "b", "2", "a", "1")
	late.TimestampMs = proto.Int64(0)
	labels, found := family("x", gaugeType, gauge(1), late).Timestamped()
	if !found || labels.String() != `{a="1",b="2"}` {
		t.Errorf("got %v, %v", labels, found)
	}
	late.TimestampMs = nil
	if labels, found := family("x", gaugeType, gauge(1), late).Timestamped(); found {
		t.Errorf("got %v without a timestamp", labels)
	}
}

func TestEncodeDropsTimestamps(t *testing.T) {
	m := gauge(1)
	m.TimestampMs = proto.Int64(5)
	b := mustEncode(t, family("x", gaugeType, m), nil)
	metrics, err := b.Metrics()
	if err != nil || metrics[0].TimestampMs != nil || lines("x", b) != "x{instance=\"\"} 1\n" {
		t.Errorf("got %v, %v, %s", metrics, err, lines("x", b))
	}
}

// blocksOfAllTypes are the families of protosOfAllTypes.
func blocksOfAllTypes() []*Family {
	var families []*Family
	for _, mf := range protosOfAllTypes() {
		families = append(families, FromProto(mf))
	}
	return families
}

// protosOfAllTypes are families with everything that protobuf can say.
func protosOfAllTypes() []*dto.MetricFamily {
	exemplar := &dto.Exemplar{
		Label: []*dto.LabelPair{{Name: proto.String("id"), Value: proto.String("é")}}, Value: proto.Float64(1),
		Timestamp: &timestamppb.Timestamp{Seconds: 5},
	}
	classic := &dto.Histogram{
		SampleCount: proto.Uint64(3), SampleSum: proto.Float64(4),
		Bucket: []*dto.Bucket{{UpperBound: proto.Float64(1), CumulativeCount: proto.Uint64(2), Exemplar: exemplar}},
	}
	native := integerNative()
	native.Exemplars = []*dto.Exemplar{exemplar}
	return []*dto.MetricFamily{
		gathered("empty", gaugeType),
		gathered("g", gaugeType, gauge(1, "a", "1"), gauge(-0.5, "a", "2")),
		gathered("nil", gaugeType, &dto.Metric{Gauge: &dto.Gauge{}}),
		gathered("u", untypedType, &dto.Metric{Untyped: &dto.Untyped{Value: proto.Float64(7)}}),
		gathered("c", counterType, &dto.Metric{Counter: &dto.Counter{
			Value: proto.Float64(1), Exemplar: exemplar, CreatedTimestamp: &timestamppb.Timestamp{Seconds: 9},
		}}),
		gathered("s", summaryType, &dto.Metric{Summary: &dto.Summary{
			SampleCount: proto.Uint64(1), Quantile: []*dto.Quantile{{Quantile: proto.Float64(0.5), Value: proto.Float64(2)}},
		}}),
		gathered("h", histogramType, histogram(classic), histogram(native, "a", "1"), histogram(floatNative(), "a", "2")),
		gathered("gh", gaugeHistType, histogram(integerNative())),
		gathered("not.plain", gaugeType, gauge(1, "a", "1")),
		gathered("label_not_plain", gaugeType, gauge(1, "a.b", "1"), gauge(1, "c:d", "1"), gauge(1)),
	}
}

func TestBlockKeepsEverything(t *testing.T) {
	for _, mf := range protosOfAllTypes() {
		f := FromProto(mf)
		b := mustEncode(t, f, Labels{{"job", "j"}})
		metrics, err := b.Metrics()
		if err != nil || len(metrics) != f.Len() || b.Series() != f.Len() {
			t.Errorf("%s: %d of %d metrics, series %d, %v", f.Name, len(metrics), f.Len(), b.Series(), err)
			continue
		}
		for i, m := range metrics {
			if i > 0 && b.Plain() && len(m.Label) < len(metrics[i-1].Label) {
				t.Errorf("%s: metrics out of order", f.Name)
			}
			m.Label = nil
			if !slices.ContainsFunc(mf.Metric, func(sent *dto.Metric) bool {
				bare := proto.Clone(sent).(*dto.Metric)
				bare.Label = nil
				return proto.Equal(bare, m)
			}) {
				t.Errorf("%s: metric %v was never sent", f.Name, m)
			}
		}
	}
}

func TestBlockCounts(t *testing.T) {
	want := map[string]string{
		"empty": "0 0", "g": "2 2", "nil": "1 1", "u": "1 1", "c": "1 1", "s": "1 3", "h": "3 10", "gh": "1 3",
		"not.plain": "1 1", "label_not_plain": "3 3",
	}
	for _, f := range blocksOfAllTypes() {
		b := mustEncode(t, f, nil)
		if got := fmt.Sprint(b.Series(), strings.Count(lines(f.Name, b), "\n")); got != want[f.Name] {
			t.Errorf("%s: series and lines are %s, want %s", f.Name, got, want[f.Name])
		}
		if plain := !strings.Contains(f.Name, "plain"); b.Plain() != plain {
			t.Errorf("%s: plain is %v", f.Name, b.Plain())
		}
		if b.Size() != len(b.Proto()) {
			t.Errorf("%s: size %d is not that of the %d bytes held", f.Name, b.Size(), len(b.Proto()))
		}
	}
}

func TestDecodeBlock(t *testing.T) {
	for _, f := range blocksOfAllTypes() {
		b := mustEncode(t, f, Labels{{"job", "j"}})
		stored := slices.Clone(b.Proto())
		back, err := DecodeBlock(f.Name, f.Type, stored)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		clear(stored) // the block must not share it
		if lines(f.Name, back) != lines(f.Name, b) || string(back.Proto()) != string(b.Proto()) || back.series != b.series ||
			back.Plain() != b.Plain() {
			t.Errorf("%s: got %+v, want %+v", f.Name, back, b)
		}
	}
}

func TestDecodeBlockRefusesDamage(t *testing.T) {
	whole := mustEncode(t, family("g", gaugeType, gauge(1, "a", "1")), nil).Proto()
	for cut := 1; cut < len(whole); cut++ {
		if _, err := DecodeBlock("g", gaugeType, whole[:cut]); err == nil {
			t.Errorf("cut at %d: no error", cut)
		}
	}
	if _, err := DecodeBlock("g", counterType, whole); err == nil {
		t.Error("a gauge was taken for a counter")
	}
	for i := range whole {
		damaged := slices.Clone(whole)
		damaged[i] ^= 0xff
		b, err := DecodeBlock("g", gaugeType, damaged)
		if err == nil && b.Series() != 1 {
			t.Errorf("damage at %d: %d series and no error", i, b.Series())
		}
	}
}

func TestEachSeries(t *testing.T) {
	a := mustEncode(t, family("x", gaugeType, gauge(1, "a", "2"), gauge(2, "a", "1")), Labels{{"job", "j"}})
	b := mustEncode(t, family("x", gaugeType, gauge(9, "job", "other", "a", "1")), Labels{{"job", "j"}})
	parts := map[string]string{}
	var order []string
	for part, labels := range a.EachSeries() {
		parts[string(part)] = labels.String()
		order = append(order, labels.String())
	}
	if got := strings.Join(order, " "); got != `{a="1",instance="",job="j"} {a="2",instance="",job="j"}` {
		t.Errorf("got %s", got)
	}
	for part, labels := range b.EachSeries() {
		if parts[string(part)] != labels.String() {
			t.Errorf("equal label sets have other bytes: %v", labels)
		}
	}
	for range a.EachSeries() {
		break // must not walk on
	}
}

func TestEncodeOwnSkipsWhatHasNoValue(t *testing.T) {
	f := family("x", gaugeType, gauge(2, "b", "1"), &dto.Metric{Counter: &dto.Counter{}}, gauge(1, "a", "1"))
	b := f.EncodeOwn()
	if got := lines("x", b); got != "x{b=\"1\"} 2\nx{a=\"1\"} 1\n" || b.Series() != 2 {
		t.Errorf("got %s with %d series", got, b.Series())
	}
}

func TestEncodeSortsManyLabels(t *testing.T) {
	m := gauge(1)
	for i := range 50_000 { // enough that a sort in square time would be felt
		labelled(m, fmt.Sprintf("a%05d", 49_999-i), "v")
	}
	b := mustEncode(t, family("x", gaugeType, m), Labels{{"job", "j"}})
	for _, labels := range b.EachSeries() {
		if len(labels) != 50_002 || !slices.IsSortedFunc(labels, func(a, b Label) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("%d labels, or not in order", len(labels))
		}
	}
}
