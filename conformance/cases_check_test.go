package conformance

import (
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// clash is a push that must be refused with 400, its reason, and what was stored before it.
type clash struct {
	name   string
	before []request
	send   request
	says   string // part of the first line
	free   bool   // the push is accepted instead
}

// TestConsistency holds each rule within one body, across groups and against the gateway's own families.
func TestConsistency(t *testing.T) {
	const a, b = "/metrics/job/a", "/metrics/job/b"
	const twice = "was collected before with the same name and label values"
	holdClashes(t, open(t, defaultMode), []clash{
		{name: "same series", send: put(a, "x 1\nx 2\n"), says: twice},
		{name: "same series once grouped", send: put(a, "x{job=\"1\"} 1\nx{job=\"2\"} 2\n"), says: twice},
		{
			name: "same series in another group", before: []request{put("/metrics/job/a/instance/i", "x 1\n")},
			send: put(a, "x{instance=\"i\"} 1\n"), says: twice,
		},
		{name: "another label set", before: []request{put("/metrics/job/a/instance/i", "x 1\n")}, send: put(a, "x{instance=\"k\"} 1\n"), free: true},
		{name: "type", before: []request{put(a, "# TYPE x gauge\nx 1\n")}, send: put(b, "# TYPE x counter\nx 1\n"), says: "x"},
		{name: "type of the same group", before: []request{put(a, "# TYPE x gauge\nx 1\n")}, send: post(a, "# TYPE x counter\nx 1\n"), free: true},
		{
			name: "own type", send: put(a, "# TYPE go_goroutines counter\ngo_goroutines 1\n"),
			says: "gathered metric family go_goroutines has type COUNTER but should have GAUGE",
		},
		{name: "own HELP", send: put(a, "# HELP go_goroutines mine\n# TYPE go_goroutines gauge\ngo_goroutines 1\n"), free: true},
		{name: "HELP", before: []request{put(a, "# HELP x one\nx 1\n")}, send: put(b, "# HELP x two\nx 1\n"), free: true},
		{name: "count of a histogram", before: []request{put(a, "# TYPE x histogram\nx_count 1\n")}, send: put(b, "x_count 1\n"), says: "collides"},
		{name: "sum of a histogram", before: []request{put(a, "# TYPE x histogram\nx_count 1\n")}, send: put(b, "x_sum 1\n"), says: "collides"},
		{name: "part of a histogram", before: []request{put(a, "# TYPE x histogram\nx_count 1\n")}, send: put(b, "x_bucket 1\n"), says: "collides"},
		{name: "histogram of a count", before: []request{put(b, "x_count 1\n")}, send: put(a, "# TYPE x histogram\nx_count 1\n"), says: "collides"},
		{name: "histogram of a part", before: []request{put(b, "x_bucket 1\n")}, send: put(a, "# TYPE x histogram\nx_count 1\n"), says: "collides"},
		{name: "count of a summary", before: []request{put(a, "# TYPE x summary\nx_count 1\n")}, send: put(b, "x_count 1\n"), says: "collides"},
		{name: "summary of a sum", before: []request{put(b, "x_sum 1\n")}, send: put(a, "# TYPE x summary\nx_count 1\n"), says: "collides"},
		{name: "summary has no buckets", before: []request{put(a, "# TYPE x summary\nx_count 1\n")}, send: put(b, "x_bucket 1\n"), free: true},
		{name: "clash in one body", send: put(a, "x_count 1\n# TYPE x histogram\nx_sum 1\n"), says: "collides"},
		{name: "reserved label", send: put(a, "x{__foo=\"1\"} 1\n"), says: "__foo"},
		{name: "value missing", send: message(a, family("x", dto.MetricType_COUNTER, gauge(1))), says: "x"},
		{name: "label twice", send: message(a, family("x", dto.MetricType_GAUGE, gauge(1, "l", "1", "l", "2"))), says: "two or more labels with the same name"},
		{name: "label without a name", send: message(a, family("x", dto.MetricType_GAUGE, gauge(1, "", "1"))), says: "x"},
		{name: "label value of bytes", send: message(a, family("x", dto.MetricType_GAUGE, gauge(1, "l", "\xff"))), says: "utf8"},
		{name: "quantile of a summary", send: message(a, family("x", dto.MetricType_SUMMARY,
			&dto.Metric{Label: pairs([]string{"quantile", "1"}), Summary: &dto.Summary{SampleCount: proto.Uint64(1)}})), says: "quantile"},
	})
}

// holdClashes also checks that a refusal leaves all other groups as they were, and a failure time.
func holdClashes(t *testing.T, g *target, clashes []clash) {
	t.Helper()
	for _, c := range clashes {
		t.Run(c.name, func(t *testing.T) {
			g.wipe(t)
			g.accept(t, c.before...)
			g.accept(t, put("/metrics/job/bystander", "kept 1\n"))
			before := g.scrape(t)
			got := g.do(t, c.send)
			if c.free {
				if got.status != 200 {
					t.Errorf("status %d, want 200; body %.300q", got.status, got.body)
				}
				return
			}
			line := firstLine(string(got.body))
			if got.status != 400 || !strings.HasPrefix(line, inconsistentPrefix) || !strings.Contains(line, c.says) {
				t.Errorf("%d %q, want 400 %s…%s", got.status, line, inconsistentPrefix, c.says)
			}
			after := g.scrape(t)
			for _, sample := range before.samples {
				if !isTime(nameOf(sample)) {
					after.serves(t, sample)
				}
			}
			if failed := failedGroups(g.groups(t)); failed != 1 {
				t.Errorf("%d groups show a failure, want 1", failed)
			}
			g.accept(t, put("/metrics/job/bystander", "kept 2\n"))
		})
	}
}

func failedGroups(groups []map[string]any) (n int) {
	for _, group := range groups {
		if group["last_push_successful"] == false {
			n++
		}
	}
	return n
}

// TestRefusalTeaches: where another group stands in the way, the body says how to delete it, and doing so
// helps.
func TestRefusalTeaches(t *testing.T) {
	g := open(t, defaultMode)
	g.wipe(t)
	const mine = "# TYPE x counter\nx 1\n"
	g.accept(t, put("/metrics/job/a/path@base64/L3Zhcg", "# TYPE x gauge\nx 1\n"))
	got := g.do(t, put("/metrics/job/b", mine))
	_, rest, found := strings.Cut(string(got.body), "DELETE '")
	address, _, _ := strings.Cut(rest, "'")
	at := strings.Index(address, g.prefix+"/metrics/job/a")
	if got.status != 400 || !found || at < 0 {
		t.Fatalf("%d %q names no DELETE of the other group", got.status, got.body)
	}
	g.accept(t, remove(strings.TrimPrefix(address[at:], g.prefix)))
	g.accept(t, put("/metrics/job/b", mine))
}
