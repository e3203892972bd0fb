package web

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
)

const (
	notFound   = "404 page not found\n"
	notAllowed = "Method Not Allowed\n"
)

func TestRoutes(t *testing.T) {
	r := newRig(t, func(o *Options) { o.AdminAPI = true })
	r.want(200, "POST", "/metrics/job/kept", "kept 1\n")
	for _, tt := range []struct {
		method, path string
		status       int
		body         string // "*" for any
		header       string // "Name: value", which must be there; "-Name" must not
	}{
		{"GET", "/-/healthy", 200, "OK", "Content-Type: text/plain; charset=utf-8"},
		{"GET", "/-/ready", 200, "OK", "Content-Type: text/plain; charset=utf-8"},
		{"HEAD", "/-/healthy", 405, "", "Allow: GET, OPTIONS"},
		{"GET", "/", 200, "*", "Content-Type: text/html; charset=utf-8"},
		{"GET", "/status", 200, "*", "Content-Type: text/html; charset=utf-8"},
		{"PUT", "/metrics/job/a", 200, "", "Content-Length: 0"},
		{"PUT", "/metrics/job/a", 200, "", "-Content-Type"},
		{"POST", "/metrics/job/a/", 200, "", "Content-Length: 0"},
		{"POST", "/metrics/job/a/b/", 200, "", "Content-Length: 0"},
		{"POST", "/metrics/job@base64/Zm9v/b@base64/=", 200, "", "Content-Length: 0"},
		{"DELETE", "/metrics/job/a", 202, "", "Content-Length: 0"},
		{"DELETE", "/metrics/job/unknown", 202, "", "-Content-Type"},
		{"GET", "/metrics/job/a", 405, notAllowed, "Allow: DELETE, OPTIONS, POST, PUT"},
		{"GET", "/metrics/job/a", 405, notAllowed, "X-Content-Type-Options: nosniff"},
		{"HEAD", "/metrics", 405, "", "Allow: GET, OPTIONS"},
		{"POST", "/metrics", 405, notAllowed, "Allow: GET, OPTIONS"},
		{"OPTIONS", "/metrics/job/a", 200, "", "Allow: DELETE, OPTIONS, POST, PUT"},
		{"OPTIONS", "/-/quit", 200, "", "Allow: GET, OPTIONS, POST, PUT"},
		{"OPTIONS", "*", 200, "", "Content-Length: 0"},
		{"GET", "/nothing", 404, notFound, "X-Content-Type-Options: nosniff"},
		{"GET", "/-/reload", 404, notFound, "X-Content-Type-Options: nosniff"},
		{"GET", "/favicon.ico", 404, notFound, "X-Content-Type-Options: nosniff"},
		{"GET", "/metrics/", 301, "<a href=\"/metrics\">Moved Permanently</a>.\n\n", "Location: /metrics"},
		{"GET", "/Status/", 301, "*", "Location: /status"},
		{"POST", "/Metrics/Job/Foo", 307, "", "Location: /metrics/job/Foo"},
		{"GET", "//metrics?a=b", 307, "*", "Location: /metrics?a=b"},
		{"POST", "/metrics/./job/a", 307, "*", "Location: /metrics/job/a"},
		{"POST", "/metrics/job/", 307, "", "Location: /metrics/job"},
		{"GET", "/api/v1", 307, "*", "Location: /api/v1/"},
		{"GET", "/api/v1/nothing", 404, notFound, "-Access-Control-Allow-Origin"},
		{"POST", "/api/v1/status", 405, notAllowed, "-Access-Control-Allow-Origin"},
		{"GET", "/api/v1/status/", 301, "*", "Location: /status"},
		{"OPTIONS", "/api/v1/anything", 200, "", "Access-Control-Allow-Origin: *"},
		{"OPTIONS", "/api/v1/metrics", 200, "", "Access-Control-Allow-Methods: GET"},
		{"GET", "/api/v1/metrics", 200, "*", "Access-Control-Allow-Methods: GET"},
		{"GET", "/api/v1/status", 200, "*", "Content-Type: application/json"},
		{"GET", "/static/style.css", 200, "*", "Content-Type: text/css; charset=utf-8"},
		{"GET", "/static/page.js", 200, "*", "Content-Type: application/javascript"},
		{"GET", "/static/style.css", 200, "*", "Last-Modified: Fri, 02 Jan 2026 03:04:05 GMT"},
		{"GET", "/static/index.html", 301, "*", "Location: ./"},
		{"GET", "/static/", 404, notFound, "-Last-Modified"},
		{"GET", "/static/nothing", 404, notFound, "-Last-Modified"},
		{"GET", "/debug/pprof/", 200, "*", "Content-Type: text/html; charset=utf-8"},
		{"GET", "/debug/pprof/goroutine?debug=1", 200, "*", "Content-Type: text/plain; charset=utf-8"},
		{"GET", "/debug/pprof/cmdline", 200, "*", "Content-Type: text/plain; charset=utf-8"},
		{"GET", "/debug/pprof/nothing", 404, "Unknown profile\n", "-Content-Length"},
		{"PUT", "/-/quit", 403, "Lifecycle API is not enabled.", "-X-Content-Type-Options"},
		{"GET", "/-/quit", 405, "Only POST or PUT requests allowed.", "-Allow"},
		{"PUT", "/api/v1/admin/wipe", 202, "", "-Access-Control-Allow-Origin"},
	} {
		a := r.send(tt.method, tt.path, "")
		if a.status != tt.status || tt.body != "*" && a.body != tt.body {
			t.Errorf("%s %s: %d %q, want %d %q", tt.method, tt.path, a.status, a.body, tt.status, tt.body)
		}
		if name, absent := strings.CutPrefix(tt.header, "-"); absent {
			if value := a.header.Get(name); value != "" && name != "Content-Length" {
				t.Errorf("%s %s: header %s is %q, want none", tt.method, tt.path, name, value)
			}
		} else if name, value, _ := strings.Cut(tt.header, ": "); a.header.Get(name) != value {
			t.Errorf("%s %s: header %s is %q, want %q", tt.method, tt.path, name, a.header.Get(name), value)
		}
	}
	if got := r.sample(`kept{instance="",job="kept"}`); got != "" {
		t.Errorf("after a wipe a metric is still there: %q", got)
	}
}

