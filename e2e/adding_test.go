package e2e

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var addRounds = flag.Int("add-rounds", 3, "how many rounds of 1,000 pushes TestAddsExactlyOnce has")

const (
	adders   = 32
	addsEach = 1000 // pushes of a round
	addPath  = "/with/mode=add/metrics/job/total"
	addBody  = "# TYPE jobs_total counter\njobs_total 1\n# TYPE took_seconds histogram\n" +
		"took_seconds_bucket{le=\"1\"} 1\ntook_seconds_bucket{le=\"+Inf\"} 2\ntook_seconds_sum 4\ntook_seconds_count 2\n"
)

// TestAddsExactlyOnce adds 1 a thousand times a round, by many clients at once. Connections are cut while
// the answer is outstanding, a tenth of what was acknowledged is sent again, and the gateway is killed in
// the middle. Each push has a key of its own and is sent until it is acknowledged: it counts once.
func TestAddsExactlyOnce(t *testing.T) {
	a := newAdding(t, holdfastKeeping(t.TempDir()))
	for round := 1; round <= *addRounds; round++ {
		a.round(t, round)
		a.serves(t, `jobs_total{instance="",job="total"} `+fmt.Sprint(round*addsEach),
			`took_seconds_bucket{instance="",job="total",le="1"} `+fmt.Sprint(round*addsEach),
			`took_seconds_bucket{instance="",job="total",le="+Inf"} `+fmt.Sprint(2*round*addsEach),
			`took_seconds_count{instance="",job="total"} `+fmt.Sprint(2*round*addsEach),
			`took_seconds_sum{instance="",job="total"} `+fmt.Sprint(4*round*addsEach))
	}
	a.stopClean(t)
	a.start(t)
	a.serves(t, `jobs_total{instance="",job="total"} `+fmt.Sprint(*addRounds*addsEach))
	a.stopClean(t)
	t.Logf("%d adds, %d of them sent again after their answer, %d connections cut, %d kills",
		*addRounds*addsEach, a.again.Load(), a.cuts.Load(), *addRounds)
	if a.again.Load() == 0 || a.cuts.Load() == 0 {
		t.Error("nothing was repeated or cut, so nothing is proven")
	}
}

// holdfastKeeping makes the command of a gateway on a directory, once for each of its starts.
func holdfastKeeping(directory string, args ...string) func() *exec.Cmd {
	return func() *exec.Cmd { return holdfast(directory, args...) }
}

// adding is clients that add to one group, and the gateway that they find again when it was killed.
type adding struct {
	gateway
	command      func() *exec.Cmd
	base         atomic.Value // of the gateway that runs, a string
	http         http.Client
	acknowledged atomic.Int64
	again, cuts  atomic.Int64
}

func newAdding(t *testing.T, command func() *exec.Cmd) *adding {
	a := &adding{command: command, http: http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: adders}}}
	a.start(t)
	return a
}

func (a *adding) start(t *testing.T) {
	t.Helper()
	a.gateway = begin(t, a.command())
	a.base.Store(a.url)
}

// round has all clients add, and kills the gateway somewhere between a fifth and four fifths of it.
func (a *adding) round(t *testing.T, round int) {
	t.Helper()
	before := a.acknowledged.Load()
	keys := make(chan string, addsEach)
	for i := range addsEach {
		keys <- fmt.Sprintf("round %d push %d", round, i)
	}
	close(keys)
	var clients sync.WaitGroup
	for range adders {
		clients.Go(func() {
			for key := range keys {
				if err := a.add(key); err != nil {
					t.Error(err)
				}
			}
		})
	}
	last := before + addsEach/5 + rand.N(int64(addsEach*3/5))
	eventually(t, "some are acknowledged", func() bool { return a.acknowledged.Load() > last })
	a.end(syscall.SIGKILL)
	a.start(t)
	clients.Wait()
}

// add sends one push until it is acknowledged, and a tenth of them once more.
func (a *adding) add(key string) error {
	var failed error
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		base := a.base.Load().(string)
		if rand.N(8) == 0 {
			a.cut(base, key)
			continue
		}
		if failed = a.send(base, key); failed != nil {
			<-time.After(5 * time.Millisecond) // it was killed: look for the next one
			continue
		}
		if rand.N(10) == 0 {
			if failed = a.send(base, key); failed != nil {
				continue
			}
			a.again.Add(1)
		}
		a.acknowledged.Add(1)
		return nil
	}
	return fmt.Errorf("%s: not acknowledged within %v: %w", key, patience, failed)
}

func (a *adding) send(base, key string) error {
	request, err := http.NewRequest(http.MethodPost, base+addPath, strings.NewReader(addBody))
	if err != nil {
		return err
	}
	request.Header.Set("Idempotency-Key", key)
	response, err := a.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %d %s", key, response.StatusCode, said)
	}
	return err
}

// cut sends a push, or the first part of it, and leaves before it hears of it.
func (a *adding) cut(base, key string) {
	connection, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		return
	}
	defer connection.Close()
	to := bufio.NewWriter(connection)
	body := addBody
	if rand.N(3) == 0 {
		body = body[:rand.N(len(body))]
	}
	fmt.Fprintf(to, "POST %s HTTP/1.1\r\nHost: gateway\r\nIdempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s", addPath, key, len(addBody), body)
	if to.Flush() != nil {
		return
	}
	a.cuts.Add(1)
	<-time.After(rand.N(4 * time.Millisecond))
	if rand.N(2) == 0 {
		_ = connection.(*net.TCPConn).SetLinger(0) // a reset in the place of an orderly end
	}
}
