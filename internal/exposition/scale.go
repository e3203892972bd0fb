package exposition

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"sync"

	dto "github.com/prometheus/client_model/go"
)

// scale is the native side of a histogram: buckets whose bounds are powers of 2^(2^-schema), and one
// around zero.
type scale[T tally] struct {
	schema    int32
	threshold float64 // how far the zero bucket reaches
	zero      T
	positive  []step[T] // by place
	negative  []step[T]
	exemplars []*dto.Exemplar // by time
}

// step is a native bucket that is not empty. That of place i reaches from the bound of i-1 to that of i.
type step[T tally] struct {
	place int64
	count T
}

// farthest bounds the places of buckets: the largest and the smallest number at the finest schema are
// well within.
const farthest = 1 << 20

// readScale reads the native side of a histogram.
func readScale[T tally](h *dto.Histogram) (*scale[T], *misfit) {
	if problem := checkNative(h); problem != "" {
		return nil, misfitScale(problem)
	}
	s := &scale[T]{
		schema: h.GetSchema(), threshold: h.GetZeroThreshold(), zero: counted[T](h.GetZeroCountFloat(), h.GetZeroCount()),
		exemplars: h.GetExemplars(),
	}
	s.positive = readSteps[T](h.GetPositiveSpan(), h.GetPositiveDelta(), h.GetPositiveCount())
	s.negative = readSteps[T](h.GetNegativeSpan(), h.GetNegativeDelta(), h.GetNegativeCount())
	for _, steps := range [][]step[T]{s.positive, s.negative} {
		if n := len(steps); n > 0 && (steps[0].place < -farthest || steps[n-1].place > farthest) {
			return nil, misfitScale("it has a bucket beyond all numbers")
		}
	}
	return s, nil
}

func misfitScale(problem string) *misfit {
	return &misfit{
		ReasonNative, "is not a native histogram that Prometheus takes: " + problem,
		"send it as the client library encodes it, or as a classic histogram",
	}
}

// readSteps reads one half of a checked native histogram, which counts in deltas or in floats.
func readSteps[T tally](spans []*dto.BucketSpan, deltas []int64, floats []float64) []step[T] {
	var steps []step[T]
	var place, count int64
	at := 0
	for _, span := range spans {
		place += int64(span.GetOffset())
		for range span.GetLength() {
			var n T
			if len(floats) > 0 {
				n = T(floats[at])
			} else {
				count += deltas[at]
				n = T(count)
			}
			if n != 0 {
				steps = append(steps, step[T]{place, n})
			}
			place++
			at++
		}
	}
	return steps
}

// total is how many observations fall in the buckets.
func (s *scale[T]) total() T {
	total := s.zero
	for _, steps := range [][]step[T]{s.positive, s.negative} {
		for _, st := range steps {
			total += st.count
		}
	}
	return total
}

// plus adds up two native sides, both of which are brought to what is the coarser of them and keep that.
func (s *scale[T]) plus(pushed *scale[T]) *scale[T] {
	for s.threshold != pushed.threshold {
		if s.threshold < pushed.threshold {
			s.widen(pushed.threshold)
		} else {
			pushed.widen(s.threshold)
		}
	}
	schema := min(s.schema, pushed.schema)
	s.reduce(schema)
	pushed.reduce(schema)
	return &scale[T]{
		schema: schema, threshold: s.threshold, zero: s.zero + pushed.zero,
		positive: mergeSteps(s.positive, pushed.positive), negative: mergeSteps(s.negative, pushed.negative),
		exemplars: latest(s.exemplars, pushed.exemplars),
	}
}

// widen makes the zero bucket reach to t at least, and to the end of the bucket that t falls in: what a
// bucket holds cannot be split.
func (s *scale[T]) widen(t float64) {
	for _, steps := range [][]step[T]{s.positive, s.negative} {
		for _, st := range steps {
			if end := boundOf(s.schema, st.place); above(t, boundOf(s.schema, st.place-1)) && above(end, t) {
				t = end
			}
		}
	}
	take := func(steps []step[T]) []step[T] {
		for len(steps) > 0 && above(t, boundOf(s.schema, steps[0].place-1)) {
			s.zero += steps[0].count
			steps = steps[1:]
		}
		return steps
	}
	s.positive, s.negative, s.threshold = take(s.positive), take(s.negative), t
}