func TestStaticFilesAreCheap(t *testing.T) {
	r := newRig(t, nil)
	if a := r.want(206, "GET", "/static/style.css", "", "Range: bytes=0-1"); a.body != "/*" {
		t.Errorf("a range is %q", a.body)
	}
	r.want(304, "GET", "/static/style.css", "", "If-Modified-Since: Fri, 02 Jan 2026 03:04:05 GMT")
}

func TestPrefixAndExternalPath(t *testing.T) {
	for _, tt := range []struct {
		name, prefix, external, telemetry string
		ok, missing                       []string
		asset                             string
	}{
		{"none", "", "", "", []string{"/", "/metrics", "/-/healthy", "/debug/pprof/heap"}, []string{"/foo/"}, `href="./static/style.css`},
		{
			"prefix", "/foo", "", "",
			[]string{"/foo/", "/foo/metrics", "/foo/-/ready", "/foo/debug/pprof/heap", "/foo/api/v1/status", "/foo/static/page.js"},
			[]string{"/", "/metrics", "/api/v1/status"},
			`href="./static/style.css`,
		},
		{"external", "/pgw", "/pgw/", "", []string{"/pgw/", "/pgw/metrics"}, []string{"/"}, `href="/pgw/static/style.css`},
		{"external without prefix", "", "/pgw", "", []string{"/", "/metrics"}, []string{"/pgw/"}, `href="/pgw/static/style.css`},
		{"telemetry", "/foo", "", "/m", []string{"/foo/m"}, []string{"/foo/metrics", "/m"}, `href="./static/style.css`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, func(o *Options) {
				o.RoutePrefix, o.ExternalPath, o.TelemetryPath = tt.prefix, tt.external, tt.telemetry
			})
			for _, path := range tt.ok {
				r.want(200, "GET", path, "")
			}
			for _, path := range tt.missing {
				r.want(404, "GET", path, "")
			}
			r.want(200, "PUT", tt.prefix+"/metrics/job/a", "x 1\n")
			r.want(405, "GET", "/-/quit", "")
			if a := r.want(200, "GET", tt.prefix+"/", ""); !strings.Contains(a.body, tt.asset) {
				t.Errorf("the page has no %s", tt.asset)
			}
		})
	}
}

