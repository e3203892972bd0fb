package conformance

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"
)

// patience is how long a target may take for one exchange, or to settle.
const patience = 20 * time.Second

// request is sent as it stands: no part of it is tidied.
type request struct {
	method string
	path   string // below the target's prefix, byte for byte
	header map[string]string
	body   []byte
	proto  string // "" means HTTP/1.1
}

// answer is what came back.
type answer struct {
	status int // -1: the connection ended without an HTTP answer
	header http.Header
	body   []byte
}

func (g *target) get(t *testing.T, path string, header map[string]string) answer {
	t.Helper()
	return g.do(t, request{method: http.MethodGet, path: path, header: header})
}

// do sends one request on a connection of its own.
func (g *target) do(t *testing.T, r request) answer {
	t.Helper()
	got, err := g.exchange(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	return got
}

func (g *target) exchange(r request) (answer, error) {
	conn, err := net.DialTimeout("tcp", g.host, patience)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return answer{}, err
	}
	// A refusal may arrive, and the connection close, before the request is sent whole: the answer
	// counts, so the error of writing does not.
	_, _ = conn.Write(g.wire(r))
	return readAnswer(bufio.NewReader(conn), r.method)
}

// wire renders r. The body's length is told wherever there is a body or the method wants one.
func (g *target) wire(r request) []byte {
	var b bytes.Buffer
	proto := r.proto
	if proto == "" {
		proto = "HTTP/1.1"
	}
	path := r.path
	if path != "*" {
		path = g.prefix + path
	}
	fmt.Fprintf(&b, "%s %s %s\r\n", r.method, path, proto)
	fmt.Fprintf(&b, "Host: %s\r\nConnection: close\r\n", g.host)
	for _, name := range slices.Sorted(maps.Keys(r.header)) {
		fmt.Fprintf(&b, "%s: %s\r\n", name, r.header[name])
	}
	_, ownLength := r.header["Content-Length"]
	_, chunked := r.header["Transfer-Encoding"]
	if !ownLength && !chunked && (len(r.body) > 0 || r.method == http.MethodPut || r.method == http.MethodPost) {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(r.body))
	}
	b.WriteString("\r\n")
	b.Write(r.body)
	return b.Bytes()
}

func readAnswer(from *bufio.Reader, method string) (answer, error) {
	for {
		if _, err := from.Peek(1); errors.Is(err, os.ErrDeadlineExceeded) {
			return answer{}, fmt.Errorf("waiting for the answer: %w", err)
		} else if err != nil {
			return answer{status: -1}, nil
		}
		response, err := http.ReadResponse(from, &http.Request{Method: method})
		if err != nil {
			return answer{}, fmt.Errorf("reading the answer: %w", err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return answer{}, fmt.Errorf("reading the answer's body after %d bytes: %w", len(body), err)
		}
		if response.StatusCode == http.StatusContinue {
			continue
		}
		if response.ContentLength >= 0 && response.Header.Get("Content-Length") == "" {
			response.Header.Set("Content-Length", fmt.Sprint(response.ContentLength))
		}
		return answer{status: response.StatusCode, header: response.Header, body: body}, nil
	}
}

// eventually polls until check holds. It gives up, and fails, when patience ends.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !check() {
		select {
		case <-deadline:
			t.Fatalf("not within %v: %s", patience, what)
		case <-tick.C:
		}
	}
}
