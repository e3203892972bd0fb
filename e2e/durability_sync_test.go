package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// underStrace makes a command run under strace with the given options, which writes to a file until the
// command has ended. The command keeps its id, and the exit code is its own.
func underStrace(t *testing.T, command *exec.Cmd, file string, options ...string) *exec.Cmd {
	t.Helper()
	args := append([]string{"-D", "-f", "--seccomp-bpf", "-y", "-qq", "-o", file}, options...)
	return exec.Command(need(t, "strace", "strace"), append(args, command.Args...)...)
}

// traceOf ends a gateway under strace and returns the lines of its trace.
func traceOf(t *testing.T, g gateway, file string) []string {
	t.Helper()
	g.stopClean(t)
	trace, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(trace), "\n")
}

// A system call in a trace: begun and done on one line, or on two with those of other threads between.
var (
	callBegun = regexp.MustCompile(`^(\d+) +(read|write|fsync|fdatasync)\((\d+)<([^>]*)>(.*)`)
	callDone  = regexp.MustCompile(`^(\d+) +<\.\.\. (read|write|fsync|fdatasync) resumed>(.*)`)
)

// TestEachPushIsSynced reads in a trace that each of 100 pushes, one after the other, was answered only
// after a sync of the store's log that began after the push was read, and ended well.
func TestEachPushIsSynced(t *testing.T) {
	const pushes = 100
	directory, file := t.TempDir(), filepath.Join(t.TempDir(), "trace")
	g := begin(t, underStrace(t, holdfast(directory), file, "-s", "16", "-e", "trace=read,write,fsync,fdatasync"))
	for n := range pushes {
		if status := g.put(t, "synced", n); status != http.StatusOK {
			t.Fatalf("push %d: %d", n, status)
		}
	}
	var order syncOrder
	for _, line := range traceOf(t, g, file) {
		order.read(t, directory, line)
	}
	if order.answered != pushes {
		t.Errorf("%d pushes were answered in the trace, want %d", order.answered, pushes)
	}
	t.Logf("syncs of the log by call: %v", order.calls)
}

// syncOrder follows a trace. What a thread has begun is kept until it is done.
type syncOrder struct {
	pending  bool              // a push was read and is not answered
	synced   bool              // since then a sync has begun and ended
	begun    map[string]string // by thread: the sync in it, "" if it began before the push
	calls    map[string]int
	answered int
}

func (o *syncOrder) read(t *testing.T, directory, line string) {
	if o.begun == nil {
		o.begun, o.calls = map[string]string{}, map[string]int{}
	}
	if call := callBegun.FindStringSubmatch(line); call != nil {
		thread, name, path, rest := call[1], call[2], call[4], call[5]
		if name == "write" {
			o.reply(t, rest)
			return
		}
		if name != "read" {
			o.begun[thread] = ""
			if o.pending && strings.HasPrefix(path, directory) && strings.HasSuffix(path, ".log") {
				o.begun[thread] = name
			}
		}
		if !strings.Contains(rest, "<unfinished") {
			o.done(thread, name, rest)
		}
		return
	}
	if call := callDone.FindStringSubmatch(line); call != nil {
		o.done(call[1], call[2], call[3])
	}
}

func (o *syncOrder) done(thread, name, rest string) {
	switch name {
	case "read":
		// The server may have read the first byte before, to learn whether the client is still there.
		if strings.Contains(rest, `UT /metrics`) {
			o.pending, o.synced = true, false
		}
	case "fsync", "fdatasync":
		if o.begun[thread] == name && strings.Contains(rest, "= 0") {
			o.synced = true
			o.calls[name]++
		}
	}
}

// reply takes the begin of a write: an answer counts from its first byte.
func (o *syncOrder) reply(t *testing.T, content string) {
	if !o.pending || !strings.Contains(content, `"HTTP/1.1 `) {
		return
	}
	if !o.synced {
		t.Errorf("push %d was answered before a sync", o.answered)
	}
	o.pending = false
	o.answered++
}

