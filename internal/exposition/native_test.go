package exposition

import (
	"math"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// spans returns spans of offset and length in turn.
func spans(offsetsAndLengths ...int32) []*dto.BucketSpan {
	var out []*dto.BucketSpan
	for i := 0; i < len(offsetsAndLengths); i += 2 {
		out = append(out, &dto.BucketSpan{
			Offset: proto.Int32(offsetsAndLengths[i]), Length: proto.Uint32(uint32(offsetsAndLengths[i+1])),
		})
	}
	return out
}

// integerNative has 2, 3 and 1 positive and 4 negative observations, and 5 around zero.
func integerNative() *dto.Histogram {
	return &dto.Histogram{
		SampleCount: proto.Uint64(15), SampleSum: proto.Float64(1.5), Schema: proto.Int32(3),
		ZeroThreshold: proto.Float64(1e-9), ZeroCount: proto.Uint64(5),
		PositiveSpan: spans(-3, 2, 4, 1), PositiveDelta: []int64{2, 1, -2},
		NegativeSpan: spans(0, 1), NegativeDelta: []int64{4},
	}
}

// floatNative is the same with float counts.
func floatNative() *dto.Histogram {
	return &dto.Histogram{
		SampleCountFloat: proto.Float64(15), SampleSum: proto.Float64(1.5), Schema: proto.Int32(3),
		ZeroThreshold: proto.Float64(1e-9), ZeroCountFloat: proto.Float64(5),
		PositiveSpan: spans(-3, 2, 4, 1), PositiveCount: []float64{2, 3, 1},
		NegativeSpan: spans(0, 1), NegativeCount: []float64{4},
	}
}

func TestCheckNative(t *testing.T) {
	for _, c := range []struct {
		name string
		of   func() *dto.Histogram
		edit func(h *dto.Histogram)
		want string // "" for accepted
	}{
		{"integer", integerNative, func(*dto.Histogram) {}, ""},
		{"float", floatNative, func(*dto.Histogram) {}, ""},
		{"no observations", integerNative, func(h *dto.Histogram) {
			*h = dto.Histogram{Schema: proto.Int32(3), PositiveSpan: spans(0, 0)}
		}, ""},
		{"classic only", integerNative, func(h *dto.Histogram) {
			*h = dto.Histogram{SampleCount: proto.Uint64(1), Schema: proto.Int32(99)}
		}, ""},
		{"lowest schema", integerNative, func(h *dto.Histogram) { h.Schema = proto.Int32(-4) }, ""},
		{"highest schema", integerNative, func(h *dto.Histogram) { h.Schema = proto.Int32(8) }, ""},
		{"schema too low", integerNative, func(h *dto.Histogram) { h.Schema = proto.Int32(-5) }, "schema -5"},
		{"schema too high", floatNative, func(h *dto.Histogram) { h.Schema = proto.Int32(9) }, "schema 9"},
		{"custom bounds", integerNative, func(h *dto.Histogram) { h.Schema = proto.Int32(-53) }, "schema -53"},
		{"negative first offset", integerNative, func(h *dto.Histogram) { h.PositiveSpan[0].Offset = proto.Int32(-99) }, ""},
		{
			"negative later offset", integerNative, func(h *dto.Histogram) { h.PositiveSpan[1].Offset = proto.Int32(-1) },
			"positive span 2 has the offset -1",
		},
		{
			"too few buckets", integerNative, func(h *dto.Histogram) { h.PositiveDelta = h.PositiveDelta[:2] },
			"positive spans need 3 buckets, have 2",
		},
		{
			"huge span", integerNative, func(h *dto.Histogram) { h.NegativeSpan[0].Length = proto.Uint32(math.MaxUint32) },
			"negative spans need 4294967295 buckets, have 1",
		},
		{"buckets without spans", integerNative, func(h *dto.Histogram) { h.NegativeSpan = nil }, "need 0 buckets, have 1"},
		{"float buckets without spans", floatNative, func(h *dto.Histogram) { h.NegativeSpan = nil }, "need 0 buckets, have 1"},
		{"negative count", integerNative, func(h *dto.Histogram) { h.PositiveDelta[2] = -4 }, "positive bucket 3 has the count -1"},
		{"negative float count", floatNative, func(h *dto.Histogram) { h.PositiveCount[2] = -1 }, "positive bucket 3 has the count -1"},
		{"float count not a number", floatNative, func(h *dto.Histogram) { h.NegativeCount[0] = math.NaN() }, "negative bucket 1"},
		{"overflow", integerNative, func(h *dto.Histogram) {
			h.ZeroCount = proto.Uint64(math.MaxUint64)
		}, "overflows"},
		{"count too small", integerNative, func(h *dto.Histogram) { h.SampleCount = proto.Uint64(14) }, "15 observations"},
		{"count too large", integerNative, func(h *dto.Histogram) { h.SampleCount = proto.Uint64(16) }, "the count is 16"},
		{"count larger by NaN", integerNative, func(h *dto.Histogram) {
			h.SampleCount, h.SampleSum = proto.Uint64(16), proto.Float64(math.NaN())
		}, ""},
		{"count too small and NaN", integerNative, func(h *dto.Histogram) {
			h.SampleCount, h.SampleSum = proto.Uint64(14), proto.Float64(math.NaN())
		}, "15 observations"},
		{"float count too small", floatNative, func(h *dto.Histogram) { h.SampleCountFloat = proto.Float64(9) }, "the count is 9"},
		{"float count larger", floatNative, func(h *dto.Histogram) { h.SampleCountFloat = proto.Float64(99) }, ""},
		{"negative zero threshold", integerNative, func(h *dto.Histogram) { h.ZeroThreshold = proto.Float64(-1) }, "zero threshold is -1"},
		{"zero threshold NaN", integerNative, func(h *dto.Histogram) { h.ZeroThreshold = proto.Float64(math.NaN()) }, "zero threshold is NaN"},
		{"zero threshold Inf", integerNative, func(h *dto.Histogram) { h.ZeroThreshold = proto.Float64(math.Inf(1)) }, "zero threshold is +Inf"},
		{"float zero count negative", floatNative, func(h *dto.Histogram) { h.ZeroCountFloat = proto.Float64(-1) }, "zero bucket"},
		{"float zero count negative alone", floatNative, func(h *dto.Histogram) {
			h.ZeroCountFloat, h.SampleCountFloat = proto.Float64(-1), nil
			h.PositiveCount, h.NegativeCount, h.PositiveSpan, h.NegativeSpan = nil, nil, nil, nil
		}, "a float count is negative"},
		{"integer with float counts", integerNative, func(h *dto.Histogram) { h.PositiveCount = []float64{1} }, "integer and float"},
		{"float with deltas", floatNative, func(h *dto.Histogram) { h.PositiveDelta = []int64{1} }, "integer and float"},
		{"float with integer zero count", floatNative, func(h *dto.Histogram) { h.ZeroCount = proto.Uint64(1) }, "integer and float"},
		{"float counts, all zero", floatNative, func(h *dto.Histogram) {
			h.SampleCountFloat, h.ZeroCountFloat = proto.Float64(0), nil
			h.PositiveCount, h.NegativeCount = []float64{0, 0, 0}, []float64{0}
		}, "integer and float"},
	} {
		h := c.of()
		c.edit(h)
		got := checkNative(h)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
