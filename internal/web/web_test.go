package web

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
)

// rig is a gateway behind a real server.
type rig struct {
	*httptest.Server
	t        *testing.T
	site     *site
	gateway  *holdfast.Gateway
	registry *prometheus.Registry
	log      *logText
}

// logText is a log that may be read while it grows.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

var started = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// newRig starts a gateway with what change makes of the default options.
func newRig(t *testing.T, change func(*Options)) *rig {
	t.Helper()
	r := newIdleRig(t, holdfast.Options{}, change)
	r.run()
	return r
}

// newUncheckedRig starts a gateway that does not compare pushes with other groups.
func newUncheckedRig(t *testing.T) *rig {
	t.Helper()
	r := newIdleRig(t, holdfast.Options{Unchecked: true}, nil)
	r.run()
	return r
}

// run lets the gateway load, and waits for it.
func (r *rig) run() {
	r.t.Helper()
	t := r.t
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.gateway.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	for deadline := time.Now().Add(10 * time.Second); r.gateway.Ready() != nil; {
		if time.Now().After(deadline) {
			t.Fatal("the gateway does not become ready")
		}
		runtime.Gosched()
	}
}

// newIdleRig starts a server before a gateway that has loaded nothing yet.
func newIdleRig(t *testing.T, core holdfast.Options, change func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, registry: prometheus.NewRegistry(), log: new(logText)}
	logger := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	core.IdempotencyWindow = time.Minute
	core.Logger, core.Registry, core.Own = logger, r.registry, r.registry
	if core.Engine == nil {
		core.Engine = holdfast.NewMemory()
	}
	var err error
	if r.gateway, err = holdfast.New(core); err != nil {
		t.Fatal(err)
	}
	o := Options{Gateway: r.gateway, Registry: r.registry, Own: r.registry, Logger: logger, Started: started}
	if change != nil {
		change(&o)
	}
	if r.site, err = newSite(o); err != nil {
		t.Fatal(err)
	}
	h, err := r.site.handler()
	if err != nil {
		t.Fatal(err)
	}
	r.serve(h)
	return r
}

func (r *rig) serve(h http.Handler) {
	r.Server = httptest.NewUnstartedServer(h)
	r.Config = Server(h, slog.New(slog.DiscardHandler))
	r.Start()
	r.t.Cleanup(r.Close)
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// send makes one request with its path as given; header lines are "Name: value".
func (r *rig) send(method, path, body string, header ...string) answer {
	r.t.Helper()
	raw := method + " " + path + " HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n"
	for _, line := range header {
		raw += line + "\r\n"
	}
	if body != "" {
		raw += "Content-Length: " + strconv.Itoa(len(body)) + "\r\n"
	}
	return r.raw(raw + "\r\n" + body)
}

// raw sends bytes over a connection of their own and reads the answer.
func (r *rig) raw(request string) answer {
	r.t.Helper()
	conn := r.dial()
	go func() { _, _ = io.WriteString(conn, request) }()
	return r.read(conn, strings.HasPrefix(request, http.MethodHead))
}

func (r *rig) dial() net.Conn {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.Listener.Addr().String())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (r *rig) read(conn net.Conn, head bool) answer {
	r.t.Helper()
	asked := &http.Request{Method: http.MethodGet}
	if head {
		asked.Method = http.MethodHead
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), asked)
	if err != nil {
		r.t.Fatal("reading an answer: ", err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal("reading a body: ", err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

// want sends and demands a status.
func (r *rig) want(status int, method, path, body string, header ...string) answer {
	r.t.Helper()
	a := r.send(method, path, body, header...)
	if a.status != status {
		r.t.Fatalf("%s %s: status %d, want %d; body %q", method, path, a.status, status, a.body)
	}
	return a
}

// sample returns the value of a sample on the scrape page, "" if it is not there.
func (r *rig) sample(series string) string {
	r.t.Helper()
	for line := range strings.Lines(r.want(200, "GET", "/metrics", "").body) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
