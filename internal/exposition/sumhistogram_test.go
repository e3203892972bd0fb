package exposition

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// observe makes a classic histogram of the given bounds from observations.
func observe(bounds, observations []float64) *dto.Histogram {
	h := &dto.Histogram{SampleCount: proto.Uint64(uint64(len(observations))), SampleSum: proto.Float64(0)}
	for _, o := range observations {
		*h.SampleSum += o
	}
	for _, bound := range bounds {
		n := uint64(0)
		for _, o := range observations {
			if o <= bound {
				n++
			}
		}
		h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: proto.Float64(bound), CumulativeCount: &n})
	}
	return h
}

// inFloats is the same histogram counted in floats.
func inFloats(h *dto.Histogram) *dto.Histogram {
	h = proto.Clone(h).(*dto.Histogram)
	h.SampleCountFloat, h.SampleCount = proto.Float64(float64(h.GetSampleCount())), nil
	for _, b := range h.Bucket {
		b.CumulativeCountFloat, b.CumulativeCount = proto.Float64(float64(b.GetCumulativeCount())), nil
	}
	return h
}

// sumOf adds up histograms, in their order.
func sumOf(t *testing.T, histograms ...*dto.Histogram) (*dto.Histogram, error) {
	t.Helper()
	var metrics []*dto.Metric
	for _, h := range histograms {
		metrics = append(metrics, histogram(h))
	}
	b, err := added(t, Sum{Name: "x", Type: histogramType}, metrics...)
	if err != nil {
		return nil, err
	}
	sameBlocks(t, "x", histogramType, b, mustEncode(t, FromProto(gathered("x", histogramType, mustMetrics(t, b)...)), nil))
	return mustMetrics(t, b)[0].Histogram, nil
}

func mustMetrics(t testing.TB, b *Block) []*dto.Metric {
	t.Helper()
	metrics, err := b.Metrics()
	if err != nil {
		t.Fatal(err)
	}
	return metrics
}

// TestFoldingIsExact sums up histograms of different bounds and compares with the histogram of all
// observations together.
func TestFoldingIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	fine := []float64{-2, -1, 0, 0.5, 1, 2.5, 5, 10, math.Inf(+1)}
	for range 300 {
		coarse := slices.DeleteFunc(slices.Clone(fine), func(float64) bool { return r.IntN(2) == 0 })
		if len(coarse) == 0 {
			continue
		}
		some := func() []float64 {
			var all []float64
			for range r.IntN(20) {
				all = append(all, float64(r.IntN(60)-15)/4)
			}
			return all
		}
		a, b, c := some(), some(), some()
		histograms := []*dto.Histogram{observe(fine, a), observe(coarse, b), observe(fine, c)}
		r.Shuffle(len(histograms), func(i, j int) { histograms[i], histograms[j] = histograms[j], histograms[i] })
		r.Shuffle(len(histograms[0].Bucket), func(i, j int) {
			histograms[0].Bucket[i], histograms[0].Bucket[j] = histograms[0].Bucket[j], histograms[0].Bucket[i]
		})
		if !math.IsInf(coarse[len(coarse)-1], +1) {
			coarse = append(coarse, math.Inf(+1)) // since another one has it
		}
		want := observe(coarse, slices.Concat(a, b, c))
		got, err := sumOf(t, histograms...)
		if err != nil || !proto.Equal(got, want) {
			t.Fatalf("bounds %v:\n got %v, %v\nwant %v", coarse, got, err, want)
		}
		if histograms[1].GetSampleCount() == 0 {
			continue
		}
		histograms[1], want = inFloats(histograms[1]), inFloats(want)
		if got, err = sumOf(t, histograms...); err != nil || !proto.Equal(got, want) {
			t.Fatalf("in floats:\n got %v, %v\nwant %v", got, err, want)
		}
	}
}

