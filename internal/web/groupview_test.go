package web

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestGroupView(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/metrics/job/a/instance/i", "# HELP g Some help.\n# TYPE g gauge\ng{l=\"v\"} 1795377451.6\n"+
		"# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 2\ns_count 3\n# TYPE h histogram\nh_bucket{le=\"0.1\"} 1\nh_bucket{le=\"0.5\"} 4\nh_sum 4\nh_count 5\n"+
		"# TYPE size_bytes gauge\nsize_bytes 1572864\n")
	r.want(200, "PUT", "/metrics/job/native", pushable(t, `name: "n" type: HISTOGRAM metric: {histogram: {sample_count: 6 sample_sum: 2
		schema: 0 zero_threshold: 0.5 zero_count: 1 negative_span: {offset: 1 length: 1} negative_delta: [2]
		positive_span: {offset: 1 length: 1} positive_delta: [3]}}`), "Content-Type: "+delimited)
	body := r.want(200, "GET", "/groups/"+idOf(r, "instance"), "").body
	has(t, body, "Some help.", label("l", "v"), `<span class="raw">1795377451.6</span> <small>1,795,377,451.6</small>`,
		"<dt>quantile 0.5</dt><dd>1</dd>", "<dt>≤ 0.1</dt><dd>1</dd>", "<dt>count</dt><dd>5</dd>", "<title>(0.1, 0.5]: 3</title>", "<title>(0.5, &#43;Inf]: 1</title>",
		`<span class="raw">1572864</span> <small>1.5 MiB</small>`, `<span class="type">histogram</span>`, "4 metric families",
		"push_time_seconds", "push_failure_time_seconds", "curl --fail-with-body -X DELETE &#39;http://gateway.test/metrics/job/a/instance/i&#39;",
		"time() - push_time_seconds{job=&#34;a&#34;,instance=&#34;i&#34;}", "alert: JobAHasNotRun", "Last push")
	body = r.want(200, "GET", "/groups/"+idOf(r, "native"), "").body
	has(t, body, "[-2,-1):2, [-0.5,0.5]:1, (1,2]:3", "<title>(1, 2]: 3</title>", `class="gap"`, "1 metric family")
	has(t, r.want(404, "GET", "/groups/"+strings.Repeat("0", 32), "").body, "No such group")
	r.want(404, "GET", "/groups/x", "")
}

func TestGroupTellsWhyItFailed(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/metrics/job/a", "# TYPE x gauge\nx 1\n")
	r.want(400, "POST", "/metrics/job/a", "x 1 1\n")
	body := r.want(200, "GET", "/groups/"+idOf(r, ""), "").body
	has(t, body, "Last push failed!", "Why the last push was refused", "timestamp")
}

func TestGroupViewIsBounded(t *testing.T) {
	r := newRig(t, nil)
	var b strings.Builder
	for i := range aloneRows + 7 {
		fmt.Fprintf(&b, "x{i=\"%d\"} 1\n", i)
	}
	r.want(200, "PUT", "/metrics/job/a", b.String())
	view := "/groups/" + idOf(r, "")
	rows := func(path string) int { return strings.Count(r.want(200, "GET", path, "").body, "<tr><td>") }
	if got := rows(view); got != familyRows {
		t.Errorf("%d rows among others, want %d", got, familyRows)
	}
	has(t, r.want(200, "GET", view, "").body, "807 more series are not shown.", `href="?family=x&amp;from=200"`)
	if got := rows(view + "?family=x"); got != aloneRows {
		t.Errorf("%d rows alone, want %d", got, aloneRows)
	}
	if got := rows(view + "?family=x&from=1000"); got != 7 {
		t.Errorf("%d rows at the end, want 7", got)
	}
	for _, from := range []string{"-5", "x", "99999999"} {
		r.want(200, "GET", view+"?family=x&from="+from, "")
	}
}

func TestValuesAreReadable(t *testing.T) {
	en := &tongue{tag: english}
	recent := float64(time.Now().Add(-3 * time.Minute).Unix())
	for _, tt := range []struct {
		family, unit string
		value        float64
		want         string
	}{
		{"a_bytes", "", 1 << 30, "1.0 GiB"},
		{"a_bytes", "", 5, ""},
		{"a_bytes_total", "", -2048, "-2.0 KiB"},
		{"a", "bytes", 1023.99 * 1024, "1.0 MiB"},
		{"a_seconds", "", 0.00025, "250 µs"},
		{"a_seconds", "", 0.25, "250 ms"},
		{"a_seconds", "", 59.5, "59.5 s"},
		{"a_seconds_total", "", 3599.6, "59 min 59 s"},
		{"a_seconds", "", 90000, "1 d 1 h"},
		{"a_seconds", "", -7200, "-2 h"},
		{"a_seconds", "", 0, ""},
		{"a_last_success_timestamp_seconds", "", 0, "never"},
		{"a_ratio", "", 0.255, "25.5 %"},
		{"a", "", 1234567, "1,234,567"},
		{"a", "", 123, ""},
	} {
		if got := en.easy(tt.value, unitOf(tt.family, tt.unit)); got != tt.want {
			t.Errorf("%s %v: %q, want %q", tt.family, tt.value, got, tt.want)
		}
	}
	if got := en.easy(recent, unitOf("a_timestamp_seconds", "")); !strings.Contains(got, " · 3 min ago") {
		t.Errorf("a moment is shown as %q", got)
	}
}
