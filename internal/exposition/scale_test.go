package exposition

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// nativeOf makes a native histogram of a schema from the logarithms, in 256th, of observations: positive
// and negative ones. No observation is on a bound of a bucket.
func nativeOf(schema int32, positive, negative []int, zero uint64) *dto.Histogram {
	h := &dto.Histogram{
		Schema: &schema, ZeroThreshold: proto.Float64(1e-300), ZeroCount: &zero, SampleSum: proto.Float64(0),
		SampleCount: proto.Uint64(uint64(len(positive)+len(negative)) + zero),
	}
	h.PositiveSpan, h.PositiveDelta = halfOf(schema, positive)
	h.NegativeSpan, h.NegativeDelta = halfOf(schema, negative)
	return h
}

// halfOf makes one span from the lowest to the highest bucket, empty ones included.
func halfOf(schema int32, logs []int) (all []*dto.BucketSpan, deltas []int64) {
	if len(logs) == 0 {
		return nil, nil
	}
	counts := map[int]int64{}
	for _, l := range logs {
		counts[int(math.Ceil((float64(l)-0.5)/256*math.Exp2(float64(schema))))]++
	}
	low, high := slices.Min(slices.Collect(maps.Keys(counts))), slices.Max(slices.Collect(maps.Keys(counts)))
	before := int64(0)
	for place := low; place <= high; place++ {
		deltas = append(deltas, counts[place]-before)
		before = counts[place]
	}
	return spans(int32(low), int32(len(deltas))), deltas
}

// countsByPlace reads the buckets of a native histogram: those that are not empty, by place.
func countsByPlace(h *dto.Histogram) string {
	half := func(spans []*dto.BucketSpan, deltas []int64, floats []float64) map[int]float64 {
		counts := map[int]float64{}
		place, at, count := 0, 0, int64(0)
		for _, s := range spans {
			place += int(s.GetOffset())
			for range s.GetLength() {
				if len(floats) > 0 {
					counts[place] = floats[at]
				} else {
					count += deltas[at]
					counts[place] = float64(count)
				}
				place++
				at++
			}
		}
		maps.DeleteFunc(counts, func(_ int, n float64) bool { return n == 0 })
		return counts
	}
	return fmt.Sprintf("schema %d, zero %v of %v, count %v, %v, %v", h.GetSchema(), h.GetZeroThreshold(),
		floatOr(h.GetZeroCountFloat(), h.GetZeroCount()), floatOr(h.GetSampleCountFloat(), h.GetSampleCount()),
		half(h.PositiveSpan, h.PositiveDelta, h.PositiveCount), half(h.NegativeSpan, h.NegativeDelta, h.NegativeCount))
}

// nativeInFloats is the same histogram counted in floats.
func nativeInFloats(h *dto.Histogram) *dto.Histogram {
	h = inFloats(h)
	h.ZeroCountFloat, h.ZeroCount = proto.Float64(float64(h.GetZeroCount())), nil
	counts := func(deltas []int64) (floats []float64) {
		n := int64(0)
		for _, d := range deltas {
			n += d
			floats = append(floats, float64(n))
		}
		return floats
	}
	h.PositiveCount, h.PositiveDelta = counts(h.PositiveDelta), nil
	h.NegativeCount, h.NegativeDelta = counts(h.NegativeDelta), nil
	return h
}

