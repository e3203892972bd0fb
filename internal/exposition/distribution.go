package exposition

import (
	"math"

	dto "github.com/prometheus/client_model/go"
)

// manyBuckets bounds the room that is made for a histogram at once: most have as many buckets as the one
// before, but a body must not gain from one that is huge.
const manyBuckets = 32

// slabs are the small values that summaries and histograms are made of.
type slabs struct {
	numbers   slab[float64]
	wholes    slab[uint64]
	quantiles slab[dto.Quantile]
	buckets   slab[dto.Bucket]
	lengths   int // how many quantiles or buckets the last metric had
}

// observe takes one sample of a summary.
func (s *slabs) observe(v *value, p part, quantile, number float64) {
	if v.summary == nil {
		v.summary = &dto.Summary{}
	}
	switch {
	case p == countPart:
		v.summary.SampleCount = of(&s.wholes, uint64(number))
	case p == sumPart:
		v.summary.SampleSum = of(&s.numbers, number)
	case !math.IsNaN(quantile):
		q := s.quantiles.one()
		q.Quantile, q.Value = of(&s.numbers, quantile), of(&s.numbers, number)
		v.summary.Quantile = append(v.summary.Quantile, q)
	}
}

// count takes one sample of a histogram. It returns what is negative, or "".
func (s *slabs) count(v *value, p part, bound, number float64) string {
	if v.histogram == nil {
		v.histogram = &dto.Histogram{Bucket: make([]*dto.Bucket, 0, min(s.lengths, manyBuckets))}
	}
	h := v.histogram
	whole := uint64(number)
	isWhole := number == float64(whole)
	switch {
	case p == countPart && isWhole:
		h.SampleCount = of(&s.wholes, whole)
	case p == countPart && number < 0:
		return "count"
	case p == countPart:
		h.SampleCountFloat = of(&s.numbers, number)
	case p == sumPart:
		h.SampleSum = of(&s.numbers, number)
	case math.IsNaN(bound):
	case !isWhole && number < 0:
		return "bucket population"
	default:
		b := s.buckets.one()
		b.UpperBound = of(&s.numbers, bound)
		if isWhole {
			b.CumulativeCount = of(&s.wholes, whole)
		} else {
			b.CumulativeCountFloat = of(&s.numbers, number)
		}
		h.Bucket = append(h.Bucket, b)
		s.lengths = len(h.Bucket)
	}
	return ""
}

// normalise makes a histogram count in floats throughout where it does so anywhere.
func (s *slabs) normalise(h *dto.Histogram) {
	floats := h.GetSampleCountFloat() != 0
	for _, b := range h.Bucket {
		floats = floats || b.GetCumulativeCountFloat() != 0
	}
	if !floats {
		return
	}
	if h.GetSampleCountFloat() == 0 {
		h.SampleCountFloat, h.SampleCount = of(&s.numbers, float64(h.GetSampleCount())), nil
	}
	for _, b := range h.Bucket {
		if b.GetCumulativeCountFloat() == 0 {
			b.CumulativeCountFloat, b.CumulativeCount = of(&s.numbers, float64(b.GetCumulativeCount())), nil
		}
	}
}
