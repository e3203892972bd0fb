package web

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

func TestBodyLimits(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits = Limits{BodyBytes: 1000, InflatedBytes: 5000, InflightBytes: 1 << 20} })
	comment := func(n int) string { return "#" + strings.Repeat("x", n-2) + "\n" }
	chunked := func(body string) string {
		return "PUT /metrics/job/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" +
			strconv.FormatInt(int64(len(body)), 16) + "\r\n" + body + "\r\n0\r\n\r\n"
	}
	for _, tt := range []struct {
		name   string
		status int
		limit  string
		answer func() answer
	}{
		{"at the limit", 200, "", func() answer { return r.send("PUT", "/metrics/job/a", comment(1000)) }},
		{"over it", 413, "body-bytes", func() answer { return r.send("PUT", "/metrics/job/a", comment(1001)) }},
		{"chunked, at the limit", 200, "", func() answer { return r.raw(chunked(comment(1000))) }},
		{"chunked, over it", 413, "body-bytes", func() answer { return r.raw(chunked(comment(1001))) }},
		{"inflated to the limit", 200, "", func() answer {
			return r.send("PUT", "/metrics/job/a", zipped(t, comment(5000)), "Content-Encoding: gzip")
		}},
		{"inflated over it", 413, "inflated-bytes", func() answer {
			return r.send("PUT", "/metrics/job/a", zipped(t, comment(5001)), "Content-Encoding: gzip")
		}},
		{"snappy over it", 413, "inflated-bytes", func() answer {
			return r.send("PUT", "/metrics/job/a", snapped(t, comment(5001)), "Content-Encoding: snappy")
		}},
	} {
		a := tt.answer()
		if a.status != tt.status || tt.limit != "" && !strings.Contains(a.body, "--limit."+tt.limit) {
			t.Errorf("%s: %d %q, want %d", tt.name, a.status, a.body, tt.status)
		}
	}
	for limit, want := range map[string]string{"body-bytes": "2", "inflated-bytes": "2"} {
		if got := r.sample(`holdfast_limit_refusals_total{limit="` + limit + `"}`); got != want {
			t.Errorf("%s counted %s refusals, want %s", limit, got, want)
		}
	}
	if held := r.site.inflight.used.Load(); held != 0 {
		t.Errorf("%d bytes are still counted as held", held)
	}
}

func TestBombIsRefusedWhileItInflates(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits = Limits{InflatedBytes: 1 << 20, InflightBytes: 8 << 20} })
	bomb, in := io.Pipe()
	go func() {
		w := gzip.NewWriter(in)
		zeros := make([]byte, 1<<20)
		for range 1 << 10 {
			if _, err := w.Write(zeros); err != nil {
				break // the gateway has read enough
			}
		}
		_ = in.CloseWithError(w.Close())
	}()
	request, err := http.NewRequest(http.MethodPut, r.URL+"/metrics/job/a", bomb)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Encoding", "gzip")
	response, err := r.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %s", response.Status)
	}
	if held := r.site.inflight.used.Load(); held != 0 {
		t.Errorf("%d bytes are still counted as held", held)
	}
}

func TestInflightLimit(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits = Limits{InflightBytes: 8 << 20} })
	if !r.site.inflight.grow(0, 7<<20) {
		t.Fatal("no room to begin with")
	}
	large := "#" + strings.Repeat("x", 3<<20) + "\n"
	if a := r.want(503, "PUT", "/metrics/job/large", large); a.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	r.want(200, "PUT", "/metrics/job/small", "x 1\n")
	r.site.inflight.release(7 << 20)
	r.want(200, "PUT", "/metrics/job/large", large)
	r.want(413, "PUT", "/metrics/job/huge", strings.Repeat("\n", 9<<20))
	if held := r.site.inflight.used.Load(); held != 0 {
		t.Errorf("%d bytes are still counted as held", held)
	}
}

