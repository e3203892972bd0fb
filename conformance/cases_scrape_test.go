package conformance

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protodelim"
)

// TestNegotiation holds what each Accept gets. OpenMetrics is never chosen.
func TestNegotiation(t *testing.T) {
	const protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding="
	const textType = "text/plain; version=0.0.4; charset=utf-8; escaping="
	const protoType = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding="
	const prometheus3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.7,application/openmetrics-text;version=0.0.1;q=0.6," +
		"text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3"
	g := open(t, defaultMode)
	for accept, want := range map[string]string{
		"":                          textType + "underscores",
		"*/*":                       textType + "underscores",
		"garbage;;":                 textType + "underscores",
		"text/plain":                textType + "underscores",
		"text/plain;version=1.0.0":  textType + "underscores",
		"text/plain;escaping=dots":  textType + "dots",
		"text/plain;escaping=other": textType + "underscores",
		"text/plain;version=0.0.4;escaping=values":   textType + "values",
		"application/openmetrics-text;version=1.0.0": textType + "underscores",
		prometheus3:            textType + "allow-utf-8",
		protobuf + "delimited": protoType + "delimited; escaping=underscores",
		protobuf + "delimited;escaping=allow-utf-8": protoType + "delimited; escaping=allow-utf-8",
		protobuf + "text":         protoType + "text; escaping=underscores",
		protobuf + "compact-text": protoType + "compact-text; escaping=underscores",
		protobuf + "delimited;q=0.1,text/plain;version=0.0.4;q=0.9":               textType + "underscores",
		protobuf + "delimited;q=0.9,text/plain;version=0.0.4;escaping=dots;q=0.4": protoType + "delimited; escaping=underscores",
	} {
		header := map[string]string{"Accept": accept}
		if accept == "" {
			header = nil
		}
		got := g.get(t, "/metrics", header)
		if kind := got.header.Get("Content-Type"); got.status != 200 || kind != want {
			t.Errorf("Accept %q: %d %q, want 200 %q", accept, got.status, kind, want)
		}
	}
}

// TestEscaping holds names that older Prometheus cannot read under each scheme.
func TestEscaping(t *testing.T) {
	g := open(t, defaultMode)
	g.wipe(t)
	g.accept(t, message("/metrics/job/j", family("foo.bar", dto.MetricType_GAUGE, gauge(1, "l x-é", "b"))))
	for scheme, want := range map[string][]string{
		"underscores": {"# TYPE foo_bar gauge", `foo_bar{instance="",job="j",l_x__="b"} 1`},
		"dots":        {"# TYPE foo_dot_bar gauge", `foo_dot_bar{instance="",job="j",l__x____="b"} 1`},
		"values":      {"# TYPE U__foo_2e_bar gauge", `U__foo_2e_bar{U__l_20_x_2d__e9_="b",instance="",job="j"} 1`},
		"allow-utf-8": {`# TYPE "foo.bar" gauge`, `{"foo.bar",instance="",job="j","l x-é"="b"} 1`},
	} {
		got := g.get(t, "/metrics", map[string]string{"Accept": textAccept + ";escaping=" + scheme})
		lines := splitLines(got.body)
		for _, line := range want {
			if !slices.Contains(lines, line) && !slices.Contains(lines, byName(line)) {
				t.Errorf("%s: the page lacks %s:\n%s", scheme, line, pushedLines(lines, "foo"))
			}
		}
	}
}

// byName is the other order of labels that an escaping may leave: by the names before escaping.
func byName(line string) string {
	return strings.Replace(line, `{U__l_20_x_2d__e9_="b",instance="",job="j"}`, `{instance="",job="j",U__l_20_x_2d__e9_="b"}`, 1)
}

func pushedLines(lines []string, part string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !strings.Contains(l, part) }), "\n")
}

// TestCompression: only a plain offer of gzip is taken, and what comes is one member.
func TestCompression(t *testing.T) {
	g := open(t, defaultMode)
	g.wipe(t)
	g.accept(t, put("/metrics/job/j", "x 1\n"))
	for accept, want := range map[string]string{
		"gzip": "gzip", "gzip, deflate": "gzip", "deflate;q=0.9, gzip;q=0.8": "gzip", "gzip;q=0.5, identity;q=0.5": "gzip",
		"": "", "gzip;q=0": "", "GZIP": "", "*": "", "deflate": "", "br": "", "identity": "", "identity, gzip;q=0.5": "",
	} {
		got := g.get(t, "/metrics", map[string]string{"Accept-Encoding": accept})
		if coding := got.header.Get("Content-Encoding"); got.status != 200 || coding != want {
			t.Errorf("Accept-Encoding %q: %d %q, want 200 %q", accept, got.status, coding, want)
			continue
		}
		plain := got.body
		if want == "gzip" {
			plain = unzipOne(t, got.body)
		}
		if !strings.Contains(string(plain), "\nx{instance=\"\",job=\"j\"} 1\n") {
			t.Errorf("Accept-Encoding %q: the page lacks the sample", accept)
		}
	}
	for _, path := range []string{"/", "/api/v1/metrics", "/-/healthy"} {
		got := g.get(t, path, map[string]string{"Accept-Encoding": "gzip"})
		if coding := got.header.Get("Content-Encoding"); coding != "" {
			t.Errorf("GET %s came as %s", path, coding)
		}
	}
}

