package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast"
)

func TestOptionPrefix(t *testing.T) {
	for _, prefix := range []string{"", "/foo"} {
		r := newRig(t, func(o *Options) { o.RoutePrefix, o.TelemetryPath = prefix, "/metrics" })
		scrape := func(series string) string {
			for line := range strings.Lines(r.want(200, "GET", prefix+"/metrics", "").body) {
				if value, found := strings.CutPrefix(line, series+" "); found {
					return strings.TrimSpace(value)
				}
			}
			return ""
		}
		with := prefix + "/with/every=24h,ttl=7d/metrics/job"
		r.want(200, "PUT", with+"/a/zone/eu", "x 1\n")
		r.want(200, "POST", with+"@base64/YS9i/zone@base64/=", "x 2\n")
		if got := scrape(`x{instance="",job="a",zone="eu"}`); got != "1" {
			t.Errorf("prefix %q: x is %q, want 1", prefix, got)
		}
		if got := scrape(`push_expected_interval_seconds{instance="",job="a/b",zone=""}`); got != "86400" {
			t.Errorf("prefix %q: the expected interval is %q, want 86400", prefix, got)
		}
		r.want(202, "DELETE", with+"/a/zone/eu", "")
		if got := scrape(`x{instance="",job="a",zone="eu"}`); got != "" {
			t.Errorf("prefix %q: x is %q, want it deleted", prefix, got)
		}
	}
}

func TestOptionPrefixRefuses(t *testing.T) {
	r := newRig(t, nil)
	for _, tt := range []struct {
		method, path string
		status       int
		part         string // of the body
	}{
		{"PUT", "/with/tll=1s/metrics/job/a", 400, "unknown option"},
		{"PUT", "/with//metrics/job/a", 400, "unknown option"},
		{"PUT", "/with/ttl=1s/metrics/job/", 400, "empty part"},
		{"PUT", "/with/ttl=1s//metrics/job/a", 404, "in front of a grouping key"},
		{"PUT", "/with/ttl=1s/metrics/job/a/zone//b/c", 400, "@base64/="},
		{"PUT", "/with/ttl=1s/metrics/job/a/../b", 400, ". or .."},
		{"PUT", "/with/ttl=1s/metrics/job", 404, "in front of a grouping key"},
		{"GET", "/with/ttl=1s/metrics", 404, "in front of a grouping key"},
		{"GET", "/with/ttl=1s", 404, "in front of a grouping key"},
		{"PUT", "/with/ttl=1s/with/ttl=2s/metrics/job/a", 404, "in front of a grouping key"},
		{"GET", "/with/ttl=1s/metrics/job/a", 405, ""},
		{"PUT", "/with", 404, ""},
	} {
		if a := r.want(tt.status, tt.method, tt.path, "x 1\n"); !strings.Contains(a.body, tt.part) {
			t.Errorf("%s %s: body %q, want %q in it", tt.method, tt.path, a.body, tt.part)
		}
	}
	if a := r.want(200, "GET", "/metrics", ""); strings.Contains(a.body, `job="`) {
		t.Error("a refused push left something behind")
	}
}

func TestStripAndLenient(t *testing.T) {
	r := newRig(t, nil)
	const text = "\ufeff# TYPE x gauge\r\nx 1 1700000000000\r\ny 2"
	r.want(400, "PUT", "/metrics/job/a", text)
	r.want(400, "PUT", "/with/text=lenient/metrics/job/a", text)
	r.want(400, "PUT", "/with/timestamps=strip/metrics/job/a", text)
	r.want(200, "PUT", "/with/timestamps=strip,text=lenient/metrics/job/a", text)
	if got := r.sample(`x{instance="",job="a"}`); got != "1" {
		t.Errorf("x is %q, want 1 without a timestamp", got)
	}
	if got := r.sample(`y{instance="",job="a"}`); got != "2" {
		t.Errorf("y is %q, want 2", got)
	}
}

func TestPatchPaths(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PATCH", "/metrics/job/a", "x 1\n")
	r.want(200, "PATCH", "/metrics/job@base64/Yi9j/zone/eu", "x 2\n")
	r.want(200, "PATCH", "/with/ttl=1h/metrics/job/d/", "x 3\n")
	for series, want := range map[string]string{
		`x{instance="",job="a"}`: "1", `x{instance="",job="b/c",zone="eu"}`: "2", `x{instance="",job="d"}`: "3",
		`pushgateway_http_requests_total{code="200",handler="push",method="patch"}`: "3",
	} {
		if got := r.sample(series); got != want {
			t.Errorf("%s is %q, want %s", series, got, want)
		}
	}
	r.want(400, "PATCH", "/metrics/job/a/odd", "x 1\n")
	r.want(307, "PATCH", "/metrics/job/a/zone//", "x 1\n")
	r.want(405, "PATCH", "/metrics", "")
	r.want(403, "PATCH", "/metrics/job/a", "x 1\n", "Sec-Fetch-Site: cross-site")
}

