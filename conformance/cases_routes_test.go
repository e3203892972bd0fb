package conformance

import (
	"net/http"
	"strings"
	"testing"
)

const plainText = "text/plain; charset=utf-8"

// errorHeader is what every refusal in plain text carries.
func errorHeader() map[string]string {
	return map[string]string{"Content-Type": plainText, "X-Content-Type-Options": "nosniff"}
}

func allowing(methods string) map[string]string {
	h := errorHeader()
	h["Allow"] = methods
	return h
}

const groupMethods = "DELETE, OPTIONS, POST, PUT"

// TestRoutes holds the table of routes.
func TestRoutes(t *testing.T) {
	empty := map[string]string{"Content-Length": "0", "Content-Type": ""}
	html := map[string]string{"Content-Type": "text/html; charset=utf-8"}
	ok := map[string]string{"Content-Type": plainText}
	json := map[string]string{"Content-Type": "application/json"}
	play(t, open(t, defaultMode), []exchange{
		{name: "put", send: put("/metrics/job/foo", "x 1\n"), status: 200, header: empty},
		{name: "post", send: post("/metrics/job/foo", "x 1\n"), status: 200, header: empty},
		{name: "put base64", send: put("/metrics/job@base64/Zm9v", "x 1\n"), status: 200, header: empty},
		{name: "delete", send: remove("/metrics/job/foo"), status: 202, header: empty},
		{name: "healthy", send: get("/-/healthy"), status: 200, header: ok, body: "OK"},
		{name: "ready", send: get("/-/ready"), status: 200, header: ok, body: "OK"},
		{
			name: "quit is off", send: put("/-/quit", ""), status: 403, body: "Lifecycle API is not enabled.",
			header: map[string]string{"Content-Type": plainText, "X-Content-Type-Options": ""},
		},
		{
			name: "quit by get", send: get("/-/quit"), status: 405, body: "Only POST or PUT requests allowed.",
			header: map[string]string{"X-Content-Type-Options": "", "Allow": ""},
		},
		{name: "pprof", send: get("/debug/pprof/cmdline"), status: 200, says: commandLine(t)},
		{name: "page", send: get("/"), status: 200, header: html, says: "<!DOCTYPE html>"},
		{name: "status page", send: get("/status"), status: 200, header: html, says: "<!DOCTYPE html>"},
		{name: "missing asset", send: get("/static/nothing"), status: 404, header: errorHeader(), body: "404 page not found\n"},
		{name: "no groups", send: get("/api/v1/metrics"), status: 200, header: json, body: `{"status":"success","data":[]}`},
		{name: "options of the API", send: request{method: "OPTIONS", path: "/api/v1/metrics"}, status: 200},
		{name: "options of anything in the API", send: request{method: "OPTIONS", path: "/api/v1/nothing"}, status: 200},
		{
			name: "wipe", send: put("/api/v1/admin/wipe", ""), status: 202,
			header: map[string]string{"Content-Length": "0", "Access-Control-Allow-Origin": ""},
		},
		{name: "no reload", send: post("/-/reload", ""), status: 404, header: errorHeader(), body: "404 page not found\n"},
		{name: "no favicon", send: get("/favicon.ico"), status: 404, body: "404 page not found\n"},
		{name: "no such API", send: get("/api/v1/nothing"), status: 404, body: "404 page not found\n"},
	})
}

// commandLine is what the profile of that name shows: asked for, since it differs with the target.
func commandLine(t *testing.T) string {
	t.Helper()
	got := open(t, defaultMode).get(t, "/debug/pprof/cmdline", nil)
	if got.status != http.StatusOK || len(got.body) == 0 {
		t.Fatalf("GET /debug/pprof/cmdline: status %d, %d bytes", got.status, len(got.body))
	}
	return firstLine(string(got.body))
}

