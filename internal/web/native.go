package web

import (
	"iter"
	"math"
	"slices"

	dto "github.com/prometheus/client_model/go"
)

// boundaries says which bounds belong to a bucket of a native histogram; the numbers are the query API's.
type boundaries uint8

const (
	openLeft  boundaries = 0 // (lower, upper]
	openRight boundaries = 1 // [lower, upper)
	closed    boundaries = 3 // [lower, upper]
)

type nativeBucket struct {
	bounds       boundaries
	lower, upper float64
	count        float64
}

// isNative reports whether a histogram has native buckets.
func isNative(h *dto.Histogram) bool {
	return len(h.GetPositiveSpan()) > 0 || len(h.GetNegativeSpan()) > 0
}

// nativeBuckets yields the buckets of a native histogram that are not empty, in ascending order.
func nativeBuckets(h *dto.Histogram) iter.Seq[nativeBucket] {
	return func(yield func(nativeBucket) bool) {
		schema := h.GetSchema()
		negative := slices.Collect(sparse(h.GetNegativeSpan(), h.GetNegativeDelta(), h.GetNegativeCount(), isFloat(h)))
		for _, b := range slices.Backward(negative) {
			bucket := nativeBucket{openRight, -bound(b.index, schema), -bound(b.index-1, schema), b.count}
			if b.count != 0 && !yield(bucket) {
				return
			}
		}
		zeros := h.GetZeroCountFloat()
		if !isFloat(h) {
			zeros = float64(h.GetZeroCount())
		}
		threshold := h.GetZeroThreshold()
		if zeros != 0 && !yield(nativeBucket{closed, -threshold, threshold, zeros}) {
			return
		}
		for b := range sparse(h.GetPositiveSpan(), h.GetPositiveDelta(), h.GetPositiveCount(), isFloat(h)) {
			bucket := nativeBucket{openLeft, bound(b.index-1, schema), bound(b.index, schema), b.count}
			if b.count != 0 && !yield(bucket) {
				return
			}
		}
	}
}

func isFloat(h *dto.Histogram) bool {
	return h.GetSampleCountFloat() > 0 || h.GetZeroCountFloat() > 0
}

type indexed struct {
	index int
	count float64
}

// sparse walks spans of buckets. Integer counts are deltas to the bucket before, float counts are not.
func sparse(spans []*dto.BucketSpan, deltas []int64, counts []float64, float bool) iter.Seq[indexed] {
	return func(yield func(indexed) bool) {
		n, index, running := 0, 0, int64(0)
		for _, span := range spans {
			index += int(span.GetOffset())
			for range span.GetLength() {
				b := indexed{index: index}
				switch {
				case float && n < len(counts):
					b.count = counts[n]
				case !float && n < len(deltas):
					running += deltas[n]
					b.count = float64(running)
				default:
					return
				}
				if !yield(b) {
					return
				}
				n++
				index++
			}
		}
	}
}

// roots are 2 to the power of 2^-schema for schemas 1 to 8, as Prometheus rounds them. Its bounds are
// products of them, so only the same factors in the same order give the same digits.
var roots = [...]float64{
	1.414213562373095, 1.189207115002721, 1.0905077326652577, 1.0442737824274138,
	1.0218971486541166, 1.0108892860517005, 1.0054299011128027, 1.0027112750502025,
}

// bound returns the upper bound of the bucket with this index: 2 to the power of index * 2^-schema.
func bound(index int, schema int32) float64 {
	if schema <= 0 {
		return finite(1, index<<min(-schema, 16))
	}
	if int(schema) > len(roots) {
		return math.Exp2(float64(index) / math.Exp2(float64(schema)))
	}
	whole, part := index>>schema, index&(1<<schema-1)
	fraction := 1.0
	for i := range roots[:schema] {
		if part&(1<<(int(schema)-1-i)) != 0 {
			fraction *= roots[i]
		}
	}
	return finite(fraction, whole)
}

// finite is fraction * 2^exponent, but the greatest float where that is just out of reach: this bucket
// holds all that is finite.
func finite(fraction float64, exponent int) float64 {
	if fraction == 1 && exponent == 1024 {
		return math.MaxFloat64
	}
	return math.Ldexp(fraction, exponent)
}
