package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// prometheusVariable names the Prometheus to test with; without it, Debian's is taken.
const prometheusVariable = "PROMETHEUS_BIN"

// scraper is a Prometheus that scrapes a gateway every second.
type scraper struct{ url string }

func startPrometheus(t *testing.T, g gateway, args ...string) scraper {
	t.Helper()
	return startPrometheusWith(t, fmt.Sprintf(`
  - job_name: gateway
    honor_labels: true
    static_configs: [{targets: ['%s']}]
`, strings.TrimPrefix(g.url, "http://")), args...)
}

// startPrometheusWith starts one with other scrape_configs.
func startPrometheusWith(t *testing.T, scrapes string, args ...string) scraper {
	t.Helper()
	binary := os.Getenv(prometheusVariable)
	if binary == "" {
		binary = need(t, "prometheus", "prometheus")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	text := "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:" + scrapes
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	launch(t, binary, append([]string{
		"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "tsdb"),
		"--web.listen-address=" + address, "--log.level=warn",
	}, args...)...)
	return scraper{"http://" + address}
}

// freeAddress returns a loopback address on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// sample is one element of an instant query's answer.
type sample struct {
	Metric    map[string]string
	Value     [2]any
	Histogram []any
}

func (s sample) number() float64 {
	text, _ := s.Value[1].(string)
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return value
}

// query asks for an instant vector; while Prometheus is not up it returns nothing.
func (p scraper) query(t *testing.T, expression string) []sample {
	t.Helper()
	response, err := http.Get(p.url + "/api/v1/query?query=" + url.QueryEscape(expression))
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode == http.StatusServiceUnavailable {
		return nil
	}
	var reply struct {
		Status string
		Data   struct{ Result []sample }
	}
	if err := json.Unmarshal(body, &reply); err != nil || reply.Status != "success" {
		t.Fatalf("query %s: %v in %.400s", expression, err, body)
	}
	return reply.Data.Result
}

// one polls until the query has exactly one sample.
func (p scraper) one(t *testing.T, expression string) sample {
	t.Helper()
	var found []sample
	eventually(t, "Prometheus has one "+expression, func() bool {
		found = p.query(t, expression)
		return len(found) == 1
	})
	return found[0]
}

// TestPrometheusScrapes the user's example and is asked for what was pushed.
func TestPrometheusScrapes(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	pushExample(t, g)
	p := startPrometheus(t, g)
	for expression, want := range map[string]float64{
		`requests_total{job="SampleURLMetrics",req_url="/test/url"}`:                 12,
		`requests_total{job="SampleURLMetrics",req_url="/test/api/url/"}`:            7,
		`avg_response_time_seconds{job="SampleURLMetrics",req_url="/test/api/url/"}`: 1.5,
		`push_failure_time_seconds{job="SampleURLMetrics"}`:                          0,
		`up`: 1,
	} {
		if got := p.one(t, expression); got.number() != want {
			t.Errorf("%s is %v, want %v", expression, got.Value[1], want)
		}
	}
	got := p.one(t, `requests_total{req_url="/test/url"}`)
	if instance, told := got.Metric["instance"]; told {
		t.Errorf("the sample has instance %q, want none: a job runs on no instance", instance)
	}
	if got := p.one(t, `time() - push_time_seconds{job="SampleURLMetrics"}`).number(); got < 0 || got > patience.Seconds() {
		t.Errorf("the push is %v s old", got)
	}
	const stamp = `timestamp(requests_total{req_url="/test/url"})`
	first := p.one(t, stamp).number()
	if pushed := p.one(t, `push_time_seconds`).number(); first <= pushed-1 {
		t.Errorf("the sample is of %v, before it was pushed at %v", first, pushed)
	}
	eventually(t, "the sample's time goes on with the scrapes", func() bool { return p.one(t, stamp).number() > first })
}

// TestPrometheusTakesTheZoo: whatever was pushed, the scrape stays up and is taken whole.
func TestPrometheusTakesTheZoo(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "--push.enable-utf8-names")
	p := startPrometheus(t, g)
	p.one(t, "up == 1")
	pushZoo(t, g)
	if status, answer := g.do(t, http.MethodPut, "/metrics/job/zoo/l.x/1", "{\"text.dotted\",\"作\"=\"1\"} 1\n"); status != http.StatusOK {
		t.Fatalf("a text push with UTF-8 names: %d %s", status, answer)
	}
	eventually(t, "Prometheus takes as many samples as the page has", func() bool {
		taken := p.query(t, `scrape_samples_scraped`)
		return len(taken) == 1 && int(taken[0].number()) == countSamples(g.page(t, "underscores")) && len(p.query(t, "zoo_dotted_name")) > 0
	})
	// The last is 1作业 as older Prometheus reads it.
	for _, name := range []string{"zoo_counter_total", "text_dotted", "zoo_classic_bucket", "zoo_native_count", "zoo_gauge_native_count", "___"} {
		if found := p.query(t, `{__name__="`+name+`"}`); len(found) == 0 {
			t.Errorf("Prometheus has no %s", name)
		}
	}
	for _, value := range hostile() {
		if found := p.query(t, `zoo_gauge{job="zoo",v=`+strconv.Quote(value)+`}`); value != "" && len(found) == 0 {
			t.Errorf("Prometheus has no zoo_gauge of label value %q", value)
		}
	}
	p.holdUp(t)
}

// TestPrometheusTakesNativeHistograms scrapes protobuf.
func TestPrometheusTakesNativeHistograms(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	pushZoo(t, g)
	p := startPrometheus(t, g, "--enable-feature=native-histograms")
	for _, name := range []string{"zoo_native", "zoo_both"} {
		if got := p.one(t, `histogram_count(`+name+`{job="zoo",instance=""})`).number(); got != 4 {
			t.Errorf("%s counts %v, want 4", name, got)
		}
	}
	if got := p.one(t, `zoo_classic_bucket{job="zoo",instance="",le="0.1"}`).number(); got != 1 {
		t.Errorf("the classic histogram's least part counts %v, want 1", got)
	}
	p.holdUp(t)
}

// holdUp wants every scrape since the start to have been taken.
func (p scraper) holdUp(t *testing.T) {
	t.Helper()
	if got := p.one(t, `min_over_time(up[10m])`).number(); got != 1 {
		t.Errorf("a scrape failed: up was %v", got)
	}
}

// TestPromtool lints the page: it parses, and findings are on pushed names only.
func TestPromtool(t *testing.T) {
	promtool := need(t, "promtool", "prometheus")
	g := startGateway(t)
	pushExample(t, g)
	if status, answer := g.do(t, http.MethodPost, "/metrics/job/SampleURLMetrics", "# TYPE badName counter\nbadName 1\n"); status != http.StatusOK {
		t.Fatalf("POST: %d %s", status, answer)
	}
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = strings.NewReader(g.page(t, "underscores"))
	said, err := check.CombinedOutput()
	if err == nil || check.ProcessState.ExitCode() != 3 {
		t.Fatalf("promtool ended with %v, want findings (3):\n%s", err, said)
	}
	found := false
	for line := range strings.Lines(string(said)) {
		onPushed := regexp.MustCompile(`^(badName|requests_total|avg_response_time_seconds)\b`).MatchString(line)
		found = found || strings.HasPrefix(line, "badName")
		if strings.TrimSpace(line) != "" && !onPushed {
			t.Errorf("promtool: %s", line)
		}
	}
	if !found {
		t.Errorf("promtool found nothing on badName:\n%s", said)
	}
}
