package web

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/client_golang/prometheus"
)

const delimited = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

func TestScrapeNegotiates(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/metrics/job/a", "x 1\n")
	plain := r.want(200, "GET", "/metrics?name[]=nothing", "")
	if kind := plain.header.Get("Content-Type"); kind != "text/plain; version=0.0.4; charset=utf-8; escaping=underscores" {
		t.Errorf("Content-Type %q", kind)
	}
	if !strings.Contains(plain.body, "# TYPE x untyped\nx{instance=\"\",job=\"a\"} 1\n") {
		t.Error("the page lacks what was pushed")
	}
	if plain.header.Get("Content-Encoding") != "" || plain.header.Get("Vary") != "" {
		t.Errorf("headers %v", plain.header)
	}
	a := r.want(200, "GET", "/metrics", "", "Accept: "+delimited)
	want := "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=underscores"
	if kind := a.header.Get("Content-Type"); kind != want || len(a.body) == 0 {
		t.Errorf("Content-Type %q, %d bytes", kind, len(a.body))
	}
}

func TestScrapeCompresses(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/metrics/job/a", "x 1\n")
	for accept, want := range map[string]string{
		"gzip": "gzip", "gzip, deflate": "gzip", "deflate, gzip;q=0.5": "gzip", "gzip;q=1.0,deflate;q=0.6,identity;q=0.3": "gzip",
		"gzip, identity": "gzip", "identity;q=0.5, gzip;q=0.5": "gzip",
		"": "", "gzip;q=0": "", "gzip; q=0": "", "GZIP": "", "*": "", "deflate": "", "br": "",
		"identity": "", "identity, gzip;q=0.5": "", "gzip;q=x": "",
		"zstd": "zstd", "zstd, br": "zstd", "zstd;q=0.9, gzip;q=0.8": "zstd", "gzip;q=0, zstd;q=0.1": "zstd", "identity;q=0.5, zstd": "zstd",
		"gzip, deflate, br, zstd": "gzip", "zstd;q=0.5, gzip;q=0.5": "gzip", "zstd;q=0": "", "ZSTD": "", "identity, zstd;q=0.5": "",
		"zstd;q=0.9, gzip;q=0.8, identity": "",
	} {
		a := r.want(200, "GET", "/metrics", "", "Accept-Encoding: "+accept)
		if got := a.header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: coding %q, want %q", accept, got, want)
			continue
		}
		if text, err := io.ReadAll(uncoded(t, want, a.body)); err != nil || !bytes.Contains(text, []byte("x{instance=\"\",job=\"a\"} 1\n")) {
			t.Errorf("Accept-Encoding %q: %v in %q", accept, err, text)
		}
	}
}

// uncoded inflates a body.
func uncoded(t *testing.T, coding, body string) io.Reader {
	t.Helper()
	switch coding {
	case "gzip":
		in, err := gzip.NewReader(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		in.Multistream(false) // browsers and curl stop after the first member
		return in
	case "zstd":
		in, err := zstd.NewReader(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(in.Close)
		return in
	}
	return strings.NewReader(body)
}

func TestScrapesAreTimedAndNotCounted(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "GET", "/metrics", "")
	if got := r.sample("holdfast_scrape_duration_seconds_count"); got != "1" {
		t.Errorf("%s scrapes were timed, want the one before", got)
	}
	if a := r.want(200, "GET", "/metrics", ""); strings.Contains(a.body, "pushgateway_http_requests_total") {
		t.Error("a scrape was counted as a request")
	}
}

func TestPushesAreMetered(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/metrics/job/a", "x 1\n")
	r.want(400, "POST", "/metrics/job/a", "x")
	r.want(202, "DELETE", "/metrics/job/a", "")
	r.want(405, "GET", "/metrics/job/a", "")
	for series, want := range map[string]string{
		`pushgateway_http_requests_total{code="200",handler="push",method="put"}`:      "1",
		`pushgateway_http_requests_total{code="400",handler="push",method="post"}`:     "1",
		`pushgateway_http_requests_total{code="202",handler="delete",method="delete"}`: "1",
		`pushgateway_http_requests_total{code="405",handler="push",method="get"}`:      "",
		`pushgateway_http_push_size_bytes_count{method="put"}`:                         "1",
		`pushgateway_http_push_duration_seconds_count{method="post"}`:                  "1",
		`holdfast_push_duration_seconds_count{method="post"}`:                          "1",
	} {
		if got := r.sample(series); got != want {
			t.Errorf("%s is %q, want %q", series, got, want)
		}
	}
}

// broken is a writer to a client that has left.
type broken struct{ http.ResponseWriter }

func (broken) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestScrapeThatFailsIsCutOff(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/metrics/job/a", "x 1\n")
	r.serve(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		_ = r.site.scrape(broken{w}, request)
	}))
	conn, err := net.Dial("tcp", r.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a scrape that broke off looks whole: %v", err)
	}
}

func TestOwnMetricsMayHaveAPageOfTheirOwn(t *testing.T) {
	own := prometheus.NewRegistry()
	own.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "holdfast_test", Help: "Only here."}))
	r := newRig(t, func(o *Options) { o.RoutePrefix, o.SelfTelemetryPath, o.Own = "/foo", "/own", own })
	if a := r.want(200, "GET", "/foo/own", ""); !strings.Contains(a.body, "\nholdfast_test 0\n") {
		t.Errorf("own page: %q", a.body)
	}
}
