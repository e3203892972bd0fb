package conformance

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/golang/snappy"
	dto "github.com/prometheus/client_model/go"
)

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

func framed(s string) string {
	var b bytes.Buffer
	w := snappy.NewBufferedWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

func coded(r request, coding string) request {
	return with(r, map[string]string{"Content-Encoding": coding})
}

// TestCodings holds how Content-Encoding is read.
func TestCodings(t *testing.T) {
	const path = "/metrics/job/j"
	const body = "x 1\n"
	half := gzipped(strings.Repeat(body, 1))
	half = half[:len(half)-9]
	play(t, open(t, defaultMode), []exchange{
		{name: "gzip", send: coded(put(path, gzipped(body)), "gzip"), status: 200},
		{name: "letter case", send: coded(put(path, gzipped(body)), "GZip"), status: 200},
		{name: "two members", send: coded(put(path, gzipped(body)+gzipped("y 1\n")), "gzip"), status: 200},
		{name: "gzip of nothing", send: coded(put(path, gzipped("")), "gzip"), status: 200},
		{name: "not gzip", send: coded(put(path, "x 1 this is no gzip\n"), "gzip"), status: 400, header: errorHeader(), says: "gzip: invalid header"},
		{name: "too short", send: coded(put(path, "x 1\n"), "gzip"), status: 400, says: "unexpected EOF"},
		{name: "empty", send: coded(put(path, ""), "gzip"), status: 400, header: errorHeader(), says: "EOF"},
		{name: "cut", send: coded(put(path, half), "gzip"), status: 400, says: "unexpected EOF"},
		{name: "get", send: coded(get("/metrics"), "gzip"), status: 400, says: "EOF"},
		{name: "unknown path", send: coded(get("/nothing"), "gzip"), status: 400, says: "EOF"},
		{name: "delete", send: coded(remove(path), "gzip"), status: 400, says: "EOF"},
		{name: "API", send: coded(get("/api/v1/metrics"), "gzip"), status: 200, body: `{"status":"success","data":[]}`},
		{name: "snappy", send: coded(put(path, framed(body)), "Snappy"), status: 200},
		{name: "snappy without frames", send: coded(put(path, string(snappy.Encode(nil, []byte(body)))), "snappy"), status: 400, says: "snappy: corrupt input"},
		{name: "snappy of nothing", send: coded(put(path, ""), "snappy"), status: 200},
		{name: "identity", send: coded(put(path, body), "identity"), status: 200},
		{name: "deflate is taken as it is", send: coded(put(path, body), "deflate"), status: 200},
		{name: "zstd is taken as it is", send: coded(put(path, body), "zstd"), status: 200},
		{name: "x-gzip is taken as it is", send: coded(put(path, body), "x-gzip"), status: 200},
		{name: "a list is taken as it is", send: coded(put(path, body), "gzip, gzip"), status: 200},
		{name: "chunked", send: with(put(path, "4\r\nx 1\n\r\n0\r\n\r\n"), map[string]string{"Transfer-Encoding": "chunked"}), status: 200},
		{name: "expectation", send: with(put(path, body), map[string]string{"Expect": "100-continue"}), status: 200},
	})
}

// TestFormats: only the exact protobuf type is protobuf, all else is text.
func TestFormats(t *testing.T) {
	const path = "/metrics/job/j"
	typed := func(kind string) request { return with(put(path, "x 1\n"), map[string]string{"Content-Type": kind}) }
	binaryBody := message(path, family("x", dto.MetricType_GAUGE, gauge(1)))
	as := func(kind string) request { return with(binaryBody, map[string]string{"Content-Type": kind}) }
	var cases []exchange
	for _, kind := range []string{
		"", "application/x-www-form-urlencoded", "application/json", "text/plain;;;bad", "text/xml",
		"application/openmetrics-text; version=1.0.0", "application/vnd.google.protobuf",
		"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=text",
		"application/vnd.google.protobuf; proto=other; encoding=delimited",
		"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=Delimited",
	} {
		cases = append(cases, exchange{name: "text as " + kind, send: typed(kind), status: 200})
	}
	for _, kind := range []string{
		protobufType,
		`Application/Vnd.Google.Protobuf; encoding="delimited"; q=1; proto="io.prometheus.client.MetricFamily"`,
	} {
		cases = append(cases, exchange{name: "protobuf as " + kind, send: as(kind), status: 200})
	}
	cases = append(cases, exchange{
		name: "protobuf as text", send: as("text/plain"), status: 400,
		says: "text format parsing error in line 1: invalid metric name",
	})
	play(t, open(t, defaultMode), cases)
}

// TestProtobufDefects: bad framing and bad messages are a 400 and harm nobody, whatever length they claim.
func TestProtobufDefects(t *testing.T) {
	const path = "/metrics/job/j"
	send := func(body []byte) request {
		return with(put(path, string(body)), map[string]string{"Content-Type": protobufType})
	}
	whole := message(path, family("x", dto.MetricType_GAUGE, gauge(1))).body
	g := open(t, defaultMode)
	play(t, g, []exchange{
		{name: "empty", send: send(nil), status: 200},
		{name: "truncated", send: send(whole[:len(whole)-1]), status: 400, header: errorHeader(), says: "unexpected EOF"},
		{name: "garbage", send: send([]byte("\x03\xff\xff\xff")), status: 400, says: "proto: cannot parse invalid wire-format data"},
	})
	for _, claim := range []uint64{1 << 31, 1 << 40, 1 << 62, math.MaxInt64, math.MaxUint64} {
		g.wipe(t)
		g.accept(t, put("/metrics/job/other", "x 1\n"))
		got := g.do(t, send(binary.AppendUvarint(nil, claim)))
		if got.status != 400 && got.status != 413 {
			t.Errorf("a message that claims %d bytes: status %d, want 400 or 413", claim, got.status)
		}
		g.scrape(t).serves(t, `x{instance="",job="other"} 1`)
		if held := g.groups(t); len(held) != 1 {
			t.Errorf("a message that claims %d bytes left %v", claim, held)
		}
	}
}

// TestProtobufAccepted: missing types, families twice and families without metrics.
func TestProtobufAccepted(t *testing.T) {
	g := open(t, defaultMode)
	g.wipe(t)
	untold := family("untold", dto.MetricType_COUNTER, &dto.Metric{Counter: &dto.Counter{Value: new(float64)}})
	untold.Type = nil
	g.accept(t, message("/metrics/job/j", family("twice", dto.MetricType_GAUGE, gauge(1)), untold,
		family("none", dto.MetricType_GAUGE), family("twice", dto.MetricType_GAUGE, gauge(2))))
	p := g.scrape(t)
	p.serves(t, `twice{instance="",job="j"} 2`, "# TYPE untold counter", `untold{instance="",job="j"} 0`)
	for _, line := range p.samples {
		if strings.Contains(line, "none") || line == `twice{instance="",job="j"} 1` {
			t.Errorf("the scrape has %s", line)
		}
	}
	if held := g.groups(t); held[0]["none"] == nil {
		t.Error("the query API does not list the family without metrics")
	}
}