func TestIdempotencyKey(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/metrics/job/a", "x 1\n", "Idempotency-Key: k")
	r.want(200, "PUT", "/metrics/job/a", "x 2\n")
	r.want(200, "PUT", "/metrics/job/a", "x 1\n", "Idempotency-Key: k")
	if got := r.sample(`x{instance="",job="a"}`); got != "2" {
		t.Errorf("x is %q, want 2: the repeat is not to be applied", got)
	}
	a := r.want(400, "PUT", "/metrics/job/a", "x 3\n", "Idempotency-Key: "+strings.Repeat("k", 257))
	if !strings.Contains(a.body, "Idempotency-Key header has 257 bytes") {
		t.Errorf("body %q does not name the header", a.body)
	}
}

// The age of a push reaches the judgement whether it was added before, alone and in a batch.
func TestIdempotencyAge(t *testing.T) {
	r := newRig(t, nil)
	for age, want := range map[string]int{"0": 200, "29": 200, "30": 409, "4294967296": 409, "-1": 400, "1.5": 400, "4294967297": 400, "soon": 400} {
		r.want(want, "POST", "/with/mode=add/metrics/job/a", "# TYPE n counter\nn 1\n", "Idempotency-Key: "+age, "Idempotency-Age: "+age)
	}
	line := `{"labels":{"job":"a"},"mode":"add","metrics":"# TYPE n counter\nn 1\n","idempotency_key":"KEY"}` + "\n"
	old := strings.ReplaceAll(line, "KEY", "other")
	known := strings.ReplaceAll(line, "KEY", "29")
	if a := r.want(207, "POST", "/api/v1/push", old+known, "Idempotency-Age: 30"); !strings.Contains(a.body, `{"line":1,"status":409,`) {
		t.Errorf("answer %s", a.body)
	}
	r.want(400, "POST", "/api/v1/push", old, "Idempotency-Age: soon")
	if got := r.sample(`n{instance="",job="a"}`); got != "2" {
		t.Errorf("n is %q, want 2", got)
	}
}

// A rule counts where the client says nothing, within its bounds, and before the body is read.
func TestRules(t *testing.T) {
	r := newRig(t, nil)
	selector, err := holdfast.ParseSelector(`{job="a"}`)
	if err != nil {
		t.Fatal(err)
	}
	r.gateway.SetRules(holdfast.NewRules(holdfast.Rule{
		Match: []holdfast.Selector{selector},
		Terms: holdfast.Terms{Every: new(time.Hour), Lenient: new(true)},
		Every: holdfast.Bounds{Max: new(24 * time.Hour)},
	}))
	r.want(200, "PUT", "/metrics/job/a", "x 1")
	r.want(400, "PUT", "/metrics/job/b", "x 1")
	r.want(400, "PUT", "/with/text=strict/metrics/job/a", "x 1")
	const expected = `push_expected_interval_seconds{instance="",job="a"}`
	if got := r.sample(expected); got != "3600" {
		t.Errorf("the expected interval is %q, want that of the rule", got)
	}
	r.want(200, "PUT", "/with/every=7d/metrics/job/a", "x 1")
	if got := r.sample(expected); got != "86400" {
		t.Errorf("the expected interval is %q, want the bound of the rule", got)
	}
}

func TestExpiryList(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/with/ttl=2h/metrics/job/later", "x 1\n")
	r.want(200, "PUT", "/with/ttl=30m/metrics/job/sooner", "x 1\n")
	r.want(200, "PUT", "/metrics/job/ever", "x 1\n")
	for query, want := range map[string][]string{
		"":                   {"sooner"},
		"?within=1d":         {"sooner", "later"},
		"?within=1d&limit=1": {"sooner"},
		"?within=0":          {},
	} {
		var answer struct {
			Data struct {
				Count  int
				Groups []struct {
					Labels  map[string]string
					Expires time.Time
				}
			}
		}
		if err := json.Unmarshal([]byte(r.want(200, "GET", "/api/v1/expiry"+query, "").body), &answer); err != nil {
			t.Fatal(err)
		}
		jobs := []string{}
		for _, g := range answer.Data.Groups {
			jobs = append(jobs, g.Labels["job"])
			if left := time.Until(g.Expires); left <= 0 || left > 2*time.Hour {
				t.Errorf("%s: %s leaves in %s", query, g.Labels["job"], left)
			}
		}
		if !slices.Equal(jobs, want) || strings.Contains(query, "1d") && answer.Data.Count != 2 {
			t.Errorf("%q: got %v of %d, want %v", query, jobs, answer.Data.Count, want)
		}
	}
	if a := r.want(400, "GET", "/api/v1/expiry?within=soon", ""); !strings.Contains(a.body, "parameter within") {
		t.Errorf("body %q does not name the parameter", a.body)
	}
}

// A 503 says that nothing was kept only where that is sure.
func TestKeptIsSaid(t *testing.T) {
	r := newIdleRig(t, holdfast.Options{}, nil)
	if a := r.want(503, "PUT", "/metrics/job/a", "x 1\n"); a.header.Get("Idempotency-Kept") != "no" {
		t.Errorf("while it loads: %v", a.header)
	}
	answer := httptest.NewRecorder()
	unknown := func(http.ResponseWriter, *http.Request) error { return &holdfast.Refusal{Kind: holdfast.Unknown} }
	r.site.reply(unknown)(answer, httptest.NewRequest(http.MethodPut, "/metrics/job/a", nil))
	if kept, said := answer.Header()["Idempotency-Kept"]; said || answer.Code != 503 {
		t.Errorf("with an unknown outcome: %d, %q", answer.Code, kept)
	}
}
