package exposition

import (
	"fmt"
	"math"

	dto "github.com/prometheus/client_model/go"
)

// The exponential schemas that every Prometheus with native histograms takes. A schema for custom
// bounds exists too, but its bounds cannot be sent in this protobuf.
const minSchema, maxSchema = -4, 8

// checkNative returns why a Prometheus server would refuse the native side of h, and the whole scrape
// with it; "" where it would not, or where h has no native side.
func checkNative(h *dto.Histogram) string {
	if !hasNativeSide(h) {
		return ""
	}
	if s := h.GetSchema(); s < minSchema || s > maxSchema {
		return fmt.Sprintf("schema %d is outside %d to %d", s, minSchema, maxSchema)
	}
	if z := h.GetZeroThreshold(); !(z >= 0) || math.IsInf(z, 0) {
		return fmt.Sprintf("zero threshold is %v", z)
	}
	if h.GetSampleCountFloat() > 0 || h.GetZeroCountFloat() > 0 {
		return checkFloatSide(h)
	}
	return checkIntegerSide(h)
}

// hasNativeSide reports whether any version of Prometheus may take h for a native histogram.
func hasNativeSide(h *dto.Histogram) bool {
	return len(h.GetPositiveSpan()) > 0 || len(h.GetNegativeSpan()) > 0 ||
		len(h.GetPositiveDelta()) > 0 || len(h.GetNegativeDelta()) > 0 ||
		len(h.GetPositiveCount()) > 0 || len(h.GetNegativeCount()) > 0 ||
		h.GetZeroThreshold() != 0 || h.GetZeroCount() > 0 || h.GetZeroCountFloat() != 0
}

func checkIntegerSide(h *dto.Histogram) string {
	if len(h.GetPositiveCount()) > 0 || len(h.GetNegativeCount()) > 0 {
		return "it has integer and float counts"
	}
	if h.GetZeroCountFloat() != 0 || h.GetSampleCountFloat() != 0 {
		return "a float count is negative or not a number"
	}
	sum := h.GetZeroCount()
	for _, side := range []side{{"positive", h.GetPositiveSpan()}, {"negative", h.GetNegativeSpan()}} {
		deltas := h.GetPositiveDelta()
		if side.name == "negative" {
			deltas = h.GetNegativeDelta()
		}
		if problem := side.check(len(deltas)); problem != "" {
			return problem
		}
		var count int64
		for i, d := range deltas {
			if count += d; count < 0 {
				return fmt.Sprintf("%s bucket %d has the count %d", side.name, i+1, count)
			}
			if sum += uint64(count); sum < uint64(count) {
				return "the sum of the buckets overflows"
			}
		}
	}
	// Observations that are not a number raise the count and make the sum NaN, but fall in no bucket.
	count := h.GetSampleCount()
	if sum > count || sum < count && !math.IsNaN(h.GetSampleSum()) {
		return fmt.Sprintf("%d observations in its buckets, but the count is %d", sum, count)
	}
	return ""
}

func checkFloatSide(h *dto.Histogram) string {
	if len(h.GetPositiveDelta()) > 0 || len(h.GetNegativeDelta()) > 0 || h.GetZeroCount() > 0 {
		return "it has integer and float counts"
	}
	if z := h.GetZeroCountFloat(); !(z >= 0) {
		return fmt.Sprintf("the zero bucket has the count %v", z)
	}
	var sum float64
	for _, side := range []side{{"positive", h.GetPositiveSpan()}, {"negative", h.GetNegativeSpan()}} {
		counts := h.GetPositiveCount()
		if side.name == "negative" {
			counts = h.GetNegativeCount()
		}
		if problem := side.check(len(counts)); problem != "" {
			return problem
		}
		for i, n := range counts {
			if !(n >= 0) {
				return fmt.Sprintf("%s bucket %d has the count %v", side.name, i+1, n)
			}
			sum += n
		}
	}
	// Newer versions tolerate this, since float sums are not exact; older ones refuse the scrape.
	if count := h.GetSampleCountFloat(); !(sum <= count) {
		return fmt.Sprintf("%v observations in its buckets, but the count is %v", sum, count)
	}
	return ""
}

// side is the positive or the negative half of a native histogram.
type side struct {
	name  string
	spans []*dto.BucketSpan
}

// check returns what is wrong with the spans of a side that has so many buckets, or "".
func (s side) check(buckets int) string {
	var need uint64
	for i, span := range s.spans {
		if i > 0 && span.GetOffset() < 0 {
			return fmt.Sprintf("%s span %d has the offset %d", s.name, i+1, span.GetOffset())
		}
		need += uint64(span.GetLength())
	}
	if need != uint64(buckets) {
		return fmt.Sprintf("%s spans need %d buckets, have %d", s.name, need, buckets)
	}
	return ""
}
