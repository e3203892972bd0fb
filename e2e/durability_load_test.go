package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

const (
	loadClients = 32
	ownGroups   = 3 // of each client; besides, it pushes a family of its own to a group that all share
)

// target is what one client writes to: a group of its own, or its family of the shared group. Its
// changes are numbered from 1, and what is served tells the number of the last one.
type target struct {
	client, slot int
	kept         int // the last change that was acknowledged, or that was found after a restart
	tried        int // the last change that was sent
}

func (x *target) shared() bool { return x.slot == ownGroups }

// deletes tells whether change n deletes the group.
func (x *target) deletes(n int) bool { return n%7 == 0 && !x.shared() }

func (x *target) request(base string) (*http.Request, error) {
	n := x.tried
	switch {
	case x.shared():
		return http.NewRequest(http.MethodPost, base+"/metrics/job/shared", strings.NewReader(fmt.Sprintf("load_%d{client=\"%d\",slot=\"%d\"} %d\n", x.client, x.client, x.slot, n)))
	case x.deletes(n):
		return http.NewRequest(http.MethodDelete, x.path(base), nil)
	}
	return http.NewRequest(http.MethodPut, x.path(base), strings.NewReader(fmt.Sprintf("load_a %d\nload_b{part=\"1\"} %d\nload_b{part=\"2\"} %d\nload_c %d\n", n, n, n, n)))
}

func (x *target) path(base string) string {
	return fmt.Sprintf("%s/metrics/job/load/client/%d/slot/%d", base, x.client, x.slot)
}

// shows tells whether these served values are those after change n: all of them, or none.
func (x *target) shows(values []int, n int) bool {
	want := 4
	if x.shared() {
		want = 1
	}
	if n == 0 || x.deletes(n) {
		want = 0
	}
	return len(values) == want && !slices.ContainsFunc(values, func(v int) bool { return v != n })
}

// load is a set of clients that push at once, and their log of what was acknowledged.
type load struct {
	targets      [loadClients][ownGroups + 1]target
	acknowledged atomic.Int64
	http         http.Client
}

func newLoad() *load {
	l := &load{http: http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: loadClients}}}
	for c := range l.targets {
		for s := range l.targets[c] {
			l.targets[c][s] = target{client: c, slot: s}
		}
	}
	return l
}

// run pushes until ctx ends. A client stops at its first push that is not acknowledged, since its outcome
// is unknown; run returns the statuses of those, 0 where there was no answer.
func (l *load) run(ctx context.Context, base string) []int {
	defer l.http.CloseIdleConnections()
	var mu sync.Mutex
	var refusals []int
	var clients sync.WaitGroup
	for c := range l.targets {
		clients.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if status, acknowledged := l.push(&l.targets[c][i%(ownGroups+1)], base); !acknowledged {
					mu.Lock()
					defer mu.Unlock()
					refusals = append(refusals, status)
					return
				}
			}
		})
	}
	clients.Wait()
	return refusals
}

func (l *load) push(x *target, base string) (status int, acknowledged bool) {
	x.tried++
	request, err := x.request(base)
	if err != nil {
		return 0, false
	}
	response, err := l.http.Do(request)
	if err != nil {
		return 0, false
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode/100 != 2 {
		return response.StatusCode, false
	}
	x.kept = x.tried
	l.acknowledged.Add(1)
	return response.StatusCode, true
}

var loadLine = regexp.MustCompile(`(?m)^load_\w+\{client="(\d+)",.*slot="(\d+)"\} (\d+)$`)

// served returns the values that a page has of each target, by client and slot.
func served(page string) map[[2]int][]int {
	values := map[[2]int][]int{}
	for _, line := range loadLine.FindAllStringSubmatch(page, -1) {
		var n [3]int
		for i := range n {
			n[i], _ = strconv.Atoi(line[i+1]) // digits by the pattern
		}
		values[[2]int{n[0], n[1]}] = append(values[[2]int{n[0], n[1]}], n[2])
	}
	return values
}

// check compares a page with the log: every acknowledged change is served, and one that was not is served
// whole or not at all. What is served is the state from which the load goes on.
func (l *load) check(t *testing.T, page string) {
	t.Helper()
	all := served(page)
	for c := range l.targets {
		for s := range l.targets[c] {
			x, values := &l.targets[c][s], all[[2]int{c, s}]
			switch {
			case x.shows(values, x.tried):
				x.kept = x.tried
			case !x.shows(values, x.kept):
				t.Errorf("client %d slot %d: %v is served; change %d was acknowledged, %d was sent", c, s, values, x.kept, x.tried)
			}
		}
	}
}
