package e2e

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var (
	expiryGroups = flag.Int("expiry-groups", 20000, "how many groups expire in the same second in TestExpiry")
	expiryTTL    = flag.Duration("expiry-ttl", 0, "the time to live of the first group in TestExpiry; 0 is what filling needs")
	expiryWithin = flag.Duration("expiry-within", 20*time.Second, "how long after its deadline the last group may still be scraped; the aim is 1s")
)

// renewed is how many of the groups are pushed to again, with more time, before they expire.
const renewed = 100

// TestExpiry fills a gateway with groups whose deadlines all fall into one second, kills and restarts it,
// and scrapes it on and on: all are there before their time, and none is a little later. Those that were
// renewed stay, and after another restart nothing has come back.
func TestExpiry(t *testing.T) {
	directory := t.TempDir()
	x := &expiring{http: http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: loadClients}}}
	x.gateway = begin(t, holdfast(directory))
	x.choose(t)
	x.fill(t, 0, *expiryGroups, x.due)
	t.Logf("%d groups in %v, due in %v", *expiryGroups, time.Since(x.begun).Round(time.Millisecond), time.Until(x.due).Round(time.Millisecond))
	x.end(syscall.SIGKILL)
	x.gateway = begin(t, holdfast(directory))
	x.fill(t, 0, renewed, x.due.Add(time.Hour))
	if time.Until(x.due) < 0 {
		t.Fatalf("the gateway was not back before the deadline of %v; take a longer -expiry-ttl", x.due)
	}
	x.watch(t)
	x.end(syscall.SIGKILL)
	x.gateway = begin(t, holdfast(directory))
	if left := x.count(t); left != renewed {
		t.Errorf("%d groups after a restart, want the %d that were renewed", left, renewed)
	}
	x.stopClean(t)
}

type expiring struct {
	gateway
	http       http.Client
	begun, due time.Time
}

// choose sets the deadline: as the flag says, or such that there is ample time to fill the gateway, by
// what a twentieth of it takes.
func (x *expiring) choose(t *testing.T) {
	t.Helper()
	begun := time.Now()
	ttl := *expiryTTL
	if ttl == 0 {
		x.fill(t, 0, *expiryGroups/20, begun.Add(time.Hour))
		ttl = 30*time.Since(begun) + 5*time.Second
	}
	x.begun = time.Now()
	x.due = x.begun.Add(ttl)
}

// fill pushes groups that all are due at a time.
func (x *expiring) fill(t *testing.T, from, to int, due time.Time) {
	t.Helper()
	var next atomic.Int64
	next.Store(int64(from))
	var clients sync.WaitGroup
	for range loadClients {
		clients.Go(func() {
			for i := next.Add(1) - 1; i < int64(to); i = next.Add(1) - 1 {
				if err := x.push(i, due); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	clients.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

func (x *expiring) push(i int64, due time.Time) error {
	path := fmt.Sprintf("%s/with/ttl=%dms/metrics/job/expiring/number/%d", x.url, time.Until(due).Milliseconds(), i)
	request, err := http.NewRequest(http.MethodPut, path, strings.NewReader("of_a_while 1\n"))
	if err != nil {
		return err
	}
	response, err := x.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if said, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("PUT %s: %d %s %w", path, response.StatusCode, said, err)
	}
	return nil
}

// count scrapes, and returns how many of the groups are on the page.
func (x *expiring) count(t *testing.T) int {
	t.Helper()
	return strings.Count(x.page(t, "allow-utf-8"), "\nof_a_while{")
}

// watch scrapes as five Prometheus of one second would, until all are gone.
func (x *expiring) watch(t *testing.T) {
	t.Helper()
	// Milliseconds are cut off, and a push takes a moment: a deadline is between a millisecond before due
	// and what the slowest push took after it.
	early := x.due.Add(-time.Millisecond)
	before, between := 0, 0
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		begun := time.Now()
		left := x.count(t)
		ended := time.Now()
		switch late := begun.Sub(x.due); {
		case ended.Before(early):
			if before++; left != *expiryGroups {
				t.Fatalf("%d groups %v before the deadline, want %d", left, x.due.Sub(ended), *expiryGroups)
			}
		case left == renewed:
			t.Logf("%d of %d groups are gone from a scrape begun %v after their deadline; %d scrapes before it, %d between",
				*expiryGroups-renewed, *expiryGroups, late.Round(time.Millisecond), before, between)
			if before == 0 {
				t.Error("no scrape ended before the deadline")
			}
			return
		case late > *expiryWithin:
			t.Fatalf("%d groups %v after the deadline, want %d", left, late, renewed)
		default:
			between++
		}
	}
}
