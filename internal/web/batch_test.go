package web

import (
	"fmt"
	"strings"
	"testing"
)

func thousandLines(bad ...int) string {
	var b strings.Builder
	for i := range 1000 {
		metrics := "m 1"
		if len(bad) > 0 && (i+1 == bad[0] || i+1 == bad[1] || i+1 == bad[2]) {
			metrics = "m one"
		}
		fmt.Fprintf(&b, `{"labels":{"job":"batch","n":"%d"},"mode":"put","metrics":"%s\n"}`+"\n", i, metrics)
	}
	return b.String()
}

func TestBatchReportsBadLines(t *testing.T) {
	r := newRig(t, nil)
	answer := r.want(207, "POST", "/api/v1/push", thousandLines(7, 500, 1000)).body
	lines := strings.Split(strings.TrimSpace(answer), "\n")
	if len(lines) != 1000 {
		t.Fatalf("%d result lines", len(lines))
	}
	for i, line := range lines {
		status := 200
		if n := i + 1; n == 7 || n == 500 || n == 1000 {
			status = 400
		}
		if want := fmt.Sprintf(`{"line":%d,"status":%d`, i+1, status); !strings.HasPrefix(line, want) {
			t.Errorf("%s, want %s", line, want)
		}
	}
	if groups, _, _ := r.gateway.Totals(); groups != 997 {
		t.Errorf("%d groups are stored", groups)
	}
}

func TestBatchAtomic(t *testing.T) {
	r := newRig(t, nil)
	first := `{"labels":{"job":"a"},"metrics":"# TYPE m gauge\nm 1\n"}` + "\n"
	for _, second := range []string{
		`{"labels":{"job":"b"},"metrics":"m one\n"}`,
		`{"labels":{"job":"b"},"metrics":"# TYPE m counter\nm 1\n"}`,
		`{"labels":{"zone":"b"},"metrics":"m 1\n"}`,
		`{"labels":{"job":"b"},"mode":"patsh"}`,
	} {
		answer := r.want(400, "POST", "/api/v1/push?atomic=true", first+second).body
		if groups, _, _ := r.gateway.Totals(); groups != 0 || !strings.Contains(answer, `{"line":1,"status":424`) {
			t.Errorf("%s: %d groups, %s", second, groups, answer)
		}
	}
	r.want(200, "POST", "/api/v1/push?atomic=true", first+strings.Replace(first, `"a"`, `"b"`, 1))
	if groups, _, _ := r.gateway.Totals(); groups != 2 {
		t.Errorf("%d groups", groups)
	}
}

// Lines of one key are applied in order, each as its mode says, and a repeated one once.
func TestBatchModes(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "POST", "/api/v1/push", `{"labels":{"job":"c"},"mode":"add","metrics":"# TYPE n counter\nn 2\n","idempotency_key":"x"}
{"labels":{"job":"c"},"mode":"add","metrics":"# TYPE n counter\nn 3\n","idempotency_key":"y"}

{"labels":{"job":"p"},"mode":"put","metrics":"a 1\n"}
{"labels":{"job":"p"},"mode":"post","metrics":"b{x=\"1\"} 1\n"}
{"labels":{"job":"p"},"mode":"patch","metrics":"b{x=\"2\"} 2\n","ttl":"1h"}
`)
	page := r.want(200, "GET", "/metrics", "").body
	for _, want := range []string{
		`n{instance="",job="c"} 5`, `a{instance="",job="p"} 1`, `b{instance="",job="p",x="1"} 1`, `b{instance="",job="p",x="2"} 2`,
	} {
		if !strings.Contains(page, want+"\n") {
			t.Errorf("%s is missing in %s", want, page)
		}
	}
	r.want(403, "POST", "/api/v1/push", `{"labels":{"job":"z"},"metrics":"m 1\n"}`, "Sec-Fetch-Site: cross-site")
}