// TestNativeSumsAreExact compares the sum of histograms of several schemas with the histogram of all
// observations together, in the coarsest schema.
func TestNativeSumsAreExact(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	logs := func() (logs []int) {
		for range r.IntN(12) {
			logs = append(logs, r.IntN(4000)-2000)
		}
		return logs
	}
	for range 300 {
		var parts []*dto.Histogram
		var positive, negative []int
		zero, coarsest := uint64(0), int32(maxSchema)
		for range 3 {
			schema := int32(r.IntN(maxSchema-minSchema+1) + minSchema)
			p, n, z := logs(), logs(), r.Uint64N(3)
			parts = append(parts, nativeOf(schema, p, n, z))
			positive, negative, zero = append(positive, p...), append(negative, n...), zero+z
			coarsest = min(coarsest, schema)
		}
		want := countsByPlace(nativeOf(coarsest, positive, negative, zero))
		got, err := sumOf(t, parts...)
		if err != nil || countsByPlace(got) != want || got.SampleCount == nil {
			t.Fatalf("got %v, %v\nwant %v", countsByPlace(got), err, want)
		}
		if parts[1].GetSampleCount() == 0 {
			continue
		}
		parts[1] = nativeInFloats(parts[1])
		if got, err = sumOf(t, parts...); err != nil || countsByPlace(got) != want || got.SampleCount != nil {
			t.Fatalf("in floats: got %v, %v\nwant %v", countsByPlace(got), err, want)
		}
	}
}

// TestZeroBucketsWiden brings zero buckets of different widths to one that cuts through no bucket.
func TestZeroBucketsWiden(t *testing.T) {
	narrow := func() *dto.Histogram { return nativeOf(0, []int{128, 384, 640}, []int{384}, 1) } // up to 2, 4 and 8, and down to -4
	for _, c := range []struct {
		threshold float64
		want      string
	}{
		{0.5, "schema 0, zero 0.5 of 3, count 7, map[1:1 2:1 3:1], map[2:1]"},
		{1, "schema 0, zero 1 of 3, count 7, map[1:1 2:1 3:1], map[2:1]"},
		{1.5, "schema 0, zero 2 of 4, count 7, map[2:1 3:1], map[2:1]"},
		{3, "schema 0, zero 4 of 6, count 7, map[3:1], map[]"},
		{100, "schema 0, zero 100 of 7, count 7, map[], map[]"},
	} {
		wide := nativeOf(0, nil, nil, 2)
		wide.ZeroThreshold = &c.threshold
		for _, parts := range [][]*dto.Histogram{{narrow(), wide}, {wide, narrow()}} {
			got, err := sumOf(t, parts...)
			if err != nil || countsByPlace(got) != c.want {
				t.Errorf("zero threshold %v: got %s, %v\nwant %s", c.threshold, countsByPlace(got), err, c.want)
			}
		}
	}
}

func TestBounds(t *testing.T) {
	for schema := int32(minSchema); schema <= maxSchema; schema++ {
		last := int64(math.Ldexp(1024, int(schema)))
		if got := boundOf(schema, last); got != math.MaxFloat64 {
			t.Errorf("schema %d: the last bound is %v", schema, got)
		}
		if got := boundOf(schema, last+1); !math.IsInf(got, +1) {
			t.Errorf("schema %d: behind the last bound comes %v", schema, got)
		}
		for _, place := range []int64{-last, -37, -1, 0, 1, 2, 5, 100, last - 1} {
			want := math.Exp2(math.Ldexp(float64(place), -int(schema)))
			if got := boundOf(schema, place); math.Abs(got-want) > 1e-12*want {
				t.Errorf("schema %d, place %d: got %v, want %v", schema, place, got, want)
			}
			if schema < maxSchema && boundOf(schema, place) != boundOf(schema+1, 2*place) {
				t.Errorf("schema %d, place %d: the bound differs from that of the finer schema", schema, place)
			}
		}
	}
}

