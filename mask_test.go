package holdfast

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"holdfast/internal/exposition"
)

func unchecked(o *Options) { o.Unchecked = true }

func mustPush(t *testing.T, g *Gateway, key Key, families []*exposition.Family) {
	t.Helper()
	if err := g.Push(t.Context(), Push{Key: key, Families: families, Time: time.Now()}); err != nil {
		t.Fatalf("push to %v: %v", key, err)
	}
}

func wantType(t *testing.T, g *Gateway, typ string, samples int) {
	t.Helper()
	page := scrapeText(t, g)
	if n := strings.Count(page, "# TYPE m "); n != 1 || !strings.Contains(page, "# TYPE m "+typ+"\n") || strings.Count(page, "\nm{") != samples {
		t.Errorf("scrape does not show m as %s with %d samples:\n%s", typ, samples, page)
	}
}

// Of a family with several types the one that most groups hold is exposed, ties by the least key; what
// is masked comes back when the others leave.
func TestTypeThatMostGroupsHoldIsExposed(t *testing.T) {
	g := newTestGateway(t, unchecked)
	mustPush(t, g, job("b"), oneMetric("m", dto.MetricType_GAUGE))
	mustPush(t, g, job("c"), oneMetric("m", dto.MetricType_COUNTER))
	wantType(t, g, "gauge", 1)
	mustPush(t, g, job("a"), oneMetric("m", dto.MetricType_COUNTER))
	wantType(t, g, "counter", 2)
	if n := g.index.families["m"].masked(); n != 1 {
		t.Errorf("%d groups are masked, want 1", n)
	}
	for _, name := range []string{"a", "c"} {
		if err := g.Delete(t.Context(), job(name)); err != nil {
			t.Fatal(err)
		}
	}
	wantType(t, g, "gauge", 1)
	checkTotals(t, g)
}

// Of equal series in two groups the one of the lesser key is exposed, and the other comes back when
// that one leaves.
func TestEqualSeriesAreMasked(t *testing.T) {
	g := newTestGateway(t, unchecked)
	zoned := NewKey(exposition.Label{Name: "job", Value: "a"}, exposition.Label{Name: "zone", Value: "x"})
	mustPush(t, g, zoned, oneMetric("m", dto.MetricType_GAUGE))
	mustPush(t, g, job("a"), []*exposition.Family{exposition.FromProto(&dto.MetricFamily{
		Name: proto.String("m"), Type: dto.MetricType_GAUGE.Enum(),
		Metric: []*dto.Metric{{Label: []*dto.LabelPair{{Name: proto.String("zone"), Value: proto.String("x")}}, Gauge: &dto.Gauge{Value: proto.Float64(99)}}},
	})})
	wantType(t, g, "gauge", 1)
	if page := scrapeText(t, g); !strings.Contains(page, " 99\n") {
		t.Errorf("the series of the lesser key is masked:\n%s", page)
	}
	if err := g.Delete(t.Context(), job("a")); err != nil {
		t.Fatal(err)
	}
	wantType(t, g, "gauge", 1)
	if page := scrapeText(t, g); strings.Contains(page, " 99\n") {
		t.Errorf("a series of a deleted group is exposed:\n%s", page)
	}
}

// The gateway's own families win over what is stored under their names.
func TestOwnFamiliesWin(t *testing.T) {
	engine := newKeeper()
	g := newTestGateway(t, func(o *Options) { o.Engine = engine })
	mustPush(t, g, job("a"), append(oneMetric("own_total", dto.MetricType_COUNTER), oneMetric("m", dto.MetricType_GAUGE)...))
	registry := prometheus.NewRegistry()
	own := prometheus.NewGauge(prometheus.GaugeOpts{Name: "own_total", Help: "The gateway's own."})
	registry.MustRegister(own)
	upgraded := newTestGateway(t, func(o *Options) { o.Engine, o.Own = engine, registry })
	page := scrapeText(t, upgraded)
	if !strings.Contains(page, "# TYPE own_total gauge\nown_total 0\n") || strings.Contains(page, "own_total{") {
		t.Errorf("the gateway's own family is not alone:\n%s", page)
	}
	wantType(t, upgraded, "gauge", 1)
	err := upgraded.Push(t.Context(), Push{Key: job("b"), Families: oneMetric("own_total", dto.MetricType_COUNTER), Time: time.Now()})
	if err == nil || !strings.Contains(err.Error(), "gathered metric family own_total has type COUNTER but should have GAUGE") {
		t.Errorf("push of another type: %v", err)
	}
	mustPush(t, upgraded, job("b"), oneMetric("own_total", dto.MetricType_GAUGE))
	if page := scrapeText(t, upgraded); !strings.Contains(page, "# HELP own_total The gateway's own.\n# TYPE own_total gauge\nown_total 0\nown_total{") {
		t.Errorf("own and pushed metrics of one type are not exposed together:\n%s", page)
	}
}
