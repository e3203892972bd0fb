package e2e

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCurl pushes as scripts do and scrapes compressed.
func TestCurl(t *testing.T) {
	curl := need(t, "curl", "curl")
	g := startGateway(t)
	send := func(stdin string, args ...string) string {
		t.Helper()
		return run(t, stdin, curl, append([]string{"-sS", "-w", "%{http_code}"}, args...)...)
	}
	if said := send("some_metric 3.14\n", "--data-binary", "@-", g.url+"/metrics/job/script"); said != "200" {
		t.Errorf("--data-binary: %q", said)
	}
	if said := send("", "-d", "some_metric 3.14\n", g.url+"/metrics/job/script"); said != "200" {
		t.Errorf("-d: %q", said)
	}
	if said := send("", "-d", "some_metric 3.14", g.url+"/metrics/job/script"); !strings.HasPrefix(said, "text format parsing error in line 1: unexpected end of input stream\n") || !strings.HasSuffix(said, "400") {
		t.Errorf("-d without a line feed: %q", said)
	}
	var large strings.Builder // over 1 MiB, so that curl asks with Expect: 100-continue
	for large.Len() < 2<<20 {
		large.WriteString("# " + strings.Repeat("x", 1000) + "\n")
	}
	if said := send(large.String()+"large 1\n", "-X", "PUT", "--data-binary", "@-", g.url+"/metrics/job/large"); said != "200" {
		t.Errorf("a large body: %q", said)
	}
	if said := send("streamed 1\n", "-T", "-", g.url+"/metrics/job/streamed"); said != "200" {
		t.Errorf("-T -: %q", said)
	}
	if said := send("", "--data-binary", "@"+gzipFile(t, "zipped 1\n"), "-H", "Content-Encoding: gzip", g.url+"/metrics/job/zipped"); said != "200" {
		t.Errorf("gzip: %q", said)
	}
	if said := send("", "-X", "DELETE", g.url+"/metrics/job/large"); said != "202" {
		t.Errorf("DELETE: %q", said)
	}
	plain, compressed := send("", g.url+"/metrics"), send("", "--compressed", "-D", "-", g.url+"/metrics")
	if !strings.Contains(compressed, "Content-Encoding: gzip") {
		t.Errorf("the compressed scrape has headers %.300q", compressed)
	}
	for _, want := range []string{`some_metric{instance="",job="script"} 3.14`, `streamed{instance="",job="streamed"} 1`, `zipped{instance="",job="zipped"} 1`} {
		if !strings.Contains(plain, want) || !strings.Contains(compressed, want) {
			t.Errorf("the scrapes lack %s: plain %v, compressed %v", want, strings.Contains(plain, want), strings.Contains(compressed, want))
		}
	}
}

func gzipFile(t *testing.T, body string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "body.gz")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