func TestNativeHistogramWithoutObservations(t *testing.T) {
	empty := &dto.Histogram{Schema: proto.Int32(3), PositiveSpan: spans(0, 0)}
	got, err := sumOf(t, empty, empty)
	if err != nil || !hasNativeSide(got) || got.GetSampleCount() != 0 || got.GetSchema() != 3 {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err = sumOf(t, empty, integerNative()); err != nil || got.GetSampleCount() != 15 {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestOnlyCommonSidesStay checks histograms that have a classic and a native side.
func TestOnlyCommonSidesStay(t *testing.T) {
	both := integerNative()
	both.Bucket = []*dto.Bucket{{UpperBound: proto.Float64(0), CumulativeCount: proto.Uint64(9)}}
	got, err := sumOf(t, both, both)
	if err != nil || len(got.Bucket) != 1 || got.Bucket[0].GetCumulativeCount() != 18 || countsByPlace(got) != countsByPlace(doubled()) {
		t.Errorf("both sides: got %v, %v", got, err)
	}
	for _, parts := range [][]*dto.Histogram{{both, integerNative()}, {integerNative(), both}} {
		if got, err = sumOf(t, parts...); err != nil || len(got.Bucket) > 0 || countsByPlace(got) != countsByPlace(doubled()) {
			t.Errorf("native only: got %v, %v", got, err)
		}
	}
	classic := observe([]float64{0}, []float64{-1, 1})
	for _, parts := range [][]*dto.Histogram{{both, classic}, {classic, both}} {
		if got, err = sumOf(t, parts...); err != nil || got.Bucket[0].GetCumulativeCount() != 10 || hasNativeSide(got) {
			t.Errorf("classic only: got %v, %v", got, err)
		}
	}
}

// doubled is the sum of two of integerNative.
func doubled() *dto.Histogram {
	h := integerNative()
	h.SampleCount, h.ZeroCount = proto.Uint64(30), proto.Uint64(10)
	for _, deltas := range [][]int64{h.PositiveDelta, h.NegativeDelta} {
		for i := range deltas {
			deltas[i] *= 2
		}
	}
	return h
}

func TestNativeMisfits(t *testing.T) {
	far := integerNative()
	far.PositiveSpan[0].Offset = proto.Int32(math.MaxInt32)
	near := integerNative()
	near.NegativeSpan[0].Offset = proto.Int32(math.MinInt32)
	huge := nativeOf(0, nil, nil, 1<<62)
	for name, c := range map[string]struct {
		parts  []*dto.Histogram
		reason string
	}{
		"far":    {[]*dto.Histogram{far}, ReasonNative},
		"near":   {[]*dto.Histogram{near}, ReasonNative},
		"beyond": {[]*dto.Histogram{huge, huge}, ReasonOverflow},
	} {
		_, err := sumOf(t, c.parts...)
		var fault *Invalid
		if !errors.As(err, &fault) || fault.Reason != c.reason {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestFloatCountsCoverTheirBuckets checks what older servers insist on, though sums of floats are not exact.
func TestFloatCountsCoverTheirBuckets(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 200 {
		var parts []*dto.Histogram
		for range 5 {
			h := floatNative()
			total := 0.0
			for _, counts := range [][]float64{h.PositiveCount, h.NegativeCount, {0}} {
				for i := range counts {
					counts[i] = r.Float64()
					total += counts[i]
				}
			}
			h.ZeroCountFloat, h.SampleCountFloat = proto.Float64(0.1), proto.Float64(total+0.2)
			parts = append(parts, h)
		}
		got, err := sumOf(t, parts...)
		if err != nil || checkNative(got) != "" {
			t.Fatalf("got %v, %v: %s", got, err, checkNative(got))
		}
	}
}

func TestNativeExemplarsAreTheNewest(t *testing.T) {
	with := func(from int64) *dto.Histogram {
		h := integerNative()
		for i := range int64(8) {
			h.Exemplars = append(h.Exemplars, &dto.Exemplar{Value: proto.Float64(1), Timestamp: &timestamppb.Timestamp{Seconds: from - i}})
		}
		return h
	}
	got, err := sumOf(t, with(100), with(102))
	if err != nil {
		t.Fatal(err)
	}
	var seconds []string
	for _, e := range got.Exemplars {
		seconds = append(seconds, fmt.Sprint(e.GetTimestamp().GetSeconds()))
	}
	if s := strings.Join(seconds, " "); s != "97 97 98 98 99 99 100 100 101 102" {
		t.Errorf("got exemplars of %s", s)
	}
}