func TestAccountKeepsRoomForSmallBodies(t *testing.T) {
	a := &account{limit: 16 << 20}
	for _, tt := range []struct {
		name      string
		own, more int64
		ok        bool
	}{
		{"a body that is alone may fill it", 0, 16 << 20, true},
		{"nothing is left", 0, 1, false},
		{"it shrinks", 16 << 20, -4 << 20, true},
		{"a large one leaves an eighth", 0, 3 << 20, false},
		{"up to there it may grow", 0, 2 << 20, true},
		{"small ones have the rest", 0, 1 << 20, true},
		{"and all of it", 0, 1 << 20, true},
		{"until it is full", 0, 1, false},
	} {
		if ok := a.grow(tt.own, tt.more); ok != tt.ok {
			t.Fatalf("%s: %v, want %v", tt.name, ok, tt.ok)
		}
	}
	if none := new(account); !none.grow(0, 1<<40) {
		t.Error("without a limit there is no refusal")
	}
}

func TestHugeAnnouncedBodyIsNotAwaited(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.BodyBytes = 1000 })
	// No byte of the body is ever sent: a client that waits for the go-ahead must get the refusal.
	a := r.raw("PUT /metrics/job/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100000000000\r\n\r\n")
	if a.status != 413 {
		t.Errorf("status %d %q", a.status, a.body)
	}
	conn := r.dial()
	if _, err := io.WriteString(conn, "PUT /metrics/job/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 4\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(conn)
	if line, err := lines.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := io.WriteString(conn, "x 1\n"); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(lines)
	if err != nil || !strings.HasPrefix(string(rest), "\r\nHTTP/1.1 200 OK\r\n") {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestRefusedBodyIsDrained(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.BodyBytes = 1000 })
	conn := r.dial()
	// A client that sends all before it reads: unless the gateway takes the rest in, this write fails or
	// the answer is lost to a reset.
	body := strings.Repeat("x", 20<<20)
	if _, err := io.WriteString(conn, "PUT /metrics/job/a HTTP/1.1\r\nHost: x\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+body); err != nil {
		t.Fatal("the gateway stopped reading: ", err)
	}
	if a := r.read(conn, false); a.status != 413 {
		t.Errorf("status %d", a.status)
	}
}

func TestSlowBodyIsCut(t *testing.T) {
	r := newRig(t, nil)
	r.site.pace = pace{grace: 50 * time.Millisecond, rate: 1000, stall: 50 * time.Millisecond, drain: time.Second, unread: 1 << 20}
	h, err := r.site.handler()
	if err != nil {
		t.Fatal(err)
	}
	r.serve(h)
	conn := r.dial()
	if _, err := io.WriteString(conn, "PUT /metrics/job/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx"); err != nil {
		t.Fatal(err)
	}
	if a := r.read(conn, false); a.status != http.StatusRequestTimeout || !strings.Contains(a.body, "too slowly") {
		t.Errorf("status %d %q", a.status, a.body)
	}
}

func TestBodyDeadline(t *testing.T) {
	begun := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name string
		at   time.Duration // since the body began
		read int64
		want time.Duration
	}{
		{"nothing yet", 0, 0, 30 * time.Second},
		{"a drip", 29 * time.Second, 100, 30 * time.Second},
		{"as fast as must be", 35 * time.Second, 256 * 40, 40 * time.Second},
		{"fast, then silence", 35 * time.Second, 64 << 20, 65 * time.Second},
		{"a long body", time.Hour, 64 << 20, time.Hour + 30*time.Second},
	} {
		b := &pacedBody{pace: defaultPace(), begun: begun, read: tt.read}
		if got := b.deadline(begun.Add(tt.at)).Sub(begun); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestStalledReaderIsCut(t *testing.T) {
	short := pace{grace: time.Second, rate: 1, stall: 50 * time.Millisecond}
	failed := make(chan error, 1)
	r := newRig(t, nil)
	r.serve(short.limit(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(make([]byte, 64<<20))
		failed <- err
	})))
	if _, err := io.WriteString(r.dial(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; !os.IsTimeout(err) {
		t.Errorf("writing to a client that reads nothing: %v, want a timeout", err)
	}
}
