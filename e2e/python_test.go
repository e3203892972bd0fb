package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// python is Debian's, which has python3-prometheus-client; another python may come first in PATH.
const python = "/usr/bin/python3"

// example is the script that the issue gives, with the gateway's URL as its argument.
const example = `
import sys
from prometheus_client import CollectorRegistry, Gauge, push_to_gateway
registry = CollectorRegistry()
labels = ['req_status', 'req_method', 'req_url']
total = Gauge('requests_total', 'url请求次数', labels, registry=registry)
average = Gauge('avg_response_time_seconds', '1分钟内的URL平均响应时间', labels, registry=registry)
for url, count, seconds in (('/test/url', 12, 0.25), ('/test/api/url/', 7, 1.5)):
    total.labels('200', 'GET', url).set(count)
    average.labels('200', 'GET', url).set(seconds)
push_to_gateway(sys.argv[1], job='SampleURLMetrics', registry=registry)
`

func pushExample(t *testing.T, g gateway) {
	t.Helper()
	run(t, example, python, "-", g.url)
}

// TestPythonExample pushes what the user's script pushes and reads it back.
func TestPythonExample(t *testing.T) {
	g := startGateway(t)
	pushExample(t, g)
	g.serves(t,
		"# HELP requests_total url请求次数", "# TYPE requests_total gauge",
		"# HELP avg_response_time_seconds 1分钟内的URL平均响应时间", "# TYPE avg_response_time_seconds gauge",
		`requests_total{instance="",job="SampleURLMetrics",req_method="GET",req_status="200",req_url="/test/url"} 12`,
		`requests_total{instance="",job="SampleURLMetrics",req_method="GET",req_status="200",req_url="/test/api/url/"} 7`,
		`avg_response_time_seconds{instance="",job="SampleURLMetrics",req_method="GET",req_status="200",req_url="/test/url"} 0.25`,
		`avg_response_time_seconds{instance="",job="SampleURLMetrics",req_method="GET",req_status="200",req_url="/test/api/url/"} 1.5`,
		`push_failure_time_seconds{instance="",job="SampleURLMetrics"} 0`)
	groups := g.groups(t)
	if len(groups) != 1 || groups[0]["last_push_successful"] != true {
		t.Fatalf("groups %v", groups)
	}
	total, _ := groups[0]["requests_total"].(map[string]any)
	metrics, _ := total["metrics"].([]any)
	if total["help"] != "url请求次数" || total["type"] != "GAUGE" || len(metrics) != 2 {
		t.Errorf("requests_total in the query API: %v", total)
	}
	_, page := g.do(t, http.MethodGet, "/", "")
	link := regexp.MustCompile(`href="\.?(/groups/[0-9a-f]{32})"`).FindStringSubmatch(page)
	if link == nil || !strings.Contains(page, "SampleURLMetrics") {
		t.Fatalf("the page does not list the group: %s", page)
	}
	status, page := g.do(t, http.MethodGet, link[1], "")
	for _, part := range []string{"SampleURLMetrics", "requests_total", "url请求次数", "/test/url", "/test/api/url/"} {
		if status != http.StatusOK || !strings.Contains(page, part) {
			t.Errorf("the group's page (%d) does not show %s", status, part)
		}
	}
}

// TestPythonVerbs adds to a group with awkward labels and deletes it, by the client's own calls.
func TestPythonVerbs(t *testing.T) {
	const add = `
import sys
from prometheus_client import CollectorRegistry, Counter, Histogram, Info, push_to_gateway, pushadd_to_gateway
key = {'path': '/var/tmp', 'empty': '', 'space': 'a b', 'cjk': '作业'}
first = CollectorRegistry()
Counter('done', 'jobs done', registry=first).inc(3)
push_to_gateway(sys.argv[1], job='a/b', registry=first, grouping_key=key)
second = CollectorRegistry()
Histogram('took_seconds', 'time taken', buckets=(1, 5), registry=second).observe(2)
Info('build', 'what ran', registry=second).info({'version': '1"2'})
pushadd_to_gateway(sys.argv[1], job='a/b', registry=second, grouping_key=key)
`
	const drop = `
import sys
from prometheus_client import delete_from_gateway
delete_from_gateway(sys.argv[1], job='a/b', grouping_key={'path': '/var/tmp', 'empty': '', 'space': 'a b', 'cjk': '作业'})
`
	g := startGateway(t)
	run(t, add, python, "-", g.url)
	const key = `cjk="作业",empty="",instance="",job="a/b",path="/var/tmp",space="a+b"`
	g.serves(t, "# TYPE done_total counter", `done_total{`+key+`} 3`,
		"# TYPE took_seconds histogram", `took_seconds_bucket{`+key+`,le="5"} 1`)
	run(t, drop, python, "-", g.url)
	if groups := g.groups(t); len(groups) != 0 {
		t.Errorf("groups after delete_from_gateway: %v", groups)
	}
}

// TestPythonRefusal: the client raises, and the reason is in the body.
func TestPythonRefusal(t *testing.T) {
	const script = `
import sys, urllib.error
from prometheus_client import CollectorRegistry, Gauge, push_to_gateway
registry = CollectorRegistry()
Gauge('go_goroutines', 'not mine', registry=registry).set(1)
push_to_gateway(sys.argv[1], job='mine', registry=registry)
registry = CollectorRegistry()
Gauge('pushgateway_mine', 'not mine', registry=registry).set(1)
try:
    push_to_gateway(sys.argv[1], job='other', registry=registry)
except urllib.error.HTTPError as e:
    print(e.code, e.read().decode())
`
	g := startGateway(t)
	if said := run(t, script, python, "-", g.url); !strings.HasPrefix(said, "400 pushed metrics are invalid or inconsistent with existing metrics: ") {
		t.Errorf("the script said %q", said)
	}
}
