package holdfast

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"holdfast/internal/exposition"
)

func TestLimits(t *testing.T) {
	labelled := func(value string) []*exposition.Family {
		return []*exposition.Family{exposition.FromProto(&dto.MetricFamily{
			Name: proto.String("m"), Type: dto.MetricType_GAUGE.Enum(),
			Metric: []*dto.Metric{{Label: []*dto.LabelPair{{Name: proto.String("l"), Value: proto.String(value)}}, Gauge: &dto.Gauge{}}},
		})}
	}
	two := append(oneMetric("m", dto.MetricType_GAUGE), oneMetric("n", dto.MetricType_GAUGE)...)
	for _, test := range []struct {
		limit  string
		limits Limits
		key    Key
		push   []*exposition.Family
		kind   Kind
	}{
		{"label-bytes", Limits{LabelBytes: 8}, job("a"), labelled("too long a value"), TooLarge},
		{"label-bytes", Limits{LabelBytes: 8}, job("too long a job"), nil, TooLarge},
		{"series-per-group", Limits{SeriesPerGroup: 3}, job("a"), two, TooLarge},
		{"groups", Limits{Groups: 1}, job("b"), nil, TooMany},
		{"series", Limits{Series: 5}, job("b"), two, TooMany},
	} {
		t.Run(test.limit, func(t *testing.T) {
			g := newTestGateway(t, func(o *Options) { o.Limits = test.limits })
			steady := Push{Key: job("held"), Families: oneMetric("m", dto.MetricType_GAUGE), Time: time.Now()}
			if err := g.Push(t.Context(), steady); err != nil {
				t.Fatal(err)
			}
			before := scrapeText(t, g)
			err := g.Push(t.Context(), Push{Key: test.key, Families: test.push, Time: time.Now()})
			var refusal *Refusal
			if !errors.As(err, &refusal) || refusal.Kind != test.kind || !strings.Contains(refusal.Text("", 0), "--limit."+test.limit) {
				t.Fatalf("push over the limit: %v", err)
			}
			if (refusal.RetryAfter > 0) != (test.kind == TooMany) {
				t.Errorf("retry after %v", refusal.RetryAfter)
			}
			if after := scrapeText(t, g); after != before {
				t.Errorf("the refusal left a trace:\n%s", after)
			}
			if n := testutil.ToFloat64(g.meters.limitRefusals.WithLabelValues(test.limit)); n != 1 {
				t.Errorf("refusal was counted %v times", n)
			}
			steady.Time = steady.Time.Add(time.Second)
			if err := g.Push(t.Context(), steady); err != nil {
				t.Errorf("a push that raises no count was refused: %v", err)
			}
		})
	}
}

// 10,000 pushers that never get one push right leave no more groups than the limit, and what is counted
// and held matches what is left: the newest failures.
func TestFailedGroupsAreBounded(t *testing.T) {
	const limit, pushers = 1000, 10_000
	registry := prometheus.NewRegistry()
	g := newTestGateway(t, func(o *Options) { o.Limits.FailedGroups, o.Registry = limit, registry })
	accept := Push{Key: job("good"), Families: oneMetric("m", dto.MetricType_GAUGE), Time: time.Now()}
	if err := g.Push(t.Context(), accept); err != nil {
		t.Fatal(err)
	}
	one := g.index.groups[job("good")].series
	for i := range pushers {
		p := Push{Key: job(fmt.Sprintf("bad%05d", i)), Families: oneMetric("m", dto.MetricType_COUNTER), Time: time.Now()}
		if err := g.Push(t.Context(), p); err == nil {
			t.Fatal("a push of the wrong type was accepted")
		}
	}
	waitForNotices(g)
	checkTotals(t, g)
	for _, want := range []struct {
		metric string
		value  float64
	}{
		{"holdfast_groups", limit + 1},
		{"holdfast_failed_groups", limit},
		{"holdfast_series", float64(2*limit + one)},
		{"holdfast_held_bytes", float64(g.index.bytes)},
	} {
		if got := gathered(t, registry, want.metric); got != want.value {
			t.Errorf("%s is %v, want %v", want.metric, got, want.value)
		}
	}
	if n := testutil.ToFloat64(g.meters.refusals.WithLabelValues("type")); n != pushers {
		t.Errorf("%v refusals were counted, want %d", n, pushers)
	}
	if g.index.groups[job("bad09999")] == nil || g.index.groups[job("bad00000")] != nil {
		t.Error("not the oldest failures have left")
	}
}

func gathered(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, mf := range families {
		if mf.GetName() == name {
			return mf.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no %s", name)
	return 0
}

// A group that never saw an accepted push leaves by itself; a failure renews it, an accepted push keeps
// it for good.
func TestFailedGroupsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := New(Options{Engine: NewMemory(), Logger: slog.New(slog.DiscardHandler), Limits: Limits{FailedGroupTTL: 24 * time.Hour}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		go g.Run(ctx)
		synctest.Wait()
		push := func(key Key, typ dto.MetricType) {
			_ = g.Push(ctx, Push{Key: key, Families: oneMetric("m", typ), Time: time.Now()})
			synctest.Wait()
		}
		push(job("good"), dto.MetricType_GAUGE)
		push(job("once"), dto.MetricType_COUNTER)
		push(job("again"), dto.MetricType_COUNTER)
		push(job("mended"), dto.MetricType_COUNTER)
		held := func() string {
			synctest.Wait()
			_, groups, err := g.Groups()
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for group := range groups {
				names = append(names, group.Key().Labels()[0].Value)
			}
			return strings.Join(names, " ")
		}
		<-time.After(23 * time.Hour) // fake time
		push(job("again"), dto.MetricType_COUNTER)
		push(job("mended"), dto.MetricType_GAUGE)
		if got := held(); got != "again good mended once" {
			t.Errorf("after 23 h there are %q", got)
		}
		<-time.After(time.Hour + time.Second)
		if got := held(); got != "again good mended" {
			t.Errorf("after 24 h there are %q", got)
		}
		<-time.After(23 * time.Hour)
		if got := held(); got != "good mended" {
			t.Errorf("24 h after the second failure there are %q", got)
		}
		cancel()
	})
}
