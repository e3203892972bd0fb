package exposition

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func counter(v float64, namesAndValues ...string) *dto.Metric {
	return labelled(&dto.Metric{Counter: &dto.Counter{Value: &v}}, namesAndValues...)
}

func summary(count uint64, sum float64) *dto.Metric {
	return &dto.Metric{Summary: &dto.Summary{
		SampleCount: &count, SampleSum: &sum,
		Quantile: []*dto.Quantile{{Quantile: proto.Float64(0.5), Value: proto.Float64(1)}},
	}}
}

// added adds blocks of one metric each to nothing, one after the other.
func added(t testing.TB, s Sum, metrics ...*dto.Metric) (*Block, error) {
	t.Helper()
	var sum *Block
	for _, m := range metrics {
		var err error
		if sum, err = s.Add(sum, mustEncode(t, family(s.Name, s.Type, m), nil)); err != nil {
			return nil, err
		}
	}
	return sum, nil
}

func TestSum(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(+1)
	untyped := &dto.Metric{Untyped: &dto.Untyped{Value: proto.Float64(1)}}
	tooMuch := summary(math.MaxUint64, 1)
	for _, c := range []struct {
		name    string
		typ     dto.MetricType
		rule    GaugeRule
		metrics []*dto.Metric
		want    string // the last line of text but for its name and labels, or what the refusal says
		reason  string
	}{
		{"counter", counterType, 0, []*dto.Metric{counter(1), counter(2), counter(0.5)}, "3.5", ""},
		{"counter without a value", counterType, 0, []*dto.Metric{counter(1), {Counter: &dto.Counter{}}}, "1", ""},
		{"counter of whole numbers", counterType, 0, []*dto.Metric{counter(1<<53 - 2), counter(1)}, "9.007199254740991e+15", ""},
		{"negative counter", counterType, 0, []*dto.Metric{counter(5), counter(-1)}, "would add -1 to a counter", ReasonIncrement},
		{"first counter negative", counterType, 0, []*dto.Metric{counter(-1)}, "would add -1 to a counter", ReasonIncrement},
		{"counter NaN", counterType, 0, []*dto.Metric{counter(nan)}, "would add NaN", ReasonIncrement},
		{"counter infinite", counterType, 0, []*dto.Metric{counter(inf)}, "would add +Inf", ReasonIncrement},
		{"counter beyond", counterType, 0, []*dto.Metric{counter(math.MaxFloat64), counter(math.MaxFloat64)}, "beyond the largest", ReasonOverflow},
		{"gauge", gaugeType, GaugeLast, []*dto.Metric{gauge(3), gauge(2)}, "2", ""},
		{"gauge NaN", gaugeType, GaugeLast, []*dto.Metric{gauge(3), gauge(nan)}, "NaN", ""},
		{"gauge max", gaugeType, GaugeMax, []*dto.Metric{gauge(2), gauge(3), gauge(-4), gauge(nan)}, "3", ""},
		{"gauge max of NaN", gaugeType, GaugeMax, []*dto.Metric{gauge(nan), gauge(-3)}, "-3", ""},
		{"gauge min", gaugeType, GaugeMin, []*dto.Metric{gauge(2), gauge(-3), gauge(4), gauge(nan)}, "-3", ""},
		{"gauge sum", gaugeType, GaugeSum, []*dto.Metric{gauge(2), gauge(-3), gauge(4)}, "3", ""},
		{"gauge sum of NaN", gaugeType, GaugeSum, []*dto.Metric{gauge(nan)}, "would add NaN to a sum", ReasonIncrement},
		{"gauge sum beyond", gaugeType, GaugeSum, []*dto.Metric{gauge(-math.MaxFloat64), gauge(-math.MaxFloat64)}, "beyond", ReasonOverflow},
		{"summary", summaryType, 0, []*dto.Metric{summary(2, -3), summary(1, 5)}, "3", ""},
		{"summary NaN", summaryType, 0, []*dto.Metric{summary(2, nan)}, "would add NaN to the sum of a summary", ReasonIncrement},
		{"summary beyond", summaryType, 0, []*dto.Metric{tooMuch, summary(1, 5)}, "beyond", ReasonOverflow},
		{"summary sum beyond", summaryType, 0, []*dto.Metric{summary(1, math.MaxFloat64), summary(1, math.MaxFloat64)}, "beyond", ReasonOverflow},
		{"untyped", untypedType, 0, []*dto.Metric{untyped}, "has no type", ReasonUntyped},
		{"untyped again", untypedType, GaugeSum, []*dto.Metric{untyped, untyped}, "has no type", ReasonUntyped},
	} {
		b, err := added(t, Sum{Name: "x", Type: c.typ, Gauge: c.rule}, c.metrics...)
		if c.reason != "" {
			var fault *Invalid
			if !errors.As(err, &fault) || fault.Reason != c.reason || !strings.Contains(err.Error(), c.want) ||
				fault.Hint == "" || !strings.HasPrefix(err.Error(), `collected metric "x" {instance=""} `) {
				t.Errorf("%s: got %v, want %s", c.name, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := lines("x", b); !strings.HasSuffix(got, "} "+c.want+"\n") {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestSumOfUntyped(t *testing.T) {
	untyped := func(v float64) *dto.Metric { return &dto.Metric{Untyped: &dto.Untyped{Value: &v}} }
	s := Sum{Name: "x", Type: untypedType, Untyped: true}
	b, err := added(t, s, untyped(5), untyped(-9))
	if err != nil || lines("x", b) != "x{instance=\"\"} -4\n" {
		t.Errorf("got %s, %v", lines("x", b), err)
	}
	if _, err := added(t, s, untyped(math.NaN())); err == nil {
		t.Error("NaN was added")
	}
}

func TestSumLeavesOutQuantiles(t *testing.T) {
	for _, metrics := range [][]*dto.Metric{{summary(3, 4)}, {summary(1, 1), summary(2, 3)}} {
		b, err := added(t, Sum{Name: "x", Type: summaryType}, metrics...)
		if want := "x_sum{instance=\"\"} 4\nx_count{instance=\"\"} 3\n"; err != nil || lines("x", b) != want {
			t.Errorf("got %s, %v, want %s", lines("x", b), err, want)
		}
	}
}

func TestSumCreates(t *testing.T) {
	begin, later := time.Unix(1000, 5), time.Unix(2000, 0)
	mine := &timestamppb.Timestamp{Seconds: 7}
	for typ, c := range map[dto.MetricType]struct {
		metric *dto.Metric
		of     func(*dto.Metric) *timestamppb.Timestamp
	}{
		counterType: {
			&dto.Metric{Counter: &dto.Counter{CreatedTimestamp: mine}},
			func(m *dto.Metric) *timestamppb.Timestamp { return m.GetCounter().GetCreatedTimestamp() },
		},
		summaryType: {
			&dto.Metric{Summary: &dto.Summary{CreatedTimestamp: mine}},
			func(m *dto.Metric) *timestamppb.Timestamp { return m.GetSummary().GetCreatedTimestamp() },
		},
		histogramType: {
			histogram(&dto.Histogram{CreatedTimestamp: mine}),
			func(m *dto.Metric) *timestamppb.Timestamp { return m.GetHistogram().GetCreatedTimestamp() },
		},
	} {
		first, err := Sum{Name: "x", Type: typ, Time: begin}.Add(nil, mustEncode(t, family("x", typ, c.metric), nil))
		if err != nil {
			t.Fatal(err)
		}
		both := family("x", typ, c.metric, labelled(proto.Clone(c.metric).(*dto.Metric), "a", "1"))
		second, err := Sum{Name: "x", Type: typ, Time: later}.Add(first, mustEncode(t, both, nil))
		if err != nil {
			t.Fatal(err)
		}
		metrics, err := second.Metrics()
		if err != nil {
			t.Fatal(err)
		}
		if got := c.of(metrics[0]).AsTime(); !got.Equal(begin) {
			t.Errorf("%v: what was there counts from %v, want %v", typ, got, begin)
		}
		if got := c.of(metrics[1]).AsTime(); !got.Equal(later) {
			t.Errorf("%v: what is new counts from %v, want %v", typ, got, later)
		}
	}
}

func TestSumKeepsTheNewestExemplar(t *testing.T) {
	at := func(seconds int64) *dto.Exemplar {
		return &dto.Exemplar{Value: proto.Float64(float64(seconds)), Timestamp: &timestamppb.Timestamp{Seconds: seconds}}
	}
	timeless := &dto.Exemplar{Value: proto.Float64(-1)}
	for _, c := range []struct{ old, pushed, want *dto.Exemplar }{
		{at(5), at(6), at(6)}, {at(6), at(5), at(6)}, {at(5), nil, at(5)}, {nil, at(5), at(5)}, {timeless, timeless, timeless}, {nil, nil, nil},
	} {
		with := func(e *dto.Exemplar) *dto.Metric {
			return &dto.Metric{Counter: &dto.Counter{Value: proto.Float64(1), Exemplar: e}}
		}
		b, err := added(t, Sum{Name: "x", Type: counterType}, with(c.old), with(c.pushed))
		if err != nil {
			t.Fatal(err)
		}
		metrics, err := b.Metrics()
		if got := metrics[0].Counter.Exemplar; err != nil || !proto.Equal(got, c.want) {
			t.Errorf("%v then %v: got %v, %v", c.old, c.pushed, got, err)
		}
	}
}

// summed is the slow model of an adding group: metrics by label set, in the order of their coming.
func summed(s Sum, pushes [][]*dto.Metric) []*dto.Metric {
	places, all := map[string]int{}, []*dto.Metric(nil)
	created := timestamppb.New(s.Time)
	for _, push := range pushes {
		for _, m := range push {
			at, found := places[labelsKey(m)]
			if !found {
				at = len(all)
				places[labelsKey(m)] = at
				fresh := proto.Clone(m).(*dto.Metric)
				switch s.Type {
				case counterType:
					fresh.Counter = &dto.Counter{Value: proto.Float64(0), CreatedTimestamp: created}
				case summaryType:
					fresh.Summary = &dto.Summary{SampleCount: proto.Uint64(0), SampleSum: proto.Float64(0), CreatedTimestamp: created}
				case histogramType:
					fresh.Histogram = &dto.Histogram{SampleCount: proto.Uint64(0), SampleSum: proto.Float64(0), CreatedTimestamp: created}
				}
				all = append(all, fresh)
			}
			addSlowly(all[at], m)
		}
	}
	return all
}

// addSlowly adds m to into, which has the same buckets or none.
func addSlowly(into, m *dto.Metric) {
	switch {
	case m.Gauge != nil:
		into.Gauge = m.Gauge
	case m.Counter != nil:
		*into.Counter.Value += m.Counter.GetValue()
	case m.Summary != nil:
		*into.Summary.SampleCount += m.Summary.GetSampleCount()
		*into.Summary.SampleSum += m.Summary.GetSampleSum()
	case m.Histogram != nil:
		h := into.Histogram
		*h.SampleCount += m.Histogram.GetSampleCount()
		*h.SampleSum += m.Histogram.GetSampleSum()
		for i, b := range m.Histogram.Bucket {
			if i == len(h.Bucket) {
				h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: b.UpperBound, CumulativeCount: proto.Uint64(0)})
			}
			*h.Bucket[i].CumulativeCount += b.GetCumulativeCount()
		}
	}
}

// wholeMakers make values whose sums are exact whatever the order.
func wholeMakers(r *rand.Rand) map[dto.MetricType]func() *dto.Metric {
	return map[dto.MetricType]func() *dto.Metric{
		counterType:   func() *dto.Metric { return counter(float64(r.Int64N(1 << 48))) },
		gaugeType:     func() *dto.Metric { return gauge(r.NormFloat64()) },
		summaryType:   func() *dto.Metric { return summary(r.Uint64N(1<<60), float64(r.Int64N(1<<48))) },
		histogramType: func() *dto.Metric { return histogram(randomClassic(r, []float64{-1, 0.5, 2.25}, 1<<58)) },
	}
}

func TestSumAgainstAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	overlay := Labels{{"job", "j"}}
	for typ, value := range wholeMakers(r) {
		for round := range 60 {
			name, names := "x", []string{"a", "b", "instance"}
			if round%3 == 0 {
				name, names = "not.plain", []string{"a", "b.c"}
			}
			s := Sum{Name: name, Type: typ, Time: time.Unix(5, 0)}
			var pushes [][]*dto.Metric
			var got *Block
			for range 1 + r.IntN(5) {
				push := randomProtos(r, r.IntN(12), names, value)
				pushes = append(pushes, push)
				var err error
				if got, err = s.Add(got, mustEncode(t, family(name, typ, push...), overlay)); err != nil {
					t.Fatal(err)
				}
			}
			sameBlocks(t, name, typ, got, mustEncode(t, family(name, typ, summed(s, pushes)...), overlay))
		}
	}
}

// sortedText returns the lines of a block in a fixed order: metrics that compare equal stand in that of
// their coming.
func sortedText(name string, b *Block) string {
	all := strings.Split(lines(name, b), "\n")
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func TestSumInAnyOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for typ, value := range wholeMakers(r) {
		rule := []GaugeRule{GaugeMax, GaugeMin}[r.IntN(2)]
		s := Sum{Name: "x", Type: typ, Gauge: rule, Time: time.Unix(5, 0)}
		push := func() *Block {
			return mustEncode(t, family("x", typ, randomProtos(r, 9, []string{"a", "b"}, value)...), nil)
		}
		add := func(a, b *Block) *Block {
			sum, err := s.Add(a, b)
			if err != nil {
				t.Fatal(err)
			}
			return sum
		}
		for range 40 {
			a, b, c := add(nil, push()), add(nil, push()), add(nil, push())
			want := sortedText("x", add(add(a, b), c))
			for _, got := range []*Block{add(a, add(b, c)), add(add(c, b), a), add(add(b, a), c)} {
				if got := sortedText("x", got); got != want {
					t.Fatalf("%v: got %s\nwant %s", typ, got, want)
				}
			}
		}
	}
}