// TestRouter holds the rules for methods, unknown paths and redirects.
func TestRouter(t *testing.T) {
	to := func(path string) map[string]string { return map[string]string{"Location": path} }
	options := func(path string) request { return request{method: "OPTIONS", path: path} }
	head := func(path string) request { return request{method: "HEAD", path: path} }
	play(t, open(t, defaultMode), []exchange{
		{name: "unknown", send: get("/nothing"), status: 404, header: errorHeader(), body: "404 page not found\n"},
		{name: "get of a group", send: get("/metrics/job/a"), status: 405, header: allowing(groupMethods), body: "Method Not Allowed\n"},
		{name: "post to the scrape", send: post("/metrics", ""), status: 405, header: allowing("GET, OPTIONS"), body: "Method Not Allowed\n"},
		{name: "post to the page", send: post("/", ""), status: 405, header: allowing("GET, OPTIONS"), body: "Method Not Allowed\n"},
		{name: "post to status", send: post("/status", ""), status: 405, header: allowing("GET, OPTIONS"), body: "Method Not Allowed\n"},
		{name: "delete of quit", send: remove("/-/quit"), status: 405, header: allowing("GET, OPTIONS, POST, PUT"), body: "Method Not Allowed\n"},
		{name: "head of the scrape", send: head("/metrics"), status: 405},
		{name: "head of the page", send: head("/"), status: 405},
		{name: "head of health", send: head("/-/healthy"), status: 405},
		{name: "head of a group", send: head("/metrics/job/a"), status: 405},
		{name: "options of a group", send: options("/metrics/job/a"), status: 200, header: map[string]string{"Allow": groupMethods, "Content-Length": "0"}},
		{name: "options of the scrape", send: options("/metrics"), status: 200, header: map[string]string{"Allow": "GET, OPTIONS"}},
		{name: "options of all", send: options("*"), status: 200},
		{name: "trailing slash by get", send: get("/metrics/"), status: 301, header: to("/metrics"), says: `<a href="/metrics">Moved Permanently</a>.`},
		{name: "case by get", send: get("/Status/"), status: 301, header: to("/status"), says: `<a href="/status">Moved Permanently</a>.`},
		{name: "case by post", send: post("/Metrics/Job/FoO", "x 1\n"), status: 307, header: to("/metrics/job/FoO")},
		{name: "no job", send: post("/metrics/job/", "x 1\n"), status: 307, header: to("/metrics/job")},
		{name: "job path alone", send: put("/metrics/job", "x 1\n"), status: 404, body: "404 page not found\n"},
		{name: "double slash", send: put("/metrics/job/a//b", "x 1\n"), status: 307, header: to("/metrics/job/a/b")},
		{name: "dot", send: put("/metrics/job/a/b/./c", "x 1\n"), status: 307, header: to("/metrics/job/a/b/c")},
		{name: "dots", send: put("/metrics/job/a/b/../c?q=1", "x 1\n"), status: 307, header: to("/metrics/job/a/c?q=1")},
		{name: "double slash by get", send: get("//metrics"), status: 307, header: to("/metrics"), says: `<a href="/metrics">Temporary Redirect</a>.`},
		{name: "API root", send: get("/api/v1"), status: 307, header: to("/api/v1/"), says: `<a href="/api/v1/">Temporary Redirect</a>.`},
		{name: "bad escape", send: put("/metrics/job/%zz", "x 1\n"), status: 400, body: "400 Bad Request"},
		{name: "query", send: get("/-/healthy?name[]=x"), status: 200, body: "OK"},
		{name: "HTTP/1.0", send: request{method: "GET", path: "/-/ready", proto: "HTTP/1.0"}, status: 200, body: "OK"},
	})
}

// TestRedirectStoresNothing: what follows a redirect is up to the client.
func TestRedirectStoresNothing(t *testing.T) {
	g := open(t, defaultMode)
	g.wipe(t)
	for _, path := range []string{"/Metrics/job/a", "//metrics/job/a", "/metrics/job/a/./"} {
		if got := g.do(t, put(path, "x 1\n")); got.status != http.StatusTemporaryRedirect {
			t.Errorf("PUT %s: status %d, want 307", path, got.status)
		}
	}
	if held := g.groups(t); len(held) != 0 {
		t.Errorf("redirected pushes stored %v", held)
	}
}

// TestCrossOrigin: the two reading calls may be used by any page, what destroys may not.
func TestCrossOrigin(t *testing.T) {
	shared := map[string]string{"Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache, no-store, must-revalidate"}
	closed := map[string]string{"Access-Control-Allow-Origin": ""}
	foreign := map[string]string{"Origin": "http://elsewhere.example"}
	play(t, open(t, defaultMode), []exchange{
		{name: "read", send: with(get("/api/v1/metrics"), foreign), status: 200, header: shared, body: `{"status":"success","data":[]}`},
		{name: "preflight", send: request{method: "OPTIONS", path: "/api/v1/status", header: foreign}, status: 200, header: shared},
		{name: "unknown call", send: with(get("/api/v1/nothing"), foreign), status: 404, header: closed, body: "404 page not found\n"},
		{name: "health", send: with(get("/-/healthy"), foreign), status: 200, header: closed, body: "OK"},
	})
}

// TestForeignPages: a page of another site cannot make a browser delete anything, a script can.
func TestForeignPages(t *testing.T) {
	g := open(t, defaultMode)
	wipe := put("/api/v1/admin/wipe", "")
	for name, c := range map[string]struct {
		header map[string]string
		status int
	}{
		"script":         {nil, 202},
		"own page":       {map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://" + g.host}, 202},
		"address bar":    {map[string]string{"Sec-Fetch-Site": "none"}, 202},
		"cross-site":     {map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"same-site":      {map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		"foreign origin": {map[string]string{"Origin": "http://elsewhere.example"}, 403},
		"opaque origin":  {map[string]string{"Origin": "null"}, 403},
	} {
		for _, r := range []request{remove(groupPath), wipe} {
			g.wipe(t)
			g.accept(t, put(groupPath, "x 1\n"))
			if got := g.do(t, with(r, c.header)); got.status != c.status {
				t.Errorf("%s: %s %s: status %d, want %d", name, r.method, r.path, got.status, c.status)
			}
			if held := len(g.groups(t)); c.status == 403 && held != 1 {
				t.Errorf("%s: %s %s left %d groups, want 1", name, r.method, r.path, held)
			}
		}
	}
	preflight := g.do(t, request{method: "OPTIONS", path: "/api/v1/admin/wipe", header: map[string]string{
		"Origin": "http://elsewhere.example", "Access-Control-Request-Method": "PUT",
	}})
	if methods := preflight.header.Get("Access-Control-Allow-Methods"); strings.ContainsAny(methods, "DU") {
		t.Errorf("a preflight offers %q", methods)
	}
}