func TestImpossibleRoute(t *testing.T) {
	for _, path := range []string{"/", "/status", "metrics", "/api/v1", "/api/v1/own/"} {
		gateway, err := holdfast.New(holdfast.Options{Engine: holdfast.NewMemory()})
		if err != nil {
			t.Fatal(err)
		}
		h, err := New(Options{Gateway: gateway, Registry: prometheus.NewRegistry(), TelemetryPath: path})
		if err == nil || h != nil {
			t.Errorf("telemetry path %q: no error", path)
		}
	}
}

func TestQuit(t *testing.T) {
	asked := make(chan struct{}, 2)
	r := newRig(t, func(o *Options) { o.Lifecycle = true; o.Quit = func() { asked <- struct{}{} } })
	for _, method := range []string{"PUT", "POST"} {
		if a := r.want(200, method, "/-/quit", ""); a.body != "Requesting termination... Goodbye!" {
			t.Errorf("%s: %q", method, a.body)
		}
		<-asked
	}
	r.want(405, "GET", "/-/quit", "")
	r.want(403, "PUT", "/-/quit", "", "Sec-Fetch-Site: cross-site")
	if len(asked) > 0 {
		t.Error("a refused call began the shutdown")
	}
}

func TestNotReady(t *testing.T) {
	r := newIdleRig(t, holdfast.Options{}, func(o *Options) { o.AdminAPI = true })
	for _, call := range []string{"GET /-/ready", "GET /metrics", "PUT /metrics/job/a", "POST /metrics/job/a", "DELETE /metrics/job/a", "GET /api/v1/metrics", "PUT /api/v1/admin/wipe"} {
		method, path, _ := strings.Cut(call, " ")
		if a := r.want(503, method, path, ""); a.header.Get("Retry-After") == "" || a.body == "" {
			t.Errorf("%s: Retry-After %q, body %q", call, a.header.Get("Retry-After"), a.body)
		}
	}
	r.want(200, "GET", "/-/healthy", "")
	r.want(200, "GET", "/api/v1/status", "")
	if a := r.want(200, "GET", "/", ""); !strings.Contains(a.body, "still loading") {
		t.Error("the page does not say that the gateway is loading")
	}
}

func TestCrossSite(t *testing.T) {
	r := newRig(t, func(o *Options) { o.AdminAPI = true })
	for _, tt := range []struct {
		status int
		call   string
		header string
	}{
		{403, "DELETE /metrics/job/a", "Sec-Fetch-Site: cross-site"},
		{403, "DELETE /metrics/job/a", "Sec-Fetch-Site: same-site"},
		{403, "PUT /metrics/job/a", "Origin: http://evil.test"},
		{403, "POST /metrics/job/a", "Origin: null"},
		{403, "PUT /api/v1/admin/wipe", "Sec-Fetch-Site: cross-site"},
		{403, "PUT /-/quit", "Origin: http://evil.test"},
		{202, "DELETE /metrics/job/a", "Sec-Fetch-Site: same-origin"},
		{202, "DELETE /metrics/job/a", "Sec-Fetch-Site: none"},
		{202, "DELETE /metrics/job/a", "Origin: http://gateway.test"},
		{200, "GET /api/v1/metrics", "Sec-Fetch-Site: cross-site"},
	} {
		method, path, _ := strings.Cut(tt.call, " ")
		r.want(tt.status, method, path, "", tt.header)
	}
}