// reduce brings the buckets to a schema that is not finer.
func (s *scale[T]) reduce(schema int32) {
	by := s.schema - schema
	s.schema = schema
	for _, steps := range []*[]step[T]{&s.positive, &s.negative} {
		var reduced []step[T]
		for _, st := range *steps {
			place := (st.place-1)>>by + 1
			if n := len(reduced); n > 0 && reduced[n-1].place == place {
				reduced[n-1].count += st.count
			} else {
				reduced = append(reduced, step[T]{place, st.count})
			}
		}
		*steps = reduced
	}
}

// mergeSteps adds up buckets of one schema.
func mergeSteps[T tally](a, b []step[T]) []step[T] {
	all := slices.SortedFunc(slices.Values(slices.Concat(a, b)), func(x, y step[T]) int { return cmp.Compare(x.place, y.place) })
	merged := all[:0]
	for _, st := range all {
		if n := len(merged); n > 0 && merged[n-1].place == st.place {
			merged[n-1].count += st.count
		} else {
			merged = append(merged, st)
		}
	}
	return merged
}

// keptExemplars is how many exemplars a native histogram keeps, as many as client libraries do.
const keptExemplars = 10

// latest returns the newest exemplars of both, by time.
func latest(old, pushed []*dto.Exemplar) []*dto.Exemplar {
	all := slices.Concat(old, pushed)
	slices.SortStableFunc(all, func(a, b *dto.Exemplar) int {
		return a.GetTimestamp().AsTime().Compare(b.GetTimestamp().AsTime())
	})
	return all[max(0, len(all)-keptExemplars):]
}

// write gives h the native side.
func (s *scale[T]) write(h *dto.Histogram) {
	h.Schema, h.ZeroThreshold, h.Exemplars = &s.schema, &s.threshold, s.exemplars
	h.ZeroCountFloat, h.ZeroCount = split(s.zero)
	h.PositiveSpan, h.PositiveDelta, h.PositiveCount = writeSteps(s.positive)
	h.NegativeSpan, h.NegativeDelta, h.NegativeCount = writeSteps(s.negative)
	if !hasNativeSide(h) { // nothing was observed yet: an empty span says that there is a native side
		h.PositiveSpan = []*dto.BucketSpan{{Offset: new(int32), Length: new(uint32)}}
	}
}

// writeSteps writes one half, a span for each run of buckets without a gap.
func writeSteps[T tally](steps []step[T]) (spans []*dto.BucketSpan, deltas []int64, floats []float64) {
	var next int64
	var before T
	for i, st := range steps {
		if i == 0 || st.place != next {
			offset := int32(st.place - next)
			spans = append(spans, &dto.BucketSpan{Offset: &offset, Length: new(uint32)})
		}
		*spans[len(spans)-1].Length++
		if _, whole := any(st.count).(uint64); whole {
			deltas = append(deltas, int64(st.count)-int64(before))
		} else {
			floats = append(floats, float64(st.count))
		}
		next, before = st.place+1, st.count
	}
	return spans, deltas, floats
}

// above reports whether a bound or threshold is above another. Clients compute bounds in ways of their own,
// which may differ in the last digits, and a threshold at a bound must cut no bucket.
func above(a, b float64) bool {
	const near = 1 + 1e-12 // the narrowest bucket is some 1e9 times as wide
	return a > b*near
}

// boundOf returns the upper bound of the bucket at a place: 2^(place * 2^-schema). The largest number there
// is is the bound of the bucket that it falls in, since the next holds what is infinite.
func boundOf(schema int32, place int64) float64 {
	const beyond = 1024 // the exponent at which numbers end
	if schema <= 0 {
		if place<<-schema == beyond {
			return math.MaxFloat64
		}
		return math.Ldexp(1, int(place<<-schema))
	}
	if place == beyond<<schema {
		return math.MaxFloat64
	}
	fraction := place & (1<<schema - 1)
	return math.Ldexp(roots()[fraction<<(maxSchema-schema)], int(place>>schema))
}

// roots are 2^(i/256), each the nearest float64.
var roots = sync.OnceValue(func() *[1 << maxSchema]float64 {
	const digits = 256 // far more than a float64 has, so that errors do not add up to one
	root := big.NewFloat(2).SetPrec(digits)
	for range maxSchema {
		root = new(big.Float).SetPrec(digits).Sqrt(root)
	}
	var all [1 << maxSchema]float64
	power := big.NewFloat(1).SetPrec(digits)
	for i := range all {
		all[i], _ = power.Float64()
		power.Mul(power, root)
	}
	return &all
})
