package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/prototext"
)

// urlSample is the body that the user's Python example pushes.
const urlSample = `# HELP requests_total url请求次数
# TYPE requests_total gauge
requests_total{req_method="GET",req_status="200",req_url="/test/url"} 12
requests_total{req_method="GET",req_status="200",req_url="/test/api/url/"} 12
# HELP avg_response_time_seconds 1分钟内的URL平均响应时间
# TYPE avg_response_time_seconds gauge
avg_response_time_seconds{req_method="GET",req_status="200",req_url="/test/url"} 0.25
avg_response_time_seconds{req_method="GET",req_status="200",req_url="/test/api/url/"} 0.25
`

// furnish pushes what a small company's jobs would.
func furnish(t *testing.T, g gateway) {
	t.Helper()
	put := func(want int, method, key, body string) {
		t.Helper()
		if status, answer := g.do(t, method, "/metrics/job/"+key, body); status != want {
			t.Fatalf("%s %s: %d %s", method, key, status, answer)
		}
	}
	put(200, "PUT", "SampleURLMetrics", urlSample)
	for i := range 6 {
		put(200, "PUT", fmt.Sprintf("backup/instance/db-%d.example.net", i+1), backup(i+1))
	}
	for _, job := range []string{"nightly-report", "etl-orders", "certificate-renewal"} {
		for _, branch := range []string{"main", "release-1.4", "开发"} {
			put(200, "PUT", job+"/branch/"+url.PathEscape(branch), "# TYPE rows_total counter\nrows_total 1234567\n# TYPE last_run_duration_seconds gauge\nlast_run_duration_seconds 93.25\n")
		}
	}
	put(400, "POST", "etl-orders/branch/main", "# TYPE backup_size_bytes counter\nbackup_size_bytes 1\n")
	put(400, "POST", "etl-products", "# TYPE rows_total gauge\nrows_total 1\n")
	var native dto.MetricFamily
	if err := prototext.Unmarshal([]byte(`name: "query_seconds" help: "Queries to the warehouse" type: HISTOGRAM metric: {histogram: {
		sample_count: 91 sample_sum: 18.5 schema: 1 zero_threshold: 1e-6 zero_count: 1
		positive_span: {offset: -9 length: 6} positive_span: {offset: 2 length: 4}
		positive_delta: [2, 5, 9, -3, -4, -6, 9, -2, 3, -8]}}`), &native); err != nil {
		t.Fatal(err)
	}
	g.push(t, "/metrics/job/warehouse", &native)
}

func backup(i int) string {
	return fmt.Sprintf(`# HELP backup_size_bytes Size of the last backup
# TYPE backup_size_bytes gauge
backup_size_bytes{kind="full"} %d
backup_size_bytes{kind="incremental"} %d
# HELP backup_last_success_timestamp_seconds Last time a backup succeeded
# TYPE backup_last_success_timestamp_seconds gauge
backup_last_success_timestamp_seconds 1795353346
# HELP backup_step_duration_seconds How long the steps took
# TYPE backup_step_duration_seconds histogram
backup_step_duration_seconds_bucket{le="1"} %d
backup_step_duration_seconds_bucket{le="5"} %d
backup_step_duration_seconds_bucket{le="30"} %d
backup_step_duration_seconds_bucket{le="120"} %d
backup_step_duration_seconds_bucket{le="+Inf"} %d
backup_step_duration_seconds_sum %d
backup_step_duration_seconds_count %d
# HELP backup_request_seconds Requests to the object store
# TYPE backup_request_seconds summary
backup_request_seconds{quantile="0.5"} 0.021
backup_request_seconds{quantile="0.9"} 0.08
backup_request_seconds{quantile="0.99"} 0.41
backup_request_seconds_sum 88.1
backup_request_seconds_count 1402
`, i*172774208310, i*70064263, i, i*4, i*9, i*15, i*17, i*731, i*17)
}

// idOf returns the id of the first group that a search finds.
func idOf(t *testing.T, g gateway, search string) string {
	t.Helper()
	status, body := g.do(t, http.MethodGet, "/?q="+url.QueryEscape(search), "")
	found := regexp.MustCompile(`groups/([0-9a-f]{32})`).FindStringSubmatch(body)
	if status != http.StatusOK || found == nil {
		t.Fatalf("searching %q: %d, no group", search, status)
	}
	return found[1]
}

