package exposition

import (
	"fmt"
	"math/rand/v2"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// randomSet returns a small label set out of few, so that sets meet often and some differ by names only.
func randomSet(r *rand.Rand, names []string) []string {
	var pairs []string
	for _, name := range names {
		if r.IntN(2) == 0 {
			pairs = append(pairs, name, fmt.Sprint(r.IntN(3)))
		}
	}
	return pairs
}

// randomProtos returns metrics of distinct label sets with values that value makes.
func randomProtos(r *rand.Rand, n int, names []string, value func() *dto.Metric) []*dto.Metric {
	seen := map[string]bool{}
	var metrics []*dto.Metric
	for range n {
		set := randomSet(r, names)
		if key := fmt.Sprint(set); !seen[key] {
			seen[key] = true
			metrics = append(metrics, labelled(value(), set...))
		}
	}
	return metrics
}

// valueMakers make random values of each type.
func valueMakers(r *rand.Rand) map[dto.MetricType]func() *dto.Metric {
	return map[dto.MetricType]func() *dto.Metric{
		gaugeType:   func() *dto.Metric { return gauge(r.NormFloat64()) },
		untypedType: func() *dto.Metric { return &dto.Metric{Untyped: &dto.Untyped{Value: proto.Float64(r.NormFloat64())}} },
		counterType: func() *dto.Metric {
			return &dto.Metric{Counter: &dto.Counter{Value: proto.Float64(float64(r.IntN(9)))}}
		},
		summaryType: func() *dto.Metric {
			s := &dto.Summary{SampleCount: proto.Uint64(r.Uint64N(9)), SampleSum: proto.Float64(r.NormFloat64())}
			for i := range r.IntN(3) {
				s.Quantile = append(s.Quantile, &dto.Quantile{Quantile: proto.Float64(float64(i) / 4), Value: proto.Float64(r.NormFloat64())})
			}
			return &dto.Metric{Summary: s}
		},
		histogramType: func() *dto.Metric { return histogram(randomClassic(r, []float64{1, 2, 5}[:r.IntN(4)], 9)) },
		gaugeHistType: func() *dto.Metric { return histogram(integerNative()) },
	}
}

// randomClassic returns a histogram of the given bounds with up to most observations in each bucket.
func randomClassic(r *rand.Rand, bounds []float64, most uint64) *dto.Histogram {
	h := &dto.Histogram{SampleSum: proto.Float64(float64(r.IntN(100)))}
	var count uint64
	for _, bound := range bounds {
		count += r.Uint64N(most + 1)
		h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: proto.Float64(bound), CumulativeCount: proto.Uint64(count)})
	}
	h.SampleCount = proto.Uint64(count + r.Uint64N(most+1))
	return h
}
