package web

import (
	"strings"
	"testing"
)

func TestAggregationPath(t *testing.T) {
	r := newRig(t, func(o *Options) { o.AggregationPath = "/agg" })
	const one = "# TYPE c counter\nc 1\n"
	for _, c := range []struct{ method, path, labels string }{
		{"POST", "/agg/metrics", `instance="",job="aggregated"`},
		{"PUT", "/agg/metrics/job/a", `instance="",job="a"`},
		{"POST", "/agg/metrics/team/x/job/b", `instance="",job="b",team="x"`},
		{"POST", "/agg/metrics/team/y", `instance="",job="aggregated",team="y"`},
		{"POST", "/agg/metrics/job@base64/YS9i/team/z", `instance="",job="a/b",team="z"`},
	} {
		for range 2 {
			if a := r.want(202, c.method, c.path, one); a.body != "" {
				t.Errorf("%s: answered %q", c.path, a.body)
			}
		}
		if got := r.sample("c{" + c.labels + "}"); got != "2" {
			t.Errorf("%s: c{%s} is %q, want 2", c.path, c.labels, got)
		}
	}
	for path, says := range map[string]string{
		"/agg/metrics/job/a/team":          "odd number of components",
		"/agg/metrics/team":                "odd number of components",
		"/agg/metrics/team/x/team/y":       `the label "team" twice`,
		"/agg/metrics/job/x/job@base64/YQ": `the label "job" twice`,
		"/agg/metrics/__x/y":               "improper label name",
	} {
		if a := r.want(400, "POST", path, one); !strings.Contains(a.body, says) {
			t.Errorf("%s: answered %q, want %s", path, a.body, says)
		}
	}
	r.want(409, "POST", "/metrics/job/a", one)
	r.want(202, "DELETE", "/metrics/job/a", "")
	r.want(405, "DELETE", "/agg/metrics/job/b", "")
	if a := r.want(202, "POST", "/agg/metrics/job/r", "# TYPE g gauge\ng{clearmode=\"sum\"} 1\n"); a.body != "" {
		t.Errorf("answered %q", a.body)
	}
	r.want(202, "POST", "/agg/metrics/job/r", "# TYPE g gauge\ng{clearmode=\"sum\"} 2\n")
	if got := r.sample(`g{instance="",job="r"}`); got != "3" {
		t.Errorf("the sum is %q, want 3", got)
	}
}

func TestAggregationPathIsOff(t *testing.T) {
	r := newRig(t, nil)
	r.want(404, "POST", "/agg/metrics/job/a", "# TYPE c counter\nc 1\n")
}
