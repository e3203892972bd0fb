package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/push"
	dto "github.com/prometheus/client_model/go"
)

// options is what a client library is given as part of the gateway's address.
const options = "/with/ttl=1h,mode=add"

// addsUp wants that what was pushed to a job twice counts twice, in counters and histograms, and that the
// group goes on adding up.
func (g gateway) addsUp(t *testing.T, job string) {
	t.Helper()
	key := fmt.Sprintf(`{instance="",job=%q`, job)
	g.serves(t, `done_total`+key+`} 6`, `took_seconds_bucket`+key+`,le="1"} 0`, `took_seconds_bucket`+key+`,le="5"} 2`,
		`took_seconds_bucket`+key+`,le="+Inf"} 2`, `took_seconds_sum`+key+`} 4`, `took_seconds_count`+key+`} 2`, `size_bytes`+key+`} 7`)
	if status, said := g.do(t, http.MethodPut, "/metrics/job/"+job, "done_total 1\n"); status != http.StatusConflict {
		t.Errorf("a plain PUT to %s: %d %s, want 409: the group adds up", job, status, said)
	}
}

// TestOptionsPython: each of the three calls takes a base URL with options.
func TestOptionsPython(t *testing.T) {
	const script = `
import sys
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, delete_from_gateway, push_to_gateway, pushadd_to_gateway
registry = CollectorRegistry()
Counter('done', 'jobs done', registry=registry).inc(3)
Histogram('took_seconds', 'time taken', buckets=(1, 5), registry=registry).observe(2)
Gauge('size_bytes', 'size', registry=registry).set(7)
push_to_gateway(sys.argv[1], job='python', registry=registry)
pushadd_to_gateway(sys.argv[1], job='python', registry=registry)
push_to_gateway(sys.argv[1], job='gone', registry=registry)
delete_from_gateway(sys.argv[1], job='gone')
`
	g := startGateway(t)
	run(t, script, python, "-", g.url+options)
	g.addsUp(t, "python")
	g.lacks(t, `job="gone"`)
}

// TestOptionsNode pushes plain and gzipped.
func TestOptionsNode(t *testing.T) {
	needFile(t, "node_modules/prom-client/package.json", "run npm ci in e2e/")
	const script = `
const client = require('prom-client');
(async () => {
  const registry = new client.Registry();
  new client.Counter({ name: 'done_total', help: 'jobs done', registers: [registry] }).inc(3);
  new client.Histogram({ name: 'took_seconds', help: 'time taken', buckets: [1, 5], registers: [registry] }).observe(2);
  new client.Gauge({ name: 'size_bytes', help: 'size', registers: [registry] }).set(7);
  const plain = new client.Pushgateway(process.argv[2], {}, registry);
  await plain.push({ jobName: 'node' });
  const gzipped = new client.Pushgateway(process.argv[2], { headers: { 'Content-Encoding': 'gzip' } }, registry);
  await gzipped.pushAdd({ jobName: 'node' });
  await plain.push({ jobName: 'gone' });
  await plain.delete({ jobName: 'gone' });
})().catch((e) => { console.error(e); process.exit(1); });
`
	g := startGateway(t)
	run(t, script, need(t, "node", "nodejs"), "-", g.url+options)
	g.addsUp(t, "node")
	g.lacks(t, `job="gone"`)
}

// TestOptionsGo pushes protobuf, whose histogram is native too.
func TestOptionsGo(t *testing.T) {
	g := startGateway(t)
	done := prometheus.NewCounter(prometheus.CounterOpts{Name: "done_total", Help: "jobs done"})
	done.Add(3)
	took := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "took_seconds", Help: "time taken", Buckets: []float64{1, 5}, NativeHistogramBucketFactor: 1.1,
	})
	took.Observe(2)
	size := prometheus.NewGauge(prometheus.GaugeOpts{Name: "size_bytes", Help: "size"})
	size.Set(7)
	pusher := push.New(g.url+options, "go").Collector(done).Collector(took).Collector(size)
	for _, send := range []func() error{pusher.Push, pusher.Add} {
		if err := send(); err != nil {
			t.Fatal(err)
		}
	}
	g.addsUp(t, "go")
	all := g.protobufPage(t, "")
	if h := all["took_seconds"].GetMetric()[0].GetHistogram(); h.GetPositiveDelta()[0] != 2 || len(h.GetPositiveDelta()) != 1 {
		t.Errorf("the native side of the histogram is %v, want 2 in one bucket", h)
	}
	if c := created(all["done_total"]); c == 0 {
		t.Error("the counter does not say since when it counts")
	}
	if err := pusher.Delete(); err != nil {
		t.Error(err)
	}
	g.lacks(t, `job="go"`)
}

// created returns since when the counter of a family counts, in seconds.
func created(f *dto.MetricFamily) int64 {
	return f.GetMetric()[0].GetCounter().GetCreatedTimestamp().GetSeconds()
}

// TestOptionsCurl: as scripts push, POST and PUT alike.
func TestOptionsCurl(t *testing.T) {
	curl := need(t, "curl", "curl")
	g := startGateway(t)
	const body = "# TYPE done_total counter\ndone_total 3\n# TYPE took_seconds histogram\ntook_seconds_bucket{le=\"1\"} 0\n" +
		"took_seconds_bucket{le=\"5\"} 1\ntook_seconds_bucket{le=\"+Inf\"} 1\ntook_seconds_sum 2\ntook_seconds_count 1\n# TYPE size_bytes gauge\nsize_bytes 7\n"
	for _, method := range []string{"POST", "PUT"} {
		if said := run(t, body, curl, "-sS", "-X", method, "-w", "%{http_code}", "--data-binary", "@-", g.url+options+"/metrics/job/curl"); said != "200" {
			t.Errorf("%s: %q", method, said)
		}
	}
	g.addsUp(t, "curl")
	if said := run(t, "", curl, "-sS", "-X", "DELETE", "-w", "%{http_code}", g.url+options+"/metrics/job/curl"); said != "202" {
		t.Errorf("DELETE: %q", said)
	}
	g.lacks(t, `job="curl"`)
}
