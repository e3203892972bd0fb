package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
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

// spooler pushes with the command line through one spool. Each lane pushes one after the other; each push
// adds 1 in a group of its own.
type spooler struct {
	address   string // of the gateway, where nobody else listens while it is away
	directory string
	mode      string // command that pushes
	lanes     []spoolLane
}

type spoolLane struct {
	number int   // of pushes so far
	kept   []int // those whose command ended with exit code 0
}

func newSpooler(t *testing.T, lanes int) *spooler {
	t.Helper()
	// Whoever asks for any port gets one of 127.0.0.1.
	address := fmt.Sprintf("127.%d.%d.%d:9091", 10+rand.N(200), rand.N(200), 1+rand.N(200))
	return &spooler{address: address, directory: t.TempDir(), mode: "add", lanes: make([]spoolLane, lanes)}
}

// command is the next push of a lane.
func (s *spooler) command(lane int, timeout string) *exec.Cmd {
	l := &s.lanes[lane]
	l.number++
	return exec.Command(os.Getenv(binaryVariable), s.mode, "--url=http://"+s.address, "--spool="+s.directory, "--push-timeout="+timeout,
		fmt.Sprintf("--job=lane%d", lane), fmt.Sprintf("--label=n=%d", l.number), "--type=counter", "runs_total 1")
}

// push makes the next push of a lane and returns what it said. It must end with exit code 0.
func (s *spooler) push(t *testing.T, lane int, timeout string) string {
	t.Helper()
	said, err := s.command(lane, timeout).CombinedOutput()
	if err != nil {
		t.Errorf("lane %d: %v: %s", lane, err, said)
	}
	l := &s.lanes[lane]
	l.kept = append(l.kept, l.number)
	return string(said)
}