// TestPushesShareSyncs delays each fdatasync by 5 ms. One client is then about as fast as the disk, and
// 64 clients are at least ten times as fast as one: their pushes share syncs.
func TestPushesShareSyncs(t *testing.T) {
	const delay = 5 * time.Millisecond
	directory, file := t.TempDir(), filepath.Join(t.TempDir(), "trace")
	g := begin(t, underStrace(t, holdfast(directory), file,
		"-T", "-e", "trace=fsync,fdatasync", "-e", fmt.Sprintf("inject=fdatasync:delay_enter=%d", delay.Microseconds())))
	// The best of short runs, since the machine may be busy with something else for a while.
	one, many := 0.0, 0.0
	for n := 0; n < 5 || n < 30 && one*delay.Seconds() < 0.8; n++ {
		one = max(one, pushRate(t, g, 1, 40))
	}
	for n := 0; n < 2 || n < 5 && many < 15*one; n++ {
		many = max(many, pushRate(t, g, 64, 50))
	}
	sync := medianSync(t, traceOf(t, g, file))
	t.Logf("a sync takes %v; 1 client: %.0f pushes/s, %.2f of 1/sync; 64 clients: %.0f pushes/s, %.1f times as many", sync, one, one*sync.Seconds(), many, many/one)
	if sync < delay {
		t.Errorf("a sync takes %v, so it was not delayed", sync)
	}
	if one*sync.Seconds() < 0.7 {
		t.Errorf("one client reaches %.2f of 1/sync, want at least 0.7", one*sync.Seconds())
	}
	if many < 10*one {
		t.Errorf("64 clients reach %.1f times the rate of one, want at least 10", many/one)
	}
}

// pushRate returns how many pushes a second clients reach that push each times to a group of its own.
func pushRate(t *testing.T, g gateway, clients, each int) float64 {
	t.Helper()
	sender := http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer sender.CloseIdleConnections()
	failed := make(chan string, clients)
	var all sync.WaitGroup
	started := time.Now()
	for c := range clients {
		all.Go(func() {
			for n := range each {
				target := fmt.Sprintf("%s/metrics/job/rate/client/%d", g.url, c)
				response, err := sender.Post(target, "text/plain", strings.NewReader(fmt.Sprintf("rate %d\n", n)))
				if err != nil {
					failed <- err.Error()
					return
				}
				response.Body.Close()
				if response.StatusCode != http.StatusOK {
					failed <- response.Status
					return
				}
			}
		})
	}
	all.Wait()
	took := time.Since(started)
	close(failed)
	for reason := range failed {
		t.Fatalf("a push failed: %s", reason)
	}
	return float64(clients*each) / took.Seconds()
}

var syncTook = regexp.MustCompile(`fdatasync.*= 0 .*<([0-9.]+)>$`)

func medianSync(t *testing.T, trace []string) time.Duration {
	t.Helper()
	var all []time.Duration
	for _, line := range trace {
		if took := syncTook.FindStringSubmatch(line); took != nil {
			seconds, err := strconv.ParseFloat(took[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, time.Duration(seconds*float64(time.Second)))
		}
	}
	if len(all) == 0 {
		t.Fatal("the trace has no fdatasync")
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// TestFailedSync lets one fdatasync fail: from then on pushes and readiness are refused, though the disk
// works again, and scrapes go on. After a restart every acknowledged push is there.
func TestFailedSync(t *testing.T) {
	directory, file := t.TempDir(), filepath.Join(t.TempDir(), "trace")
	g := begin(t, underStrace(t, holdfast(directory), file,
		"-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=40"))
	kept := 0
	for ; kept < 200; kept++ {
		if status := g.put(t, "failed", kept+1); status == http.StatusServiceUnavailable {
			break
		} else if status != http.StatusOK {
			t.Fatalf("push %d: %d, want 200 or 503", kept+1, status)
		}
	}
	if kept == 0 || kept == 200 {
		t.Fatalf("%d pushes were acknowledged, so no sync failed among them", kept)
	}
	for range 3 {
		if status := g.put(t, "failed", kept+1); status != http.StatusServiceUnavailable {
			t.Errorf("a push after the failure: %d, want 503", status)
		}
		if status := statusOf(g.url + "/-/ready"); status != http.StatusServiceUnavailable {
			t.Errorf("readiness after the failure: %d, want 503", status)
		}
	}
	g.showsOne(t, "failed", kept)
	g.end(syscall.SIGKILL)

	g = begin(t, holdfast(directory))
	page := g.page(t, "allow-utf-8")
	last := fmt.Sprintf("failed{instance=\"\",job=\"failed\"} %d\n", kept)
	next := fmt.Sprintf("failed{instance=\"\",job=\"failed\"} %d\n", kept+1) // its outcome was unknown
	if !strings.Contains(page, last) && !strings.Contains(page, next) {
		t.Errorf("push %d was acknowledged, but is not served:\n%s", kept, page)
	}
	g.stopClean(t)
}
