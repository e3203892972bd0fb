package conformance

import (
	"fmt"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// poison is what the reference answers wrongly: it takes it, or keeps a trace of it that fails every later
// scrape. It must be a 400 after which all other groups are served and can be pushed to.
type poison struct {
	name   string
	before []request
	send   request
	trace  bool // a failure time under the push's own key is in order
}

func histogram(h *dto.Histogram, labels ...string) *dto.Metric {
	return &dto.Metric{Label: pairs(labels), Histogram: h}
}

func span(offset int32, length uint32) []*dto.BucketSpan {
	return []*dto.BucketSpan{{Offset: &offset, Length: &length}}
}

// nativeHistogram is one that Prometheus takes.
func nativeHistogram() *dto.Histogram {
	return &dto.Histogram{
		SampleCount: proto.Uint64(3), SampleSum: proto.Float64(6), Schema: proto.Int32(0),
		ZeroThreshold: proto.Float64(0.001), ZeroCount: proto.Uint64(1),
		PositiveSpan: span(0, 2), PositiveDelta: []int64{1, 0},
	}
}

func badNative(change func(*dto.Histogram)) request {
	h := nativeHistogram()
	change(h)
	return message("/metrics/job/j", family("x", dto.MetricType_HISTOGRAM, histogram(h)))
}

func helpless(f *dto.MetricFamily, help, unit string) *dto.MetricFamily {
	f.Help, f.Unit = &help, &unit
	return f
}

func exemplar(labels ...string) *dto.Metric {
	return &dto.Metric{Counter: &dto.Counter{
		Value:    proto.Float64(1),
		Exemplar: &dto.Exemplar{Label: pairs(labels), Value: proto.Float64(1)},
	}}
}

const (
	gaugeType, histogramType     = dto.MetricType_GAUGE, dto.MetricType_HISTOGRAM
	gaugeHistogramType, counting = dto.MetricType_GAUGE_HISTOGRAM, dto.MetricType_COUNTER
)

func badKeys() []poison {
	const histogramBody, summaryBody = "# TYPE h histogram\nh_count 1\n", "# TYPE s summary\ns_count 1\n"
	return []poison{
		{name: "empty instance beside none", before: []request{put("/metrics/job/j", "x 1\n")}, send: put("/metrics/job/j/instance/", "y 1\n")},
		{name: "none beside empty instance", before: []request{put("/metrics/job/j/instance/", "x 1\n")}, send: post("/metrics/job/j", "y 1\n")},
		{name: "job of bytes", send: put("/metrics/job/%FF", "x 1\n")},
		{name: "job of base64 bytes", send: put("/metrics/job@base64/_w", "x 1\n")},
		{name: "value of bytes", send: post("/metrics/job/j/l/%FF", "x 1\n")},
		{name: "grouping le over a histogram", send: put("/metrics/job/j/le/1", histogramBody), trace: true},
		{name: "grouping quantile over a summary", send: put("/metrics/job/j/quantile/1", summaryBody), trace: true},
		{name: "le over a native histogram", send: message("/metrics/job/j/le/1", family("x", histogramType, histogram(nativeHistogram()))), trace: true},
	}
}

func badBodies() []poison {
	const path = "/metrics/job/j"
	one := func(f *dto.MetricFamily) request { return message(path, f) }
	return []poison{
		{name: "family without a name", send: one(family("", gaugeType, gauge(1))), trace: true},
		{name: "name of bytes", send: one(family("x\xff", gaugeType, gauge(1))), trace: true},
		{name: "HELP of bytes", send: one(helpless(family("x", gaugeType, gauge(1)), "h\xff", "")), trace: true},
		{name: "unit of bytes", send: one(helpless(family("x", gaugeType, gauge(1)), "h", "u\xff")), trace: true},
		{name: "exemplar of bytes", send: one(family("x", counting, exemplar("id", "\xff"))), trace: true},
		{name: "gauge histogram without a value", send: one(family("x", gaugeHistogramType, gauge(1))), trace: true},
		{name: "histogram with a label le", send: one(family("x", histogramType, histogram(&dto.Histogram{SampleCount: proto.Uint64(1)}, "le", "1"))), trace: true},
		{name: "native schema", send: badNative(func(h *dto.Histogram) { h.Schema = proto.Int32(99) }), trace: true},
		{name: "native count", send: badNative(func(h *dto.Histogram) { h.SampleCount = proto.Uint64(1) }), trace: true},
		{name: "native spans without buckets", send: badNative(func(h *dto.Histogram) { h.PositiveSpan = span(0, 9) }), trace: true},
		{name: "native negative bucket", send: badNative(func(h *dto.Histogram) { h.PositiveDelta = []int64{1, -2} }), trace: true},
		{name: "native negative offset", send: badNative(func(h *dto.Histogram) {
			h.PositiveSpan = append(span(0, 1), span(-3, 1)...)
		}), trace: true},
		{name: "labels equal once escaped", send: one(family("x", gaugeType, gauge(1, "a.b", "1", "a_b", "2"))), trace: true},
		{name: "labels equal to the group's once escaped", send: one(family("x", gaugeType, gauge(1, "j.b", "1", "j_b", "2"))), trace: true},
		{name: "families equal once escaped", send: message(path, family("x.y", gaugeType, gauge(1)), family("x_y", gaugeType, gauge(2))), trace: true},
		{
			name: "family of another group once escaped", before: []request{message("/metrics/job/k", family("x.y", counting, exemplar("a", "b")))},
			send: put(path, "# TYPE x_y gauge\nx_y 1\n"), trace: true,
		},
		{
			name: "same type of another group once escaped", before: []request{put("/metrics/job/k", "# TYPE x_y gauge\nx_y 1\n")},
			send: one(family("x.y", gaugeType, gauge(1))), trace: true,
		},
		{name: "dots", before: []request{put("/metrics/job/k", "x_dot_y 1\n")}, send: one(family("x.y", gaugeType, gauge(1))), trace: true},
		{name: "values", before: []request{put("/metrics/job/k", "U__x_2e_y 1\n")}, send: one(family("x.y", gaugeType, gauge(1))), trace: true},
		{name: "part of a histogram once escaped", send: message(path, family("x.y.count", gaugeType, gauge(1)),
			family("x_y", histogramType, histogram(&dto.Histogram{SampleCount: proto.Uint64(1)}))), trace: true},
		{name: "own name", send: put(path, "pushgateway_http_requests_total 1\n"), trace: true},
		{name: "own name that is not there yet", send: put(path, "pushgateway_future 1\n"), trace: true},
		{name: "new name", send: put(path, "holdfast_groups 1\n"), trace: true},
		{name: "timestamp", send: put(path, "x 1 0\n"), trace: true},
		{name: "timestamp in protobuf", send: one(family("x", gaugeType, &dto.Metric{Gauge: &dto.Gauge{Value: proto.Float64(1)}, TimestampMs: proto.Int64(-1)})), trace: true},
	}
}

// TestNoPoison: whatever is pushed, the scrape is 200 and every other group is served.
func TestNoPoison(t *testing.T) {
	g := open(t, defaultMode)
	for _, p := range append(badKeys(), badBodies()...) {
		t.Run(p.name, func(t *testing.T) { p.hold(t, g) })
	}
}

// TestNoPoisonUTF8: names that a path may spell only with UTF-8 allowed.
func TestNoPoisonUTF8(t *testing.T) {
	g := open(t, utf8Mode)
	for _, p := range []poison{
		{name: "reserved once decoded", send: put("/metrics/job/j/U______x/1", "x 1\n")},
		{name: "labels equal once escaped", send: put("/metrics/job/j/a.b/1/a_b/2", "x 1\n")},
		{name: "families equal once escaped", send: put("/metrics/job/j", "{\"x.y\"} 1\nx_y 1\n"), trace: true},
	} {
		t.Run(p.name, func(t *testing.T) { p.hold(t, g) })
	}
}

func (p poison) hold(t *testing.T, g *target) {
	g.wipe(t)
	g.accept(t, p.before...)
	g.accept(t, put("/metrics/job/bystander", "kept 1\n"))
	groups := len(g.groups(t))
	before := g.scrape(t)
	got := g.do(t, p.send)
	if got.status != 400 {
		t.Fatalf("status %d, want 400; body %.300q", got.status, got.body)
	}
	after := g.scrape(t)
	for _, line := range before.samples {
		if !strings.HasPrefix(line, "push_failure_time_seconds{") {
			after.serves(t, line)
		}
	}
	if now := len(g.groups(t)); !p.trace && now != groups {
		t.Errorf("%d groups, want %d as before", now, groups)
	}
	if failed := failedGroups(g.groups(t)); (failed == 1) != p.trace || failed > 1 {
		t.Errorf("%d groups show a failure; a trace is in order: %v", failed, p.trace)
	}
	g.families(t)
	if got := g.get(t, "/", nil); got.status != 200 || !strings.Contains(string(got.body), "</html>") {
		t.Errorf("the page: status %d, %d bytes, or not whole", got.status, len(got.body))
	}
	g.accept(t, put("/metrics/job/bystander", "kept 2\n"), put("/metrics/job/new", "y 1\n"))
}

// TestTimesAreTheGateways: what a body says of them is overruled on every push.
func TestTimesAreTheGateways(t *testing.T) {
	g := open(t, defaultMode)
	g.wipe(t)
	const lies = "push_time_seconds 5\npush_failure_time_seconds 6\nx %d\n"
	for i := range 3 {
		g.accept(t, post(groupPath, fmt.Sprintf(lies, i)))
		if s := g.stamps(t, groupLabels); s.failed != "0" || len(s.pushed) < len("1.7e+09") {
			t.Errorf("push %d: times %+v", i+1, s)
		}
		g.scrape(t).serves(t, "# TYPE push_time_seconds gauge", "# TYPE push_failure_time_seconds gauge", fmt.Sprintf(`x{%s} %d`, groupLabels, i))
	}
	g.accept(t, message(groupPath, family("push_failure_time_seconds", counting), family("push_time_seconds", counting)))
	if held := g.groups(t); len(held) != 1 || held[0]["last_push_successful"] != true {
		t.Errorf("groups %v", held)
	}
}

// TestHelpIsSteady: the HELP of a family that groups disagree on does not change from scrape to scrape, nor
// with the order of pushes.
func TestHelpIsSteady(t *testing.T) {
	g := open(t, defaultMode)
	var pushes []request
	for _, job := range []string{"a", "b", "c"} {
		pushes = append(pushes, put("/metrics/job/"+job, "# HELP x by "+job+"\nx 1\n"))
	}
	seen := map[string]bool{}
	for turn := range 6 {
		g.wipe(t)
		for i := range pushes {
			g.accept(t, pushes[(i+turn)%len(pushes)])
		}
		seen[g.scrape(t).help["x"]] = true
	}
	if len(seen) != 1 {
		t.Errorf("HELP of x was %v", seen)
	}
}

// TestRichProtobufIsKept: native buckets, exemplars, created times and units come back in protobuf.
func TestRichProtobufIsKept(t *testing.T) {
	g := open(t, defaultMode)
	g.wipe(t)
	created := timestamppb.New(timestamppb.Now().AsTime())
	h := nativeHistogram()
	h.CreatedTimestamp = created
	c := exemplar("trace_id", "abc")
	c.Counter.CreatedTimestamp = created
	g.accept(t, message(groupPath, family("n", histogramType, histogram(h)), helpless(family("c", counting, c), "help", "")))
	all := g.families(t)
	n, e := all["n"].GetMetric(), all["c"].GetMetric()
	if len(n) != 1 || len(e) != 1 {
		t.Fatalf("families n and c have %d and %d metrics, want 1 each", len(n), len(e))
	}
	if got := n[0].GetHistogram(); !proto.Equal(got, h) {
		t.Errorf("native histogram\n got: %v\nwant: %v", got, h)
	}
	if got := e[0].GetCounter(); !proto.Equal(got, c.Counter) {
		t.Errorf("counter\n got: %v\nwant: %v", got, c.Counter)
	}
}