// TestBrowserViews looks at every view in both languages and themes, on a screen and on a phone, with
// and without script; nothing is too wide, axe finds nothing serious, and the console stays empty.
func TestBrowserViews(t *testing.T) {
	g := startGateway(t, "--storage.engine=memory")
	furnish(t, g)
	browser := startBrowser(t)
	views := []view{
		{"groups", "/"},
		{"found", "/?match[]=" + url.QueryEscape(`{job="backup",instance=~"db-[1-3].*"}`) + "&sort=bytes&order=desc"},
		{"overview", "/overview"},
		{"backup", "/groups/" + idOf(t, g, "db-3")},
		{"delete", "/delete?id=" + idOf(t, g, "db-1") + "&id=" + idOf(t, g, "db-2")},
		{"status", "/status"},
		{"failures", "/failures"},
	}
	more := []view{
		{"start", "/start"},
		{"mistaken", "/?match[]=" + url.QueryEscape(`{job="backup"`)},
		{"missing", "/groups/00000000000000000000000000000000"},
		{"sample", "/groups/" + idOf(t, g, "SampleURLMetrics")},
		{"failed", "/groups/" + idOf(t, g, "etl-products")},
		{"native", "/groups/" + idOf(t, g, "warehouse")},
	}
	for _, tt := range []struct {
		look
		views []view
	}{
		{look{"en", "light", 1280, 900, false}, slices.Concat(views, more)},
		{look{"zh-CN", "dark", 1280, 900, false}, slices.Concat(views, more)},
		{look{"zh-CN", "light", 390, 844, false}, views[:5]},
		{look{"en", "dark", 390, 844, false}, views[:5]},
		{look{"en", "light", 1920, 1000, true}, views[:5]},
	} {
		t.Run(tt.String(), func(t *testing.T) {
			b := openTab(t, browser, g, tt.look)
			for _, v := range tt.views {
				b.inspect(v)
			}
			b.drop404()
		})
	}
}

type view struct{ name, path string }

// inspect judges how a view looks.
func (b *tab) inspect(v view) {
	b.Helper()
	b.visit(v.path)
	b.fits()
	if !b.scriptless {
		b.isAccessible()
	}
	b.shoot(v.name + "-" + b.look.String())
	if got := eval[string](b, "document.documentElement.lang"); got != b.language {
		b.Errorf("%s is in %s", v.name, got)
	}
	if scheme := eval[string](b, "getComputedStyle(document.documentElement).colorScheme"); scheme != b.theme {
		b.Errorf("%s is %s", v.name, scheme)
	}
}

// drop404 forgets the complaint about the page that is missing on purpose.
func (b *tab) drop404() {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := b.complaints[:0]
	for _, complaint := range b.complaints {
		if !strings.Contains(complaint, "404") {
			kept = append(kept, complaint)
		}
	}
	b.complaints = kept
}

// TestBrowserSample shows the user's example: its Chinese help, both URLs, its values made readable.
func TestBrowserSample(t *testing.T) {
	g := startGateway(t, "--storage.engine=memory")
	run(t, `
from prometheus_client import CollectorRegistry, Gauge, push_to_gateway
registry = CollectorRegistry()
labels = ['req_status', 'req_method', 'req_url']
total = Gauge('requests_total', 'url请求次数', labels, registry=registry)
average = Gauge('avg_response_time_seconds', '1分钟内的URL平均响应时间', labels, registry=registry)
for url in '/test/url', '/test/api/url/':
    total.labels('200', 'GET', url).set(12)
    average.labels('200', 'GET', url).set(0.25)
push_to_gateway('`+strings.TrimPrefix(g.url, "http://")+`', job='SampleURLMetrics', registry=registry)
`, "/usr/bin/python3", "-")
	l := usual()
	l.language = "zh-CN"
	b := openTab(t, startBrowser(t), g, l)
	b.visit("/")
	b.says("job=SampleURLMetrics", "1 个分组")
	b.click(".list .act a")
	b.await("location.pathname.startsWith('/groups/')")
	b.says("url请求次数", "1分钟内的URL平均响应时间", "req_url=/test/url", "req_url=/test/api/url/", "250 毫秒", "最近推送")
	b.shoot("user-example")
	l.language = "en"
	b = openTab(t, b.ctx, g, l)
	b.visit("/groups/" + idOf(t, g, "SampleURLMetrics"))
	b.says("url请求次数", "req_url=/test/api/url/", "250 ms", "Last push")
	b.shoot("user-example-en")
}
