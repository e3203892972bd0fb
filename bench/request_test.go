package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"testing"
)

// read parses a request as any HTTP server would.
func read(t *testing.T, raw []byte) (path string, body []byte) {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	body, err = io.ReadAll(r.Body)
	if err != nil || int64(len(body)) != r.ContentLength {
		t.Fatalf("%d bytes of body, %d announced, %v", len(body), r.ContentLength, err)
	}
	return r.URL.Path, body
}

func TestTextRequest(t *testing.T) {
	p := newPushRequest(shape{families: 5, series: 4}, false, 7)
	seen := map[string]bool{}
	for key := range 3 {
		path, body := read(t, p.aim(key))
		if want := "/metrics/job/bench/instance/g000000" + strconv.Itoa(key); path != want {
			t.Errorf("path %s, want %s", path, want)
		}
		values := regexp.MustCompile(`(?m)^bench_\S+\{part="p0000\d",outcome="done"\} (\d{3}\.\d{4})$`).FindAllSubmatch(body, -1)
		if len(values) != 20 {
			t.Fatalf("%d samples in\n%s", len(values), body)
		}
		for _, v := range values {
			if seen[string(v[1])] {
				t.Errorf("value %s comes again", v[1])
			}
			seen[string(v[1])] = true
		}
	}
}

// TestProtobufRequest looks for the values of the last families where they must stand: at the end of the
// body, each in its metric.
func TestProtobufRequest(t *testing.T) {
	p := newPushRequest(shape{families: 2, series: 3}, true, 7)
	_, body := read(t, p.aim(1))
	head := len(p.raw) - len(body)
	if len(p.valuesAt) != 6 {
		t.Fatalf("%d values, want 6", len(p.valuesAt))
	}
	for i, at := range p.valuesAt {
		v := math.Float64frombits(binary.LittleEndian.Uint64(body[at-head:]))
		if v < 100 || v >= 1000 {
			t.Errorf("value %d is %v", i, v)
		}
		wantField := byte(2<<3 | 2) // a gauge
		if i >= 3 {
			wantField = 3<<3 | 2 // a counter
		}
		if message := body[at-head-3:]; message[0] != wantField || message[1] != 9 || message[2] != 1<<3|1 {
			t.Errorf("value %d stands behind % x", i, message[:3])
		}
	}
	families := 0
	for rest := body; len(rest) > 0; families++ {
		size, n := binary.Uvarint(rest)
		if n <= 0 || size > uint64(len(rest)-n) {
			t.Fatalf("message %d claims %d of %d bytes", families, size, len(rest)-n)
		}
		rest = rest[n+int(size):]
	}
	if families != 2 {
		t.Errorf("%d families, want 2", families)
	}
}
