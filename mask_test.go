package holdfast

import (
	"slices"
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
	snap := g.index.snapshot()
	if n := snap.masked(g.index.families["m"], nil); n != 1 {
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

// Of two families that no page may show together the one that more groups hold is exposed, ties by the
// lesser name; the gateway's own always win; and what a group clashes with in itself is refused.
func TestCollidingFamiliesAreMasked(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewSummary(prometheus.SummaryOpts{Name: "own_seconds", Help: "The gateway's own."}))
	g := newTestGateway(t, func(o *Options) { o.Unchecked, o.Own = true, registry })
	mustPush(t, g, job("a"), oneMetric("m", dto.MetricType_HISTOGRAM))
	mustPush(t, g, job("b"), oneMetric("m_count", dto.MetricType_GAUGE))
	mustPush(t, g, job("c"), oneMetric("strange.name", dto.MetricType_GAUGE))
	mustPush(t, g, job("d"), oneMetric("strange_name", dto.MetricType_GAUGE))
	mustPush(t, g, job("e"), oneMetric("own_seconds_count", dto.MetricType_GAUGE))
	shows := func(want ...string) {
		t.Helper()
		page := scrapeText(t, g)
		for _, line := range []string{"# TYPE m histogram", "# TYPE m_count gauge", "# TYPE strange_name gauge", "# TYPE own_seconds_count gauge"} {
			if n := strings.Count(page, line+"\n"); n > 1 || n == 1 != slices.Contains(want, line) {
				t.Errorf("%q is there %d times, want %q:\n%s", line, n, want, page)
			}
		}
	}
	shows("# TYPE m histogram", "# TYPE strange_name gauge")
	mustPush(t, g, job("f"), oneMetric("m_count", dto.MetricType_GAUGE))
	shows("# TYPE m_count gauge", "# TYPE strange_name gauge")
	if err := g.Delete(t.Context(), job("a")); err != nil {
		t.Fatal(err)
	}
	shows("# TYPE m_count gauge", "# TYPE strange_name gauge")
	both := append(oneMetric("n", dto.MetricType_SUMMARY), oneMetric("n_sum", dto.MetricType_GAUGE)...)
	if err := g.Push(t.Context(), Push{Key: job("g"), Families: both, Time: time.Now()}); err == nil {
		t.Error("a group that clashes with itself was accepted")
	}
}