func TestHistogramsThatDoNotFit(t *testing.T) {
	of := func(bounds ...float64) *dto.Histogram { return observe(bounds, []float64{1, 2, 3}) }
	edited := func(edit func(h *dto.Histogram)) *dto.Histogram {
		h := of(1, 2, math.Inf(+1))
		edit(h)
		return h
	}
	many := make([]float64, 100)
	for i := range many {
		many[i] = float64(i) / 8
	}
	for _, c := range []struct {
		name       string
		histograms []*dto.Histogram
		want       []string
		reason     string
	}{
		{
			"neither contains the other",
			[]*dto.Histogram{of(1, 2, 5), of(1, 3, 5)},
			[]string{"the bounds 1, 3, 5, +Inf", "the bounds 1, 2, 5, +Inf", "folded"},
			ReasonBounds,
		},
		{"as many, but others", []*dto.Histogram{of(1), of(2)}, []string{"the bounds 2, +Inf", "the bounds 1, +Inf"}, ReasonBounds},
		{"many", []*dto.Histogram{of(many...), of(-1)}, []string{"and 60 more, +Inf"}, ReasonBounds},
		{"no buckets", []*dto.Histogram{of(1, 2), of()}, []string{"no buckets", "the bounds 1, 2, +Inf"}, ReasonBounds},
		{"classic and native", []*dto.Histogram{of(1), integerNative()}, []string{"native buckets of schema 3", "the bounds 1, +Inf"}, ReasonBounds},
		{"NaN sum", []*dto.Histogram{edited(func(h *dto.Histogram) { h.SampleSum = proto.Float64(math.NaN()) })}, []string{"NaN to the sum"}, ReasonIncrement},
		{"NaN bound", []*dto.Histogram{of(math.NaN(), 1)}, []string{"not a number"}, ReasonIncrement},
		{"one bound twice", []*dto.Histogram{of(1, 2, 2)}, []string{"two buckets of the bound 2"}, ReasonIncrement},
		{"falling", []*dto.Histogram{edited(func(h *dto.Histogram) { h.Bucket[1].CumulativeCount = proto.Uint64(0) })}, []string{"0 observations up to 2, but 1 up to 1"}, ReasonIncrement},
		{"not the count", []*dto.Histogram{edited(func(h *dto.Histogram) { h.SampleCount = proto.Uint64(4) })}, []string{"3 observations up to +Inf, but the count is 4"}, ReasonIncrement},
		{"more than the count", []*dto.Histogram{edited(func(h *dto.Histogram) {
			h.Bucket, h.SampleCount = h.Bucket[:2], proto.Uint64(1)
		})}, []string{"2 observations up to 2, but the count is 1"}, ReasonIncrement},
		{"negative count", []*dto.Histogram{{SampleCountFloat: proto.Float64(-1)}}, []string{"would add -1"}, ReasonIncrement},
		{"negative bucket", []*dto.Histogram{{SampleCountFloat: proto.Float64(1), Bucket: []*dto.Bucket{
			{UpperBound: proto.Float64(1), CumulativeCountFloat: proto.Float64(-1)},
		}}}, []string{"has -1 observations up to 1,"}, ReasonIncrement},
		{"bucket of NaN", []*dto.Histogram{{SampleCountFloat: proto.Float64(1), Bucket: []*dto.Bucket{
			{UpperBound: proto.Float64(1), CumulativeCountFloat: proto.Float64(math.NaN())},
		}}}, []string{"NaN observations up to 1"}, ReasonIncrement},
		{"count beyond", []*dto.Histogram{{SampleCount: proto.Uint64(math.MaxUint64)}, {SampleCount: proto.Uint64(1)}}, []string{"beyond"}, ReasonOverflow},
		{"sum beyond", []*dto.Histogram{{SampleSum: proto.Float64(math.MaxFloat64)}, {SampleSum: proto.Float64(math.MaxFloat64)}}, []string{"beyond"}, ReasonOverflow},
	} {
		_, err := sumOf(t, c.histograms...)
		var fault *Invalid
		if !errors.As(err, &fault) || fault.Reason != c.reason || fault.Hint == "" {
			t.Errorf("%s: got %v", c.name, err)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: got %v, want %q in it", c.name, err, part)
			}
		}
	}
}

// TestMisfitOnFirstPush checks that what cannot be added is refused from the first push on.
func TestMisfitOnFirstPush(t *testing.T) {
	h := observe([]float64{1, math.Inf(+1)}, []float64{1})
	h.SampleCount = proto.Uint64(7)
	if _, err := (Sum{Name: "x", Type: histogramType}).Add(nil, mustEncode(t, family("x", histogramType, histogram(h)), nil)); err == nil {
		t.Error("an increment whose +Inf bucket is not its count was taken")
	}
}

func TestFoldingKeepsTheNewestExemplars(t *testing.T) {
	with := func(bounds []float64, at ...int64) *dto.Histogram {
		h := observe(bounds, nil)
		for i, seconds := range at {
			h.Bucket[i].Exemplar = &dto.Exemplar{Value: proto.Float64(1), Timestamp: &timestamppb.Timestamp{Seconds: seconds}}
		}
		return h
	}
	inf := math.Inf(+1)
	fine, coarse := with([]float64{1, 2, 3, inf}, 10, 20, 40, 30), with([]float64{2, inf}, 15, 35)
	for _, histograms := range [][]*dto.Histogram{{fine, coarse}, {coarse, fine}} {
		got, err := sumOf(t, histograms...)
		if err != nil {
			t.Fatal(err)
		}
		var seconds []int64
		for _, b := range got.Bucket {
			seconds = append(seconds, b.GetExemplar().GetTimestamp().GetSeconds())
		}
		if fmt.Sprint(seconds) != "[20 40]" {
			t.Errorf("got exemplars of %v, want 20 and 40", seconds)
		}
	}
}

func TestGaugeHistogramsFollowTheRule(t *testing.T) {
	a, b := observe([]float64{1}, []float64{1}), observe([]float64{1}, []float64{1, 2})
	for rule, want := range map[GaugeRule]uint64{GaugeLast: 2, GaugeMax: 2, GaugeMin: 2, GaugeSum: 3} {
		got, err := added(t, Sum{Name: "x", Type: gaugeHistType, Gauge: rule}, histogram(a), histogram(b))
		if err != nil {
			t.Fatal(err)
		}
		if h := mustMetrics(t, got)[0].Histogram; h.GetSampleCount() != want || h.CreatedTimestamp != nil {
			t.Errorf("rule %v: got %v, want a count of %d", rule, h, want)
		}
	}
}
