package e2e

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/push"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protodelim"
)

// TestGoClient pushes protobuf with classic and native histograms and exemplars.
func TestGoClient(t *testing.T) {
	g := startGateway(t)
	both := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "took_seconds", Help: "time taken", Buckets: []float64{1, 5}, NativeHistogramBucketFactor: 1.1,
	})
	for _, seconds := range []float64{-2, 0, 0.5, 2, 3, 900} {
		both.(prometheus.ExemplarObserver).ObserveWithExemplar(seconds, prometheus.Labels{"trace_id": "abc"})
	}
	done := prometheus.NewCounter(prometheus.CounterOpts{Name: "done_total", Help: "jobs done"})
	done.(prometheus.ExemplarAdder).AddWithExemplar(3, prometheus.Labels{"trace_id": "def"})
	pusher := push.New(g.url, "go job").Grouping("path", "/var/tmp").Grouping("empty", "").Collector(both).Collector(done)
	if err := pusher.Push(); err != nil {
		t.Fatal(err)
	}
	size := prometheus.NewGauge(prometheus.GaugeOpts{Name: "size_bytes", Help: "size"})
	size.Set(7)
	if err := push.New(g.url, "go job").Grouping("empty", "").Grouping("path", "/var/tmp").Collector(size).Add(); err != nil {
		t.Fatal(err)
	}
	const key = `empty="",instance="",job="go+job",path="/var/tmp"`
	g.serves(t, `done_total{`+key+`} 3`, `size_bytes{`+key+`} 7`, `took_seconds_bucket{`+key+`,le="1"} 3`,
		`took_seconds_bucket{`+key+`,le="+Inf"} 6`, `took_seconds_count{`+key+`} 6`)
	all := g.protobufPage(t, "")
	holdHistogram(t, all["took_seconds"], both)
	if e := all["done_total"].GetMetric()[0].GetCounter().GetExemplar(); e.GetLabel()[0].GetValue() != "def" || e.GetValue() != 3 {
		t.Errorf("the exemplar of done_total is %v", e)
	}
	if err := pusher.Delete(); err != nil {
		t.Error(err)
	}
	if groups := g.groups(t); len(groups) != 0 {
		t.Errorf("groups after Delete: %v", groups)
	}
}

// holdHistogram compares what was scraped with what the client holds.
func holdHistogram(t *testing.T, f *dto.MetricFamily, from prometheus.Metric) {
	t.Helper()
	var want dto.Metric
	if err := from.Write(&want); err != nil {
		t.Fatal(err)
	}
	if len(f.GetMetric()) != 1 {
		t.Fatalf("the histogram has %d metrics, want 1", len(f.GetMetric()))
	}
	if got := f.GetMetric()[0].GetHistogram(); got.String() != want.GetHistogram().String() {
		t.Errorf("histogram\n got: %v\nwant: %v", got, want.GetHistogram())
	}
}

// TestGoClientRefusal: the client's error carries the gateway's words.
func TestGoClientRefusal(t *testing.T) {
	g := startGateway(t)
	own := prometheus.NewCounter(prometheus.CounterOpts{Name: "go_goroutines", Help: "not mine"})
	err := push.New(g.url, "j").Collector(own).Push()
	if err == nil || !strings.Contains(err.Error(), "go_goroutines has type COUNTER but should have GAUGE") {
		t.Errorf("the error is %v", err)
	}
}

// protobufPage decodes the delimited protobuf scrape under an escaping scheme, "" for the default.
func (g gateway) protobufPage(t *testing.T, escaping string) map[string]*dto.MetricFamily {
	t.Helper()
	from := bufio.NewReader(strings.NewReader(g.protobufBytes(t, escaping)))
	all := map[string]*dto.MetricFamily{}
	for {
		f := &dto.MetricFamily{}
		if err := protodelim.UnmarshalFrom(from, f); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("protobuf page: %v", err)
		}
		all[f.GetName()] = f
	}
}

func (g gateway) protobufBytes(t *testing.T, escaping string) string {
	t.Helper()
	accept := strings.ReplaceAll(protobufType, " ", "")
	if escaping != "" {
		accept += ";escaping=" + escaping
	}
	status, body := g.do(t, http.MethodGet, "/metrics", "", "Accept", accept)
	if status != http.StatusOK {
		t.Fatalf("protobuf scrape: %d %.400s", status, body)
	}
	return body
}