// waiting returns how many pushes wait on disk.
func (s *spooler) waiting(t *testing.T) int {
	t.Helper()
	files, err := filepath.Glob(s.directory + "/*/*.push")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

func (s *spooler) gateway(t *testing.T, store string) gateway {
	t.Helper()
	return begin(t, holdfast(store, "--web.listen-address="+s.address))
}

var (
	laneRuns  = regexp.MustCompile(`(?m)^runs_total\{instance="",job="lane(\d+)",n="(\d+)"\} (\S+)$`)
	laneTimes = regexp.MustCompile(`(?m)^push_time_seconds\{instance="",job="lane(\d+)",n="(\d+)"\} (\S+)$`)
)

// byLane returns what a pattern finds on a page: value by lane and number.
func byLane(t *testing.T, pattern *regexp.Regexp, page string) map[[2]int]float64 {
	t.Helper()
	found := map[[2]int]float64{}
	for _, line := range pattern.FindAllStringSubmatch(page, -1) {
		lane, _ := strconv.Atoi(line[1])   // digits by the pattern
		number, _ := strconv.Atoi(line[2]) // likewise
		value, err := strconv.ParseFloat(line[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		found[[2]int{lane, number}] = value
	}
	return found
}

// check looks whether each push that was kept is there, each that is there counted once, and whether
// those of a lane arrived in order. It returns how many are there.
func (s *spooler) check(t *testing.T, page string) int {
	t.Helper()
	runs, times := byLane(t, laneRuns, page), byLane(t, laneTimes, page)
	for lane := range s.lanes {
		for _, number := range s.lanes[lane].kept {
			if _, found := runs[[2]int{lane, number}]; !found {
				t.Errorf("lane %d: push %d is lost", lane, number)
			}
		}
		last := 0.0
		for number := range s.lanes[lane].number + 1 {
			at := [2]int{lane, number}
			value, found := runs[at]
			if !found {
				continue
			}
			if value != 1 {
				t.Errorf("lane %d: push %d counted %v times", lane, number, value)
			}
			if times[at] < last {
				t.Errorf("lane %d: push %d came before one that was made earlier", lane, number)
			}
			last = times[at]
		}
	}
	return len(runs)
}

// TestSpool: 500 pushes that were made while the gateway was away arrive exactly once, in order, with the
// first push after its return.
func TestSpool(t *testing.T) {
	s := newSpooler(t, 4)
	const each = 125
	var lanes sync.WaitGroup
	for lane := range s.lanes {
		lanes.Go(func() {
			for range each {
				if said := s.push(t, lane, "10ms"); !strings.HasPrefix(said, "holdfast: not delivered yet, the push waits in ") {
					t.Errorf("lane %d: the command said %q", lane, said)
				}
			}
		})
	}
	lanes.Wait()
	if n := s.waiting(t); n != 4*each {
		t.Errorf("%d pushes wait, want %d", n, 4*each)
	}
	g := s.gateway(t, t.TempDir())
	start := time.Now()
	if said := s.push(t, 0, "60s"); said != "" {
		t.Errorf("after the return the command said %q", said)
	}
	t.Logf("%d pushes were sent within %v", 4*each+1, time.Since(start).Round(time.Millisecond))
	if n := s.check(t, g.page(t, "allow-utf-8")); n != 4*each+1 || s.waiting(t) != 0 {
		t.Errorf("%d pushes arrived, %d wait", n, s.waiting(t))
	}
	g.stopClean(t)
}

// TestSpoolCutOff: the gateway is killed in the middle of the replay, once before it carries a request
// out, and once after that but before its answer is seen.
func TestSpoolCutOff(t *testing.T) {
	spooled := newSpooler(t, 1)
	const before = 40 // the first is sent alone, the others in a batch
	for range before {
		spooled.push(t, 0, "10ms")
	}
	for at := 1; at <= 2; at++ {
		for _, carriedOut := range []bool{false, true} {
			t.Run(fmt.Sprintf("request %d, carried out %v", at, carriedOut), func(t *testing.T) {
				s, store := &spooler{spooled.address, t.TempDir(), spooled.mode, slices.Clone(spooled.lanes)}, t.TempDir()
				if err := os.CopyFS(s.directory, os.DirFS(spooled.directory)); err != nil {
					t.Fatal(err)
				}
				g := begin(t, holdfast(store))
				command := s.command(0, "60s")
				started := make(chan struct{})
				cut := cutOff(t, g, s.address, at, carriedOut, func() {
					<-started
					_ = command.Process.Signal(syscall.SIGTERM) // it need not wait for another gateway
				})
				s.start(t, command, started)
				cut.Close()
				left := s.waiting(t)
				if left != before+2-at {
					t.Errorf("%d wait after the cut", left)
				}
				g = s.gateway(t, store)
				s.push(t, 0, "60s")
				if n := s.check(t, g.page(t, "allow-utf-8")); n != before+2 || s.waiting(t) != 0 {
					t.Errorf("%d pushes arrived, %d wait", n, s.waiting(t))
				}
				g.stopClean(t)
			})
		}
	}
}

// start runs the push of the first lane that is cut off; it must wait, and end with exit code 0.
func (s *spooler) start(t *testing.T, command *exec.Cmd, started chan<- struct{}) {
	t.Helper()
	var said strings.Builder
	command.Stderr = &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	close(started)
	if err := command.Wait(); err != nil || !strings.Contains(said.String(), "not delivered yet") {
		t.Errorf("%v: %s", err, said.String())
	}
	s.lanes[0].kept = append(s.lanes[0].kept, s.lanes[0].number)
}

// cutOff stands in front of a gateway, and kills it at a request, before anything else happens then.
func cutOff(t *testing.T, g gateway, address string, at int, carriedOut bool, then func()) *httptest.Server {
	t.Helper()
	target, err := url.Parse(g.url)
	if err != nil {
		t.Fatal(err)
	}
	requests := 0
	var lock sync.Mutex
	onward := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lock.Lock()
		defer lock.Unlock()
		if requests++; requests < at {
			onward.ServeHTTP(w, r)
			return
		}
		if requests == at && carriedOut {
			onward.ServeHTTP(httptest.NewRecorder(), r)
		}
		if requests == at {
			g.end(syscall.SIGKILL)
			then()
		}
		panic(http.ErrAbortHandler)
	}))
	server.Listener.Close()
	if server.Listener, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// TestSpoolKilled: commands that share a spool are killed at any point, and the gateway too. What a
// command that ended well has pushed is there once, what a killed one has pushed at most once, in order.
func TestSpoolKilled(t *testing.T) {
	s, store := newSpooler(t, 3), t.TempDir()
	const rounds = 6
	for round := range rounds {
		end := func() {}
		if round%2 == 1 {
			g := s.gateway(t, store)
			end = func() { g.end(syscall.SIGKILL) }
		}
		var lanes sync.WaitGroup
		for lane := range s.lanes {
			lanes.Go(func() { s.pushKilled(t, lane, 12) })
		}
		lanes.Wait()
		end()
	}
	g := s.gateway(t, store)
	s.push(t, 0, "60s")
	made := 0
	for _, l := range s.lanes {
		made += l.number
	}
	t.Logf("%d of %d pushes arrived", s.check(t, g.page(t, "allow-utf-8")), made)
	if n := s.waiting(t); n != 0 {
		t.Errorf("%d wait", n)
	}
	g.stopClean(t)
}

// pushKilled makes pushes of a lane and kills most of the commands after a random time.
func (s *spooler) pushKilled(t *testing.T, lane, pushes int) {
	for range pushes {
		command := s.command(lane, "500ms")
		if err := command.Start(); err != nil {
			t.Error(err)
			return
		}
		kill := time.AfterFunc(rand.N(200*time.Millisecond), func() { _ = command.Process.Kill() })
		err := command.Wait()
		kill.Stop()
		if l := &s.lanes[lane]; err == nil {
			l.kept = append(l.kept, l.number)
		}
	}
}
