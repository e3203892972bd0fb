package e2e

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	mixers      = 16 // clients
	mixedTotals = 4  // groups to which they add
	mixedSlots  = 20 // series that each client upserts
)

// mixture is clients that add, upsert, and push groups that expire, and their log.
type mixture struct {
	clients      [mixers]mixer
	acknowledged atomic.Int64
	http         http.Client
	downs        []down
}

// mixer is one client. It stops at its first push without an answer, and sends an add that had none again,
// with its idempotency key, when it goes on.
type mixer struct {
	number  int // of pushes so far
	added   int // acknowledged adds
	pending string
	upserts [mixedSlots]struct{ kept, tried int }
	mortals []*mortal
}

func newMixture() *mixture {
	return &mixture{http: http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: mixers}}}
}

// run has all clients push until the gateway is gone, and returns how to wait for that.
func (m *mixture) run(base string) (wait func()) {
	var clients sync.WaitGroup
	for i := range m.clients {
		clients.Go(func() {
			for m.push(i, base) {
				m.acknowledged.Add(1)
			}
		})
	}
	return func() {
		clients.Wait()
		m.http.CloseIdleConnections()
	}
}

// resend sends the adds that had no answer.
func (m *mixture) resend(t *testing.T, base string) {
	t.Helper()
	for i := range m.clients {
		if c := &m.clients[i]; c.pending != "" && !m.add(i, base) {
			t.Errorf("client %d: %q is not accepted", i, c.pending)
		}
	}
}

// push makes the next push of a client and reports whether it was accepted.
func (m *mixture) push(i int, base string) bool {
	c := &m.clients[i]
	if c.pending != "" {
		return m.add(i, base)
	}
	c.number++
	switch c.number % 3 {
	case 0:
		c.pending = fmt.Sprintf("%d of client %d", c.number, i)
		return m.add(i, base)
	case 1:
		u := &c.upserts[c.number/3%mixedSlots]
		u.tried = c.number
		if !m.send(http.MethodPatch, fmt.Sprintf("%s/metrics/job/mixed/client/%d", base, i), fmt.Sprintf("upserted{slot=\"%d\"} %d\n", c.number/3%mixedSlots, u.tried), "") {
			return false
		}
		u.kept = u.tried
		return true
	default:
		x := &mortal{sent: time.Now()}
		c.mortals = append(c.mortals, x)
		x.accepted = m.send(http.MethodPut, fmt.Sprintf("%s/with/ttl=%s/metrics/job/mortal/client/%d/n/%d", base, mixedTTL, i, len(c.mortals)-1), "mortal 1\n", "")
		x.answered = time.Now()
		return x.accepted
	}
}

// add sends the pending add of a client.
func (m *mixture) add(i int, base string) bool {
	c := &m.clients[i]
	if !m.send(http.MethodPost, fmt.Sprintf("%s/with/mode=add/metrics/job/mixed/of/%d", base, i%mixedTotals), "# TYPE added_total counter\nadded_total 1\n", c.pending) {
		return false
	}
	c.added, c.pending = c.added+1, ""
	return true
}

func (m *mixture) send(method, url, body, key string) bool {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return false
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := m.http.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err == nil && response.StatusCode == http.StatusOK
}

// integers returns the values of the series on a page that are whole numbers.
func integers(page string) map[string]int {
	all := map[string]int{}
	for line := range strings.Lines(page) {
		at := strings.LastIndexByte(line, ' ')
		if value, err := strconv.Atoi(strings.TrimSuffix(line[at+1:], "\n")); err == nil && at > 0 {
			all[line[:at]] = value
		}
	}
	return all
}

var mortalLine = regexp.MustCompile(`(?m)^mortal\{client="(\d+)",.*n="(\d+)"\} 1$`)

// numbers returns which groups that expire are on a page, by client and number.
func (m *mixture) numbers(page string) map[[2]int]bool {
	there := map[[2]int]bool{}
	for _, line := range mortalLine.FindAllStringSubmatch(page, -1) {
		client, _ := strconv.Atoi(line[1]) // digits by the pattern
		number, _ := strconv.Atoi(line[2])
		there[[2]int{client, number}] = true
	}
	return there
}
