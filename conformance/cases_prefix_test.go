package conformance

import (
	"strings"
	"testing"
)

// TestPrefixes holds the four combinations of route prefix and external URL. They need flags of their
// own, so they run in this process whatever the target is.
func TestPrefixes(t *testing.T) {
	for _, c := range []struct {
		name   string
		setup  setup
		assets string // how links to assets start
		paths  map[string]int
	}{
		{"none", setup{}, "./static/", map[string]int{"/": 200, "/metrics": 200, "/foo": 404}},
		{
			"prefix",
			setup{prefix: "/foo"},
			"./static/",
			map[string]int{"/foo/": 200, "/foo/metrics": 200, "/foo/status": 200, "/foo/-/ready": 200, "/foo/api/v1/metrics": 200, "/foo": 301, "/": 404, "/metrics": 404},
		},
		{"external", setup{prefix: "/pgw", externalPath: "/pgw"}, "/pgw/static/", map[string]int{"/pgw/": 200, "/pgw/metrics": 200, "/": 404}},
		{"both", setup{externalPath: "/pgw"}, "/pgw/static/", map[string]int{"/": 200, "/metrics": 200, "/pgw/": 404}},
		{"telemetry path", setup{prefix: "/foo", telemetryPath: "/m"}, "./static/", map[string]int{"/foo/m": 200, "/foo/metrics": 404}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := start(t, c.setup)
			g.accept(t, put("/metrics/job/a", "x 1\n"))
			page := string(g.get(t, "/", nil).body)
			if !strings.Contains(page, `"`+c.assets) {
				t.Errorf("the page links no asset below %s:\n%.1000s", c.assets, page)
			}
			bare := *g
			bare.prefix = ""
			for path, want := range c.paths {
				if got := bare.get(t, path, nil); got.status != want {
					t.Errorf("GET %s: status %d, want %d", path, got.status, want)
				}
			}
		})
	}
}

// TestQuitUnderPrefix: reading the lifecycle call is refused without the prefix too, in the reference.
func TestQuitUnderPrefix(t *testing.T) {
	g := start(t, setup{prefix: "/foo"})
	g.prefix = ""
	got := g.get(t, "/-/quit", nil)
	if got.status != 405 || string(got.body) != "Only POST or PUT requests allowed." {
		t.Errorf("GET /-/quit: %d %q", got.status, got.body)
	}
}

// TestQuit: the answer comes first, then the shutdown begins.
func TestQuit(t *testing.T) {
	for _, method := range []string{"PUT", "POST"} {
		asked := make(chan struct{}, 1)
		g := start(t, setup{lifecycle: true, quit: func() { asked <- struct{}{} }})
		got := g.do(t, text(method, "/-/quit", ""))
		if got.status != 200 || string(got.body) != "Requesting termination... Goodbye!" {
			t.Errorf("%s /-/quit: %d %q", method, got.status, got.body)
		}
		eventually(t, "the shutdown begins", func() bool { return len(asked) == 1 })
	}
}

// TestWipeIsOff: without the admin API there is no such path.
func TestWipeIsOff(t *testing.T) {
	g := start(t, setup{noAdmin: true})
	g.accept(t, put("/metrics/job/a", "x 1\n"))
	for _, method := range []string{"PUT", "POST", "GET", "DELETE"} {
		if got := g.do(t, text(method, "/api/v1/admin/wipe", "")); got.status != 404 {
			t.Errorf("%s: status %d, want 404", method, got.status)
		}
	}
	if held := g.groups(t); len(held) != 1 {
		t.Errorf("%d groups are left, want 1", len(held))
	}
}

// TestUnchecked: pushes are answered with 202, and what clashes never fails a scrape.
func TestUnchecked(t *testing.T) {
	g := start(t, setup{unchecked: true})
	for _, r := range []request{
		put("/metrics/job/a", "# TYPE x counter\nx 1\n"),
		put("/metrics/job/b", "# TYPE x gauge\nx 1\n"),
		put("/metrics/job/c", "# TYPE x gauge\nx 1\ny 1\n"),
	} {
		if got := g.do(t, r); got.status != 202 || len(got.body) != 0 {
			t.Errorf("PUT %s: %d %q, want 202 and nothing", r.path, got.status, got.body)
		}
	}
	g.scrape(t).serves(t, `y{instance="",job="c"} 1`, `x{instance="",job="c"} 1`, "# TYPE x gauge",
		`push_time_seconds{instance="",job="a"} T`)
	if got := g.do(t, put("/metrics/job/d", "x 1 1000\n")); got.status != 400 {
		t.Errorf("a timestamp: status %d, want 400", got.status)
	}
	if got := g.do(t, put("/metrics/job/e", "x")); got.status != 400 {
		t.Errorf("a parse error: status %d, want 400", got.status)
	}
}
