package web

import (
	"fmt"
	"strings"
	"testing"

	"holdfast"
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

// What is wrong with a line is said, kept from harming others, and listed among the refused pushes.
func TestBatchSaysWhatIsWrong(t *testing.T) {
	for line, want := range map[string]string{
		`{"labels":{"job":"b"}} {}`:                                                   "goes on after its JSON object",
		`{"labels":{"job":"b"},"metric":"m 1\n"}`:                                     "unknown field",
		"{\"labels\":{\"job\":\"\xff\"}}":                                             "not UTF-8",
		`{"labels":{"zone":"b"}}`:                                                     "job name is required",
		`{"labels":{"job":"b","a-b":"c"}}`:                                            "improper label name",
		`{"labels":{"job":"b"},"ttl":"1h,mode=add"}`:                                  "ttl is a duration",
		`{"labels":{"job":"b"},"ttl":"soon"}`:                                         "option ttl",
		`{"labels":{"job":"b"},"mode":"merge"}`:                                       "none of put, post, patch, add",
		`{"labels":{"job":"b"},"metrics":"m{ 1\n"}`:                                   "hint: ",
		`{"labels":{"job":"b"},"metrics":"holdfast_m 1\n"}`:                           "reserved",
		`{"labels":{"job":"b"},"metrics":"# TYPE m counter\nm 1\n"}`:                  "inconsistent",
		`{"labels":{"job":"b"},"idempotency_key":"` + fmt.Sprintf("%0257d", 0) + `"}`: "over the limit of 256",
	} {
		r := newRig(t, nil)
		answer := r.want(207, "POST", "/api/v1/push", `{"labels":{"job":"a"},"metrics":"# TYPE m gauge\nm 1\n"}`+"\n"+line).body
		bad, found := strings.CutPrefix(answer, `{"line":1,"status":200}`+"\n"+`{"line":2,"status":400,"error":`)
		if !found || !strings.Contains(bad, want) {
			t.Errorf("%s: %s, want %s", line, answer, want)
		}
		var reply failuresReply
		if r.getJSON("/api/v1/failures", &reply); len(reply.Failures) != 1 || reply.Failures[0].Code != 400 {
			t.Errorf("%s: listed are %+v", line, reply.Failures)
		}
	}
}

// Where a limit refuses a whole batch, its code and when to try again stand at the answer.
func TestBatchOverALimit(t *testing.T) {
	r := newIdleRig(t, holdfast.Options{Limits: holdfast.Limits{Groups: 1}}, nil)
	r.run()
	two := `{"labels":{"job":"a"},"metrics":"m 1\n"}` + "\n" + `{"labels":{"job":"b"},"metrics":"m 1\n"}`
	answer := r.want(429, "POST", "/api/v1/push?atomic=true", two)
	if answer.header.Get("Retry-After") == "" || !strings.Contains(answer.body, `{"line":1,"status":424`) {
		t.Errorf("%+v", answer)
	}
	r.want(207, "POST", "/api/v1/push", two)
}

// A refused line leaves its failure time where a refused push would, and in a whole batch nothing.
func TestBatchNotesFailures(t *testing.T) {
	r := newRig(t, nil)
	bad := `{"labels":{"job":"b"},"metrics":"holdfast_m 1\n"}`
	r.want(400, "POST", "/api/v1/push?atomic=true", bad)
	const failed = `push_failure_time_seconds{instance="",job="b"} `
	if page := r.want(200, "GET", "/metrics", "").body; strings.Contains(page, failed) {
		t.Errorf("a whole batch left %s", page)
	}
	r.want(207, "POST", "/api/v1/push", bad)
	if page := r.want(200, "GET", "/metrics", "").body; !strings.Contains(page, failed+"1") {
		t.Errorf("no failure time in %s", page)
	}
}
