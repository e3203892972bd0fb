package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protodelim"
)

// gateway is a running Holdfast.
type gateway struct {
	*program
	url string
}

func startGateway(t *testing.T, args ...string) gateway {
	t.Helper()
	args = append([]string{"--web.listen-address=127.0.0.1:0", "--web.enable-admin-api"}, args...)
	if !slices.ContainsFunc(args, func(a string) bool {
		return strings.HasPrefix(a, "--storage.path=") || strings.HasPrefix(a, "--persistence.file=")
	}) {
		args = append(args, "--storage.path="+t.TempDir()+"/store")
	}
	p := launch(t, os.Getenv(binaryVariable), args...)
	address := p.awaitLog(t, regexp.MustCompile(`msg="Listening on" address=(\S+)`))
	g := gateway{p, "http://" + address}
	eventually(t, "the gateway is ready", func() bool {
		response, err := http.Get(g.url + "/-/ready")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return g
}

// do sends a request and returns status and body.
func (g gateway) do(t *testing.T, method, path, body string, header ...string) (int, string) {
	t.Helper()
	request, err := http.NewRequest(method, g.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for pair := range slices.Chunk(header, 2) {
		request.Header.Set(pair[0], pair[1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return response.StatusCode, string(answer)
}

// page returns the text scrape under an escaping scheme.
func (g gateway) page(t *testing.T, escaping string) string {
	t.Helper()
	status, body := g.do(t, http.MethodGet, "/metrics", "", "Accept", "text/plain;version=0.0.4;escaping="+escaping)
	if status != http.StatusOK {
		t.Fatalf("scrape: %d %.400s", status, body)
	}
	return body
}

// serves checks that the page has these lines.
func (g gateway) serves(t *testing.T, lines ...string) {
	t.Helper()
	all := strings.Split(g.page(t, "allow-utf-8"), "\n")
	for _, line := range lines {
		if !slices.Contains(all, line) {
			t.Errorf("the page lacks %s; it has\n%s", line, strings.Join(pushed(all), "\n"))
		}
	}
}

// pushed leaves out the gateway's own families.
func pushed(lines []string) []string {
	own := regexp.MustCompile(`^(# (HELP|TYPE) )?(go|process|pushgateway|holdfast|promhttp)_`)
	return slices.DeleteFunc(slices.Clone(lines), own.MatchString)
}

// groups returns the groups as the query API lists them.
func (g gateway) groups(t *testing.T) []map[string]any {
	t.Helper()
	var reply struct{ Data []map[string]any }
	status, body := g.do(t, http.MethodGet, "/api/v1/metrics", "")
	if err := json.Unmarshal([]byte(body), &reply); status != http.StatusOK || err != nil {
		t.Fatalf("query API: %d, %v in %.400s", status, err, body)
	}
	return reply.Data
}

const protobufType = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"

// push sends families as delimited protobuf by PUT.
func (g gateway) push(t *testing.T, path string, families ...*dto.MetricFamily) {
	t.Helper()
	var b bytes.Buffer
	for _, f := range families {
		if _, err := protodelim.MarshalTo(&b, f); err != nil {
			t.Fatal(err)
		}
	}
	if status, answer := g.do(t, http.MethodPut, path, b.String(), "Content-Type", protobufType); status != http.StatusOK {
		t.Fatalf("PUT %s: %d %s", path, status, answer)
	}
}

// lacks checks that no line of the page has a part.
func (g gateway) lacks(t *testing.T, part string) {
	t.Helper()
	if page := g.page(t, "allow-utf-8"); strings.Contains(page, part) {
		t.Errorf("the page has %s:\n%s", part, strings.Join(pushed(strings.Split(page, "\n")), "\n"))
	}
}