// unzipOne reads a body that must be one gzip member, since curl and browsers stop after the first.
func unzipOne(t *testing.T, body []byte) []byte {
	t.Helper()
	from := bytes.NewReader(body)
	r, err := gzip.NewReader(from)
	if err != nil {
		t.Fatal(err)
	}
	r.Multistream(false)
	plain, err := io.ReadAll(r)
	if err != nil || from.Len() != 0 {
		t.Fatalf("unpacking: %v, %d bytes after the first member", err, from.Len())
	}
	return plain
}

// TestPageOrder: families by name, pushed and own ones together; HELP once and only where there is one.
func TestPageOrder(t *testing.T) {
	g := open(t, defaultMode)
	g.wipe(t)
	g.accept(t,
		put("/metrics/job/b", "# HELP m first \\\\ line \\n \"second\"\n# TYPE m gauge\nm 1\nzz 1\nA 1\n"),
		put("/metrics/job/a", "# TYPE m gauge\nm 2\n"))
	lines := splitLines(g.get(t, "/metrics", nil).body)
	var order []string
	help := 0
	for _, line := range lines {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			order = append(order, nameOf(name))
		}
		if strings.HasPrefix(line, "# HELP m ") || strings.HasPrefix(line, "# HELP zz") {
			help++
			if line != `# HELP m first \\ line \n "second"` {
				t.Errorf("HELP line %s", line)
			}
		}
	}
	if !slices.IsSorted(order) || len(slices.Compact(slices.Clone(order))) != len(order) {
		t.Errorf("families are not in order, or twice: %q", order)
	}
	for _, name := range []string{"A", "m", "zz", "go_goroutines", "pushgateway_http_requests_total", "push_time_seconds"} {
		if !slices.Contains(order, name) {
			t.Errorf("the page lacks family %s", name)
		}
	}
	if help != 1 {
		t.Errorf("m has %d HELP lines, want 1", help)
	}
	a, b := slices.Index(lines, `m{instance="",job="a"} 2`), slices.Index(lines, `m{instance="",job="b"} 1`)
	if a < 0 || b != a+1 {
		t.Errorf("groups a and b stand at lines %d and %d, want one after the other", a, b)
	}
}

// TestOwnMetrics holds the families that dashboards of the reference use.
func TestOwnMetrics(t *testing.T) {
	g := open(t, defaultMode)
	count := func() int {
		return strings.Count(strings.Join(splitLines(g.get(t, "/metrics", nil).body), "\n"), `handler="push",method="put"}`)
	}
	g.accept(t, put("/metrics/job/j", "x 1\n"), remove("/metrics/job/j"))
	if got := g.do(t, put("/metrics/job/j", "x")); got.status != http.StatusBadRequest {
		t.Fatalf("a bad body: status %d", got.status)
	}
	if n := count(); n != 2 {
		t.Errorf("%d counters of PUT requests, want one for code 200 and one for 400", n)
	}
	body := string(g.get(t, "/metrics", nil).body)
	for _, part := range []string{
		"# HELP pushgateway_http_requests_total Total HTTP requests processed by the Pushgateway, excluding scrapes.\n",
		`pushgateway_http_requests_total{code="202",handler="delete",method="delete"}`,
		`pushgateway_http_requests_total{code="400",handler="push",method="put"}`,
		"# HELP pushgateway_http_push_duration_seconds HTTP request duration for pushes to the Pushgateway.\n",
		`pushgateway_http_push_duration_seconds{method="put",quantile="0.9"}`,
		"# HELP pushgateway_http_push_size_bytes HTTP request size for pushes to the Pushgateway.\n",
		`pushgateway_http_push_size_bytes_count{method="put"}`, "\ngo_info{version=", "\nprocess_start_time_seconds ",
	} {
		if !strings.Contains(body, part) {
			t.Errorf("the page lacks %s", part)
		}
	}
}

// families decodes the delimited protobuf page.
func (g *target) families(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	got := g.get(t, "/metrics", map[string]string{"Accept": strings.ReplaceAll(protobufType, " ", "")})
	if got.status != 200 {
		t.Fatalf("protobuf scrape: status %d; body %.300q", got.status, got.body)
	}
	all := map[string]*dto.MetricFamily{}
	from := bufio.NewReader(bytes.NewReader(got.body))
	for {
		f := &dto.MetricFamily{}
		if err := protodelim.UnmarshalFrom(from, f); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("protobuf scrape: %v", err)
		}
		all[f.GetName()] = f
	}
}
