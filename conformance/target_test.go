package conformance

import (
	"encoding/json"
	"flag"
	"net/http"
	"net/url"
	"os"
	"testing"
)

const targetFlag = "target"

func TestMain(m *testing.M) {
	flag.String(targetFlag, "", "base `URL` of the gateway to test; empty for one in this process")
	os.Exit(m.Run())
}

// mode names a set of recorded exchanges: what the reference does with and without UTF-8 names.
type mode string

const (
	defaultMode mode = "default"
	utf8Mode    mode = "utf8"
)

// target is a gateway under test.
type target struct {
	host   string // host:port
	prefix string // of its routes, without a trailing slash
	mode   mode
}

// open returns a target in mode m: the one that -target names if it is in that mode, else a new one in
// this process.
func open(t *testing.T, m mode) *target {
	t.Helper()
	if given := givenTarget(t); given != nil && given.mode == m {
		return given
	}
	return start(t, setup{mode: m})
}

// modes returns the modes that can be tested: both in this process, else the one of the given target.
func modes(t *testing.T) []mode {
	t.Helper()
	if given := givenTarget(t); given != nil {
		return []mode{given.mode}
	}
	return []mode{defaultMode, utf8Mode}
}

func givenTarget(t *testing.T) *target {
	t.Helper()
	base := flag.Lookup(targetFlag).Value.String()
	if base == "" {
		return nil
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		t.Fatalf("-target %q is not the URL of a gateway, such as http://127.0.0.1:9091", base)
	}
	g := &target{host: u.Host, prefix: u.Path, mode: defaultMode}
	if g.prefix == "/" {
		g.prefix = ""
	}
	var status struct {
		Data struct{ Flags map[string]string }
	}
	got := g.get(t, "/api/v1/status", nil)
	if err := json.Unmarshal(got.body, &status); got.status != http.StatusOK || err != nil {
		t.Fatalf("asking %s for its flags: status %d, %v", base, got.status, err)
	}
	if status.Data.Flags["push.enable-utf8-names"] == "true" {
		g.mode = utf8Mode
	}
	return g
}

// wipe empties the target and waits until it holds no group.
func (g *target) wipe(t *testing.T) {
	t.Helper()
	got := g.do(t, request{method: http.MethodPut, path: "/api/v1/admin/wipe"})
	if got.status != http.StatusAccepted {
		t.Fatalf("wiping the target: status %d, want 202; is its admin API enabled?", got.status)
	}
	eventually(t, "the target is empty", func() bool { return len(g.groups(t)) == 0 })
}

// groups returns the groups as the query API lists them.
func (g *target) groups(t *testing.T) []map[string]any {
	t.Helper()
	var reply struct{ Data []map[string]any }
	got := g.get(t, "/api/v1/metrics", nil)
	if err := json.Unmarshal(got.body, &reply); got.status != http.StatusOK || err != nil {
		t.Fatalf("query API: status %d, %v, body %.200q", got.status, err, got.body)
	}
	return reply.Data
}
