package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/internal/exposition"
)

// away is a gateway that records what arrives, and can be gone. It remembers idempotency keys for ever,
// but trusts an age below oldest only.
type away struct {
	gone     bool   // there is no connection
	hangs    bool   // it takes connections and never answers
	spare    int    // so many of the next requests are answered
	mute     int    // so many of the then next requests are carried out, and their answers get lost
	shut     bool   // it lets nobody in
	shuts    bool   // it will let nobody in after an answer that got lost
	refuse   string // bodies that hold it get 400
	batches  bool   // whether it knows batches
	oldest   time.Duration
	arrivals []string // bodies, in the order in which they counted
	keys     map[string]int
	mu       sync.Mutex
	requests []string // paths
	ages     []string // of the requests
}

func (a *away) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.gone {
		return nil, errors.New("connection refused")
	}
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	if a.hangs {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	age := r.Header.Get(ageHeader)
	a.requests, a.ages = append(a.requests, r.URL.Path), append(a.ages, age)
	status, answer := a.carryOut(r, string(body), age)
	if a.spare--; a.spare < 0 && a.mute > 0 {
		a.mute--
		a.shut = a.shuts
		return nil, errors.New("connection reset")
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(answer)), Header: http.Header{}, Request: r}, nil
}

func (a *away) carryOut(r *http.Request, body, age string) (status int, answer string) {
	if a.shut {
		return http.StatusUnauthorized, "who are you?"
	}
	if r.URL.Path != "/api/v1/push" {
		status := a.judge(r.Header.Get(onceHeader), body, age)
		a.take(status, r.Header.Get(onceHeader), body)
		return status, "judged"
	}
	if !a.batches {
		return http.StatusNotFound, "404 page not found"
	}
	if r.URL.RawQuery != "atomic=true" {
		return http.StatusInternalServerError, "lines of a batch could overtake others"
	}
	return a.carryOutBatch(body, age)
}

func (a *away) carryOutBatch(body, age string) (status int, answer string) {
	var pushes []batchLine
	status = http.StatusOK
	results := &strings.Builder{}
	lines := bufio.NewScanner(strings.NewReader(body))
	for lines.Scan() {
		var p batchLine
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			return http.StatusBadRequest, err.Error()
		}
		pushes = append(pushes, p)
		judged := a.judge(p.Once, p.Metrics, age)
		if judged != http.StatusOK && status == http.StatusOK {
			status = judged
		}
		fmt.Fprintf(results, "{\"line\":%d,\"status\":%d}\n", len(pushes), judged)
	}
	for _, p := range pushes {
		a.take(status, p.Once, p.Metrics)
	}
	return status, strings.ReplaceAll(results.String(), "200", "424")
}

func (a *away) judge(key, body, age string) int {
	seconds, _ := strconv.Atoi(age) // "" is 0
	switch {
	case a.refuse != "" && strings.Contains(body, a.refuse):
		return http.StatusBadRequest
	case a.keys[key] == 0 && a.oldest > 0 && time.Duration(seconds)*time.Second >= a.oldest:
		return http.StatusConflict
	}
	return http.StatusOK
}

func (a *away) take(status int, key, body string) {
	if status != http.StatusOK {
		return
	}
	if a.keys[key]++; a.keys[key] == 1 {
		a.arrivals = append(a.arrivals, body)
	}
}

// clientOf returns a client of a gateway, and what it tells people.
func clientOf(t *testing.T, gateway *away) (*Client, *[]string) {
	t.Helper()
	gateway.keys = map[string]int{}
	var said []string
	c, err := New(Options{Transport: gateway, Tell: func(text string) { said = append(said, text) }})
	if err != nil {
		t.Fatal(err)
	}
	return c, &said
}

func spoolOf(t *testing.T, gateway *away, o SpoolOptions) (*Spool, *[]string) {
	t.Helper()
	c, said := clientOf(t, gateway)
	o.Dir = t.TempDir()
	if o.Bytes == 0 {
		o.Bytes = 64 << 20
	}
	if o.Age == 0 {
		o.Age = 7 * 24 * time.Hour
	}
	return c.Spool(o), said
}

func numbered(t *testing.T, i int) *Push {
	t.Helper()
	p := &Push{Mode: Add, Labels: []exposition.Label{{Name: "job", Value: "j"}}, Body: fmt.Appendf(nil, "n %d\n", i)}
	if err := p.Prepare(); err != nil {
		t.Fatal(err)
	}
	return p
}

// try pushes one more.
func (s *Spool) try(t *testing.T, i int) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return s.Push(ctx, numbered(t, i))
}

// keeps has one more wait without an attempt to send it.
func (s *Spool) keeps(t *testing.T, i int) {
	t.Helper()
	if _, err := s.keep(numbered(t, i)); err != nil {
		t.Fatal(err)
	}
}

// spools pushes one more, which has to wait.
func (s *Spool) spools(t *testing.T, i int) {
	t.Helper()
	var spooled *Spooled
	if err := s.try(t, i); !errors.As(err, &spooled) {
		t.Fatalf("push %d: %v, want it to wait", i, err)
	}
}

// bodies returns what pushes from the first to the last hold.
func bodies(first, last int) (all []string) {
	for i := first; i <= last; i++ {
		all = append(all, fmt.Sprintf("n %d\n", i))
	}
	return all
}

// refused returns what was set aside, the oldest first.
func (s *Spool) refused() ([]refusal, error) {
	names, err := pushFiles(s.refusedDir())
	if err != nil {
		return nil, err
	}
	all := make([]refusal, len(names))
	for i, name := range names {
		if err := readSpoolFile(filepath.Join(s.refusedDir(), name), &all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}
