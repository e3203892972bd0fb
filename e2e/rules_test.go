package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

const counted = "# TYPE jobs_total counter\njobs_total 1\n"

// TestRules: a plain push is taken as the rule for its group says, an option of the push goes before it
// within the rule's bounds, and what no rule matches is as with the reference.
func TestRules(t *testing.T) {
	g, _ := startWithRules(t, "rules:\n  - match: '{job=\"adds\"}'\n    mode: add\n    drop_labels: [pod]\n"+
		"  - match: '{job=\"bounded\"}'\n    max: {ttl: 1s}\n  - match: '{job=~\"loose-.*\"}'\n    text: lenient\n    timestamps: strip\n")
	send := func(path, body string) {
		t.Helper()
		if status, said := g.do(t, http.MethodPut, path, body); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, said)
		}
	}
	for _, pod := range []string{"one", "two"} {
		send("/metrics/job/adds", "# TYPE jobs_total counter\njobs_total{pod=\""+pod+"\"} 1\n")
		send("/metrics/job/plain", "# TYPE jobs_total counter\njobs_total{pod=\""+pod+"\"} 1\n")
	}
	send("/metrics/job/loose-end", "\xef\xbb\xbfstamped 3 1000\r\nlast 4")
	send("/with/ttl=30d/metrics/job/bounded", "bounded 1\n")
	g.serves(t, `jobs_total{instance="",job="adds"} 2`, `jobs_total{instance="",job="plain",pod="two"} 1`,
		`stamped{instance="",job="loose-end"} 3`, `last{instance="",job="loose-end"} 4`)
	g.lacks(t, `pod="one"`)
	if status, said := g.do(t, http.MethodPut, "/metrics/job/plain", "stamped 3 1000\n"); status != http.StatusBadRequest {
		t.Errorf("a timestamp without a rule: %d %s, want 400", status, said)
	}
	eventually(t, "the group whose ttl was bounded has left", func() bool {
		return !strings.Contains(g.page(t, "allow-utf-8"), `job="bounded"`)
	})
}

// TestReloadUnderLoad: while clients push, the rules are replaced over and over, every second time by a
// broken file. No push is refused or lost, and what a broken file says never counts.
func TestReloadUnderLoad(t *testing.T) {
	const good, broken = "rules:\n  - match: '{job=\"adds\"}'\n    mode: add\n", "rules:\n  - match: '{job=\"adds\"}'\n    mode: replace-group\n    colour: red\n"
	g, file := startWithRules(t, good)
	var pushed atomic.Int64
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for range loadClients {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				response, err := http.Post(g.url+"/metrics/job/adds", "text/plain", strings.NewReader(counted))
				if err != nil {
					t.Error(err)
					return
				}
				response.Body.Close()
				if response.StatusCode != http.StatusOK {
					t.Errorf("a push is answered %d", response.StatusCode)
					return
				}
				pushed.Add(1)
			}
		})
	}
	for round := range 10 {
		text, want := good, "1"
		if round%2 == 0 {
			text, want = broken, "0"
		}
		g.reload(t, file, text, want)
	}
	close(stop)
	clients.Wait()
	if got := integers(g.page(t, "allow-utf-8"))[`jobs_total{instance="",job="adds"}`]; int64(got) != pushed.Load() || got == 0 {
		t.Errorf("the total is %d after %d pushes", got, pushed.Load())
	}
	g.reload(t, file, "rules: []\n", "1")
	if status, said := g.do(t, http.MethodPost, "/metrics/job/adds", counted); status != http.StatusConflict {
		t.Errorf("a push once no rule says that the group adds up: %d %s, want 409", status, said)
	}
}

// startWithRules starts a gateway with a file of rules.
func startWithRules(t *testing.T, rules string) (g gateway, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	return startGateway(t, "--config.file="+file), file
}

// reload puts another file of rules in place, as an editor does, and waits until it was read.
func (g gateway) reload(t *testing.T, file, rules string, successful string) {
	t.Helper()
	if err := os.WriteFile(file+".new", []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	if err := g.command.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the rules are read", func() bool {
		return strings.Contains(g.page(t, "allow-utf-8"), "\nholdfast_config_last_reload_successful "+successful+"\n")
	})
}

// TestFreshness: a group that says how often it is pushed to is overdue once it was not, over a kill and a
// restart too, and in time again after a push. Others have no such series.
func TestFreshness(t *testing.T) {
	directory := t.TempDir()
	g := begin(t, holdfast(directory))
	push := func(path string) {
		t.Helper()
		if status, said := g.do(t, http.MethodPost, path, "x 1\n"); status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, said)
		}
	}
	is := func(job, value string) bool {
		return strings.Contains(g.page(t, "allow-utf-8"), `push_overdue{instance="",job="`+job+`"} `+value+"\n")
	}
	push("/metrics/job/without")
	push("/with/every=1h/metrics/job/daily")
	push("/with/every=1s/metrics/job/often")
	g.serves(t, `push_expected_interval_seconds{instance="",job="daily"} 3600`, `push_expected_interval_seconds{instance="",job="often"} 1`)
	g.lacks(t, `push_overdue{instance="",job="without"}`)
	eventually(t, "the group is overdue", func() bool { return is("often", "1") })
	g.end(syscall.SIGKILL)
	g = begin(t, holdfast(directory))
	if !is("often", "1") || !is("daily", "0") {
		t.Errorf("after a restart the page has\n%s", g.page(t, "allow-utf-8"))
	}
	push("/with/every=1h/metrics/job/often")
	if !is("often", "0") {
		t.Error("the group is overdue right after a push")
	}
	g.stopClean(t)
}
