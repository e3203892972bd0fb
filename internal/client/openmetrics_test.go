package client

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// openMetricsFamilies are families with all that OpenMetrics can say and text cannot.
func openMetricsFamilies() []*dto.MetricFamily {
	created := timestamppb.New(time.Unix(1700000000, 0))
	exemplar := &dto.Exemplar{Value: proto.Float64(0.5), Timestamp: created, Label: []*dto.LabelPair{{Name: proto.String("trace"), Value: proto.String("} # \"")}}}
	label := []*dto.LabelPair{{Name: proto.String("l"), Value: proto.String("a \"b\" \\ \n } # c")}}
	family := func(name, help string, typ dto.MetricType, m ...*dto.Metric) *dto.MetricFamily {
		return &dto.MetricFamily{Name: &name, Help: &help, Type: &typ, Metric: m}
	}
	return []*dto.MetricFamily{
		family("runs_total", `with "quotes", \ and`+"\n", dto.MetricType_COUNTER,
			&dto.Metric{Counter: &dto.Counter{Value: proto.Float64(3), Exemplar: exemplar, CreatedTimestamp: created}},
			&dto.Metric{Label: label, Counter: &dto.Counter{Value: proto.Float64(4), CreatedTimestamp: created}}),
		family("size_bytes", "h", dto.MetricType_GAUGE, &dto.Metric{Label: label, Gauge: &dto.Gauge{Value: proto.Float64(-1.5e9)}}),
		family("plain", "h", dto.MetricType_UNTYPED, &dto.Metric{Untyped: &dto.Untyped{Value: proto.Float64(7)}}),
		family("a.b", "h", dto.MetricType_GAUGE, &dto.Metric{Label: label, Gauge: &dto.Gauge{Value: proto.Float64(1)}}),
		family("took_seconds", "h", dto.MetricType_HISTOGRAM, &dto.Metric{Histogram: &dto.Histogram{
			SampleCount: proto.Uint64(3), SampleSum: proto.Float64(2), CreatedTimestamp: created,
			Bucket: []*dto.Bucket{{UpperBound: proto.Float64(1), CumulativeCount: proto.Uint64(2), Exemplar: exemplar}},
		}}),
		family("waited_seconds", "h", dto.MetricType_SUMMARY, &dto.Metric{Label: label, Summary: &dto.Summary{
			SampleCount: proto.Uint64(3), SampleSum: proto.Float64(2), CreatedTimestamp: created,
			Quantile: []*dto.Quantile{{Quantile: proto.Float64(0.5), Value: proto.Float64(1)}},
		}}),
	}
}

// What Prometheus' library writes as OpenMetrics comes out as what it writes as text.
func TestOpenMetricsBecomesText(t *testing.T) {
	var open, text bytes.Buffer
	for _, f := range openMetricsFamilies() {
		if _, err := expfmt.MetricFamilyToOpenMetrics(&open, f, expfmt.WithCreatedLines()); err != nil {
			t.Fatal(err)
		}
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := expfmt.FinalizeOpenMetrics(&open); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(open.String(), "_created") || !strings.Contains(open.String(), " # {trace=") {
		t.Fatalf("nothing to leave out: %s", open.String())
	}
	got, err := Text(open.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	parse := func(body []byte) map[string]*dto.MetricFamily {
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
		if err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		return families
	}
	if diff := cmp.Diff(parse(text.Bytes()), parse(got), protocmp.Transform()); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestOpenMetricsOfOtherTypes(t *testing.T) {
	for open, want := range map[string]string{
		"# EOF":        "",
		"a 1\n# EOF\n": "a 1\n",
		"# TYPE v info\n# HELP v of it\nv_info{version=\"1\"} 1\n# EOF\n":  "# HELP v_info of it\n# TYPE v_info gauge\nv_info{version=\"1\"} 1\n",
		"# TYPE s stateset\ns{s=\"on\"} 1\n# EOF\n":                        "# TYPE s gauge\ns{s=\"on\"} 1\n",
		"# UNIT w_bytes bytes\n# TYPE w_bytes unknown\nw_bytes 1\n# EOF\n": "# TYPE w_bytes untyped\nw_bytes 1\n",
		"# TYPE a gauge\na 1\nab 2\nabc 3\n# EOF\n":                        "# TYPE a gauge\na 1\nab 2\nabc 3\n",
		"# a remark\n\na 1 # {} 1 1\r\n# EOF\r\n":                          "a 1\n",
		"# HELP a ends in # EOF\n":                                         "# HELP a ends in # EOF\n", // this is text
	} {
		if got, err := Text([]byte(open)); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v, want %q", open, got, err, want)
		}
	}
}

// What text would show as something else is refused, with what to do.
func TestOpenMetricsThatTextCannotSay(t *testing.T) {
	for open, want := range map[string]string{
		"# TYPE a gauge\na 1 1700000000.5\n":               "line 2: the sample of a has a timestamp",
		"# TYPE a gauge\na 1 1700000000.5 # {x=\"y\"} 1\n": "has a timestamp",
		"# TYPE g gaugehistogram\ng_bucket{le=\"1\"} 1\n":  "line 1: family g is a gauge histogram",
		"# TYPE a_total counter\na_total 1\n":              "a_total is no sample of family a_total, which is a counter",
		"# TYPE a gauge\na_total 1\n":                      "no sample of family a",
		"a{l=\"v} 1\n":                                     "the labels of a do not end",
		"a\n":                                              "the sample of a has no value",
		"{} 1\n":                                           "it is no sample",
	} {
		_, err := Text([]byte(open + "# EOF\n"))
		var body *Malformed
		var teaching interface{ Hint() string }
		if !errors.As(err, &body) || !strings.Contains(err.Error(), want) || !errors.As(body, &teaching) || teaching.Hint() == "" {
			t.Errorf("%q: %v, want %s with a hint", open, err, want)
		}
	}
}

// A push of OpenMetrics is one of text from its preparation on, so that it may wait in any spool.
func TestPrepareTakesOpenMetrics(t *testing.T) {
	p := numbered(t, 1)
	p.Body = []byte("# TYPE n counter\nn_total 1\nn_created 1700000000\n# EOF\n")
	if err := p.Prepare(); err != nil || string(p.Body) != "# TYPE n_total counter\nn_total 1\n" || !p.batchable() {
		t.Errorf("%q, %v", p.Body, err)
	}
}
