package e2e

import (
	"math"
	"net/http"
	"slices"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// hostile are label values that a careless page would break on.
func hostile() []string {
	return []string{
		"", " ", "a\nb", `"`, `\`, `\n`, `x"} 1 2`, "{}", "# HELP x y", "a,b=\"c\"", "作业", "🚀", "\t\r\x00\x7f", "e\u0301", "\u202e\ufeff",
		`<script>alert(1)</script>`, "%2F", "a/b",
	}
}

// pushZoo pushes every type, hostile values and names that need escaping. It returns the names that the
// page must hold, unescaped.
func pushZoo(t *testing.T, g gateway) []string {
	t.Helper()
	families := zoo()
	g.push(t, "/metrics/job/zoo", families...)
	g.push(t, "/metrics/job/zoo/instance/second", families...)
	g.push(t, "/metrics/job/%E4%BD%9C%E4%B8%9A/path@base64/L3Zhci90bXA/empty@base64/=", families[:3]...)
	const body = "# HELP text_values \\\\ and \\n and \"quotes\"\ntext_values{v=\"nan\"} NaN\ntext_values{v=\"inf\"} +Inf\n" +
		"text_values{v=\"minus\"} -Inf\ntext_values{v=\"small\"} 5e-324\ntext_values{v=\"large\"} 1.7976931348623157e308\ntext_values{v=\"zero\"} -0\n"
	if status, answer := g.do(t, http.MethodPost, "/metrics/job/zoo", body); status != http.StatusOK {
		t.Fatalf("POST: %d %s", status, answer)
	}
	names := []string{"text_values"}
	for _, f := range families {
		names = append(names, f.GetName())
	}
	return names
}

func zoo() []*dto.MetricFamily {
	created := timestamppb.Now()
	exemplar := &dto.Exemplar{Label: pairs("trace_id", "作业"), Value: proto.Float64(1), Timestamp: created}
	counter := &dto.Metric{Counter: &dto.Counter{Value: proto.Float64(3), Exemplar: exemplar, CreatedTimestamp: created}}
	var values []*dto.Metric
	for i, value := range hostile() {
		values = append(values, &dto.Metric{Label: pairs("v", value), Gauge: &dto.Gauge{Value: proto.Float64(float64(i))}})
	}
	summary := &dto.Metric{Summary: &dto.Summary{
		SampleCount: proto.Uint64(3), SampleSum: proto.Float64(math.NaN()), CreatedTimestamp: created,
		Quantile: []*dto.Quantile{{Quantile: proto.Float64(0.5), Value: proto.Float64(1)}, {Quantile: proto.Float64(1), Value: proto.Float64(math.Inf(1))}},
	}}
	gaugeOf := func(labels ...string) *dto.Metric {
		return &dto.Metric{Label: pairs(labels...), Gauge: &dto.Gauge{Value: proto.Float64(1)}}
	}
	of := func(h *dto.Histogram) *dto.Metric { return &dto.Metric{Histogram: h} }
	both := nativeHistogram()
	both.Bucket = classicHistogram().Bucket
	return []*dto.MetricFamily{
		family("zoo_counter_total", dto.MetricType_COUNTER, counter),
		family("zoo_gauge", dto.MetricType_GAUGE, values...),
		family("zoo.dotted name", dto.MetricType_GAUGE, gaugeOf("l x-é", "b"), gaugeOf("作业", "c"), gaugeOf("with:colon", "d")),
		family("1作业", dto.MetricType_UNTYPED, &dto.Metric{Untyped: &dto.Untyped{Value: proto.Float64(1)}}),
		family("zoo_summary", dto.MetricType_SUMMARY, summary),
		family("zoo_empty_summary", dto.MetricType_SUMMARY, &dto.Metric{Summary: &dto.Summary{}}),
		family("zoo_classic", dto.MetricType_HISTOGRAM, of(classicHistogram())),
		family("zoo_native", dto.MetricType_HISTOGRAM, of(nativeHistogram())),
		family("zoo_both", dto.MetricType_HISTOGRAM, of(both)),
		family("zoo_float", dto.MetricType_HISTOGRAM, of(floatHistogram())),
		family("zoo_gauge_classic", dto.MetricType_GAUGE_HISTOGRAM, of(classicHistogram())),
		family("zoo_gauge_native", dto.MetricType_GAUGE_HISTOGRAM, of(nativeHistogram())),
		family("zoo_none", dto.MetricType_GAUGE),
	}
}

func family(name string, kind dto.MetricType, metrics ...*dto.Metric) *dto.MetricFamily {
	return &dto.MetricFamily{Name: &name, Help: proto.String("help \\ of\n\"" + name + `"`), Type: &kind, Metric: metrics}
}

func pairs(labels ...string) []*dto.LabelPair {
	var all []*dto.LabelPair
	for pair := range slices.Chunk(labels, 2) {
		all = append(all, &dto.LabelPair{Name: &pair[0], Value: &pair[1]})
	}
	return all
}

func classicHistogram() *dto.Histogram {
	return &dto.Histogram{
		SampleCount: proto.Uint64(4), SampleSum: proto.Float64(7.5),
		Bucket: []*dto.Bucket{
			{UpperBound: proto.Float64(0.1), CumulativeCount: proto.Uint64(1)},
			{UpperBound: proto.Float64(1e6), CumulativeCount: proto.Uint64(3)},
		},
	}
}

func nativeHistogram() *dto.Histogram {
	return &dto.Histogram{
		SampleCount: proto.Uint64(4), SampleSum: proto.Float64(7.5), Schema: proto.Int32(2),
		ZeroThreshold: proto.Float64(0.001), ZeroCount: proto.Uint64(1), CreatedTimestamp: timestamppb.Now(),
		NegativeSpan: span(-1, 1), NegativeDelta: []int64{1},
		PositiveSpan: span(3, 2), PositiveDelta: []int64{1, 0},
	}
}

func floatHistogram() *dto.Histogram {
	return &dto.Histogram{
		SampleCountFloat: proto.Float64(2.5), SampleSum: proto.Float64(3), Schema: proto.Int32(0),
		ZeroThreshold: proto.Float64(0.001), ZeroCountFloat: proto.Float64(0.5),
		PositiveSpan: span(0, 2), PositiveCount: []float64{1.5, 0.5},
	}
}

func span(offset int32, length uint32) []*dto.BucketSpan {
	return []*dto.BucketSpan{{Offset: &offset, Length: &length}}
}
