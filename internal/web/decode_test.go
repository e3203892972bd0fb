package web

import (
	"bytes"
	"strings"
	"testing"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/gzip"
	"github.com/prometheus/common/model"
)

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func snapped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := snappy.NewBufferedWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestContentEncoding(t *testing.T) {
	r := newRig(t, nil)
	whole := zipped(t, "x 1\n")
	for _, tt := range []struct {
		name, method, path, encoding, body string
		status                             int
		text                               string // first line of the answer
	}{
		{"gzip", "POST", "/metrics/job/a", "gzip", whole, 200, ""},
		{"upper case", "POST", "/metrics/job/a", "GZIP", whole, 200, ""},
		{"two members", "POST", "/metrics/job/a", "gzip", zipped(t, "x 1\n") + zipped(t, "y 2\n"), 200, ""},
		{"no gzip", "POST", "/metrics/job/a", "gzip", "this is plain text\n", 400, "gzip: invalid header"},
		{"short header", "POST", "/metrics/job/a", "gzip", whole[:9], 400, "unexpected EOF"},
		{"truncated", "POST", "/metrics/job/a", "gzip", whole[:len(whole)-4], 400, "unexpected EOF"},
		{"empty", "POST", "/metrics/job/a", "gzip", "", 400, "EOF"},
		{"delete", "DELETE", "/metrics/job/a", "gzip", "", 400, "EOF"},
		{"scrape", "GET", "/metrics", "gzip", "", 400, "EOF"},
		{"no such path", "GET", "/nothing", "gzip", "", 400, "EOF"},
		{"the query API", "GET", "/api/v1/status", "gzip", "", 200, ""},
		{"snappy", "POST", "/metrics/job/a", "snappy", snapped(t, "x 1\n"), 200, ""},
		{"raw snappy", "POST", "/metrics/job/a", "snappy", string(snappy.Encode(nil, []byte("x 1\n"))), 400, "snappy: corrupt input"},
		{"empty snappy", "POST", "/metrics/job/a", "snappy", "", 200, ""},
		{"not known", "POST", "/metrics/job/a", "zstd", "x 1\n", 200, ""},
		{"a list", "POST", "/metrics/job/a", "gzip, gzip", "x 1\n", 200, ""},
	} {
		a := r.send(tt.method, tt.path, tt.body, "Content-Encoding: "+tt.encoding)
		first, _, _ := strings.Cut(a.body, "\n")
		if a.status != tt.status || tt.status != 200 && first != tt.text {
			t.Errorf("%s: %d %q, want %d %q", tt.name, a.status, first, tt.status, tt.text)
		}
	}
	if got := r.sample(`pushgateway_http_requests_total{code="400",handler="push",method="post"}`); got != "2" {
		t.Errorf("counted %s refused pushes, want the two with a readable header: truncated and raw snappy", got)
	}
}

func TestPushIsStoredAsSent(t *testing.T) {
	r := newRig(t, nil)
	for _, tt := range []struct{ path, body, encoding, series, value string }{
		{"/metrics/job/a", "x 1\n", "identity", `x{instance="",job="a"}`, "1"},
		{"/metrics/job/b", zipped(t, "x 2\n"), "gzip", `x{instance="",job="b"}`, "2"},
		{"/metrics/job/c", snapped(t, "x 3\n"), "snappy", `x{instance="",job="c"}`, "3"},
		{"/metrics/job@base64/ZC9l/instance/i", "x 4\n", "identity", `x{instance="i",job="d/e"}`, "4"},
		{"/metrics/job/a+b/l/", "x 5\n", "identity", `x{instance="",job="a+b",l=""}`, "5"},
	} {
		r.want(200, "PUT", tt.path, tt.body, "Content-Encoding: "+tt.encoding)
		if got := r.sample(tt.series); got != tt.value {
			t.Errorf("%s is %q, want %s", tt.series, got, tt.value)
		}
	}
	r.want(202, "DELETE", "/metrics/job/a", strings.Repeat("x", 300_000))
	if got := r.sample(`x{instance="",job="a"}`); got != "" {
		t.Errorf("a deleted metric is still there: %s", got)
	}
}

