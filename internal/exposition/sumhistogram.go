package exposition

import (
	"fmt"
	"math"
	"slices"

	dto "github.com/prometheus/client_model/go"
)

// spread is a histogram in the form in which it is added up: of which observations there are how many.
type spread[T tally] struct {
	count   T
	sum     float64
	classic *ladder[T] // nil where there are no classic buckets
	native  *scale[T]  // nil where there is no native side
}

// histograms adds up two histograms. Integers stay integers unless one of the two counts in floats.
func (s Sum) histograms(old, pushed *value) (*value, *misfit) {
	if countsInFloats(pushed.histogram) || old != nil && countsInFloats(old.histogram) {
		return sumSpreads[float64](s, old, pushed)
	}
	return sumSpreads[uint64](s, old, pushed)
}

func countsInFloats(h *dto.Histogram) bool {
	return h.GetSampleCountFloat() != 0 || h.GetZeroCountFloat() != 0 ||
		len(h.GetPositiveCount()) > 0 || len(h.GetNegativeCount()) > 0 ||
		slices.ContainsFunc(h.GetBucket(), func(b *dto.Bucket) bool { return b.GetCumulativeCountFloat() != 0 })
}

func sumSpreads[T tally](s Sum, old, pushed *value) (*value, *misfit) {
	sum, fault := readSpread[T](pushed.histogram)
	if fault != nil {
		return nil, fault
	}
	h := &dto.Histogram{}
	if old != nil {
		stood, fault := readSpread[T](old.histogram)
		if fault != nil {
			return nil, fault
		}
		if sum, fault = stood.plus(sum); fault != nil {
			return nil, fault
		}
		h.CreatedTimestamp = old.histogram.GetCreatedTimestamp()
	}
	if s.Type == dto.MetricType_HISTOGRAM {
		h.CreatedTimestamp = s.created(h.CreatedTimestamp)
	}
	sum.write(h)
	return &value{histogram: h}, nil
}

// readSpread reads a histogram whose buckets agree with its count.
func readSpread[T tally](h *dto.Histogram) (*spread[T], *misfit) {
	s := &spread[T]{count: counted[T](h.GetSampleCountFloat(), h.GetSampleCount()), sum: h.GetSampleSum()}
	if fault := checkTotal("histogram", s.sum); fault != nil {
		return nil, fault
	}
	if fault := checkIncrement("histogram", float64(s.count)); fault != nil {
		return nil, fault
	}
	var fault *misfit
	if len(h.GetBucket()) > 0 {
		if s.classic, fault = readLadder(h.GetBucket(), s.count); fault != nil {
			return nil, fault
		}
	}
	if hasNativeSide(h) {
		if s.native, fault = readScale[T](h); fault != nil {
			return nil, fault
		}
	}
	return s, nil
}

// counted picks the count that is in force.
func counted[T tally](f float64, n uint64) T {
	if f != 0 {
		return T(f)
	}
	return T(n)
}

// plus adds up two histograms, of which both may be changed.
func (s *spread[T]) plus(pushed *spread[T]) (*spread[T], *misfit) {
	sum := &spread[T]{sum: s.sum + pushed.sum}
	var fits bool
	if sum.count, fits = plus(s.count, pushed.count); !fits || math.IsInf(sum.sum, 0) {
		return nil, overflow()
	}
	if s.classic != nil && pushed.classic != nil {
		var fault *misfit
		if sum.classic, fault = s.classic.plus(pushed.classic); fault != nil {
			return nil, fault
		}
	}
	if s.native != nil && pushed.native != nil {
		if _, whole := any(sum.count).(uint64); whole && sum.count > math.MaxInt64 {
			return nil, overflow() // since whole buckets are written as differences
		}
		sum.native = s.native.plus(pushed.native)
		// Sums of floats are not exact, and a count below that of the buckets is refused by Prometheus.
		sum.count = max(sum.count, sum.native.total())
	}
	if sum.classic == nil && sum.native == nil && s.sides() != pushed.sides() {
		return nil, misfitBounds(s.layout(), pushed.layout())
	}
	return sum, nil
}

// sides tells which sides a histogram has.
func (s *spread[T]) sides() [2]bool { return [2]bool{s.classic != nil, s.native != nil} }

// layout says for people which buckets a histogram has.
func (s *spread[T]) layout() string {
	switch {
	case s.classic != nil:
		return s.classic.layout()
	case s.native != nil:
		return fmt.Sprintf("native buckets of schema %d", s.native.schema)
	}
	return "no buckets"
}

func misfitBounds(old, pushed string) *misfit {
	return &misfit{
		ReasonBounds, fmt.Sprintf("has %s, but what it is added to has %s: neither can be folded exactly onto the other", pushed, old),
		"give all pushers the same bounds, or bounds of which one set contains the other; DELETE the group to change them",
	}
}

// write gives h the counts and the buckets.
func (s *spread[T]) write(h *dto.Histogram) {
	h.SampleSum = &s.sum
	h.SampleCountFloat, h.SampleCount = split(s.count)
	if s.classic != nil {
		h.Bucket = s.classic.buckets(s.count)
	}
	if s.native != nil {
		s.native.write(h)
	}
}

// split returns a count as the one of two fields that it belongs in; the other is nil.
func split[T tally](n T) (f *float64, whole *uint64) {
	switch n := any(n).(type) {
	case float64:
		return &n, nil
	case uint64:
		return nil, &n
	}
	return nil, nil
}