func TestDeletingWhatNoGroupCanBe(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Names = model.UTF8Validation })
	for _, path := range []string{"/metrics/job/a/b/%FF", "/metrics/job/%FF", "/metrics/job/a/x.y/1/x_y/1"} {
		r.want(400, "PUT", path, "")
		r.want(202, "DELETE", path, "")
	}
	r.want(400, "DELETE", "/metrics/job/a/b", "")
	r.want(400, "DELETE", "/metrics/job/a/__x/1", "")
}

func TestRefusalsTeach(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/metrics/job/a", "# TYPE clash counter\nclash 1\n")
	for _, tt := range []struct {
		path, body string
		first      string // what the answer begins with
	}{
		{"/metrics/job/a/b", "", `odd number of components in label string "/b"`},
		{"/metrics/job/a/__x/1", "", `improper label name "__x"`},
		{"/metrics/job@base64/=", "", "job name is required"},
		{"/metrics/job/a", "x 1", "text format parsing error in line 1: unexpected end of input stream"},
		{"/metrics/job/a", "ok 1\nx abc\n", `text format parsing error in line 2: expected float as value, got "abc"`},
		{"/metrics/job/b", "# TYPE clash gauge\nclash 1\n", inconsistent + ": "},
		{"/metrics/job/b", "x 1 1\n", inconsistent + ": pushed metrics must not have timestamps"},
	} {
		a := r.want(400, "POST", tt.path, tt.body)
		if !strings.HasPrefix(a.body, tt.first) || !strings.HasSuffix(a.body, "\n") {
			t.Errorf("%s %q: answer %q, want it to begin with %q", tt.path, tt.body, a.body, tt.first)
		}
		if kind := a.header.Get("Content-Type"); kind != "text/plain; charset=utf-8" || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: Content-Type %q", tt.path, kind)
		}
	}
	for _, line := range []string{
		`level=ERROR msg="` + inconsistent + `" method=POST source=127.0.0.1:`,
		`level=DEBUG msg="failed to parse text" source=127.0.0.1:`,
		`level=DEBUG msg="failed to parse URL" url=/metrics/job/a/b err="odd number`,
		`level=DEBUG msg="job name is required"`,
	} {
		if !strings.Contains(r.log.String(), line) {
			t.Errorf("the log has no %s", line)
		}
	}
	if strings.Contains(r.log.String(), `err="`+inconsistent) {
		t.Error("the log says twice that the push clashes")
	}
}

func TestClashNamesTheGroupInTheWay(t *testing.T) {
	for _, tt := range []struct{ prefix, external, want string }{
		{"", "", "delete: curl -X DELETE 'http://gateway.test/metrics/job/a'"},
		{"/foo", "", "delete: curl -X DELETE 'http://gateway.test/foo/metrics/job/a'"},
		{"", "https://x.test/pgw/", "delete: curl -X DELETE 'https://x.test/pgw/metrics/job/a'"},
		{"/foo", "https://o'x.test", "delete: curl -X DELETE 'https://o%27x.test/metrics/job/a'"},
	} {
		r := newRig(t, func(o *Options) { o.RoutePrefix, o.ExternalURL = tt.prefix, tt.external })
		r.want(200, "PUT", tt.prefix+"/metrics/job/a", "# TYPE clash counter\nclash 1\n")
		a := r.want(400, "PUT", tt.prefix+"/metrics/job/b", "# TYPE clash gauge\nclash 1\n")
		if !strings.HasSuffix(a.body, "\n"+tt.want+"\n") {
			t.Errorf("answer %q, want it to end with %s", a.body, tt.want)
		}
	}
}

func TestUncheckedAnswers(t *testing.T) {
	r := newUncheckedRig(t)
	if a := r.want(202, "PUT", "/metrics/job/a", "x 1\n"); a.body != "" {
		t.Errorf("body %q", a.body)
	}
	r.want(400, "PUT", "/metrics/job/a", "x")
}
