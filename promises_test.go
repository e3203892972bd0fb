package holdfast

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"holdfast/internal/exposition"
)

// A group's times never go back, whatever order concurrent pushes arrive in.
func TestTimesNeverGoBack(t *testing.T) {
	g := newTestGateway(t, nil)
	late := time.Unix(1_700_000_100, 0)
	push := func(typ dto.MetricType, at time.Time) {
		_ = g.Push(t.Context(), Push{Key: job("a"), Families: oneMetric("m", typ), Time: at})
		waitForNotices(g)
	}
	mustPush(t, g, job("other"), oneMetric("m", dto.MetricType_GAUGE))
	push(dto.MetricType_GAUGE, late)
	push(dto.MetricType_GAUGE, late.Add(-time.Minute))
	if got := g.index.groups[job("a")].Pushed(); !got.Equal(late) {
		t.Errorf("push time went from %v to %v", late, got)
	}
	push(dto.MetricType_COUNTER, late.Add(time.Minute))
	push(dto.MetricType_COUNTER, late.Add(-time.Hour))
	if got := g.index.groups[job("a")].Failed(); !got.Equal(late.Add(time.Minute)) {
		t.Errorf("failure time went back to %v", got)
	}
}

// A failure right after a success is noted even if the last failure is less than a second ago.
func TestFailureAfterSuccessIsNoted(t *testing.T) {
	g := newTestGateway(t, nil)
	mustPush(t, g, job("other"), oneMetric("m", dto.MetricType_GAUGE))
	at := time.Unix(1_700_000_000, 0)
	for i, typ := range []dto.MetricType{dto.MetricType_COUNTER, dto.MetricType_GAUGE, dto.MetricType_COUNTER} {
		_ = g.Push(t.Context(), Push{Key: job("a"), Families: oneMetric("m", typ), Time: at.Add(time.Duration(i) * time.Millisecond)})
		waitForNotices(g)
	}
	if group := g.index.groups[job("a")]; group.LastPushSucceeded() || !group.Failed().Equal(at.Add(2*time.Millisecond)) {
		t.Errorf("last push succeeded: %v, failed at %v", group.LastPushSucceeded(), group.Failed())
	}
}

// To evict is to remove a group without an accepted push, and no other.
func TestEvictSparesGoodGroups(t *testing.T) {
	g := newTestGateway(t, nil)
	mustPush(t, g, job("good"), oneMetric("m", dto.MetricType_GAUGE))
	_ = g.Push(t.Context(), Push{Key: job("bad"), Families: oneMetric("m", dto.MetricType_COUNTER), Time: time.Now()})
	waitForNotices(g)
	for name, want := range map[string]bool{"good": false, "bad": true, "none": false} {
		if removed, err := g.evict(job(name)); removed != want || err != nil {
			t.Errorf("evict of %s removed: %v (%v)", name, removed, err)
		}
	}
	if g.index.groups[job("good")] == nil || g.index.groups[job("bad")] != nil {
		t.Error("the wrong groups are left")
	}
}

// A suffix clash with a claim in flight waits for its outcome, too.
func TestSuffixClashInFlightWaits(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
		first := pushAsync(g, job("a"), oneMetric("m", dto.MetricType_HISTOGRAM))
		synctest.Wait()
		second := pushAsync(g, job("b"), oneMetric("m_count", dto.MetricType_GAUGE))
		synctest.Wait()
		e.answers <- ErrUnavailable
		synctest.Wait()
		e.answers <- nil
		synctest.Wait()
		if err := <-first; err == nil {
			t.Error("the first push was accepted though the engine failed")
		}
		if err := <-second; err != nil {
			t.Errorf("the second push was refused by a claim that came to nothing: %v", err)
		}
	})
}

// A push of one family to a large group writes that family and the group's own record, however many it has.
func TestPushWritesWhatItTouches(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
		for i := range 100 {
			answer := pushAsync(g, job("a"), longFamily(fmt.Sprintf("m%02d", i)))
			e.answers <- nil
			if err := <-answer; err != nil {
				t.Fatal(err)
			}
		}
		var keys []string
		for _, ch := range e.committed()[99].Changes {
			_, name, _ := strings.Cut(ch.Key, recordSeparator)
			keys = append(keys, name)
		}
		if got := strings.Join(keys, " "); got != " m99" {
			t.Errorf("the last push wrote %q", got)
		}
	})
}

// What claims in flight would add counts against the limits.
func TestLimitsCountClaims(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
		g.Limits.Series = 3
		first := pushAsync(g, job("a"), oneMetric("m", dto.MetricType_GAUGE))
		synctest.Wait()
		second := pushAsync(g, job("b"), oneMetric("m", dto.MetricType_GAUGE))
		synctest.Wait()
		var refusal *Refusal
		if !answered(second) || !errors.As(<-second, &refusal) || refusal.Kind != TooMany {
			t.Errorf("the second push was not refused: %v", refusal)
		}
		e.answers <- nil
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}

// A store that is over a limit that was lowered since takes pushes that raise no count, and failures of
// new groups leave no trace above the limit of groups.
func TestLoweredLimits(t *testing.T) {
	engine := newKeeper()
	g := newTestGateway(t, func(o *Options) { o.Engine = engine })
	for _, name := range []string{"a", "b", "c"} {
		mustPush(t, g, job(name), oneMetric("m", dto.MetricType_GAUGE))
	}
	again := newTestGateway(t, func(o *Options) { o.Engine, o.Limits = engine, Limits{Series: 1, Groups: 1} })
	mustPush(t, again, job("a"), oneMetric("m", dto.MetricType_GAUGE))
	_ = again.Push(t.Context(), Push{Key: job("d"), Families: oneMetric("m", dto.MetricType_COUNTER), Time: time.Now()})
	waitForNotices(again)
	if again.index.groups[job("d")] != nil {
		t.Error("a refused push made a group above the limit")
	}
}

// Groups that never saw an accepted push do not take the place of honest ones.
func TestFailedGroupsDoNotFillTheGateway(t *testing.T) {
	g := newTestGateway(t, func(o *Options) { o.Limits.Groups = 3 })
	mustPush(t, g, job("a"), oneMetric("m", dto.MetricType_GAUGE))
	for i := range 5 {
		_ = g.Push(t.Context(), Push{Key: job(fmt.Sprint("bad", i)), Families: oneMetric("m", dto.MetricType_COUNTER), Time: time.Now()})
	}
	waitForNotices(g)
	if n := len(g.index.groups); n > 3 {
		t.Errorf("%d groups, the limit is 3", n)
	}
	mustPush(t, g, job("b"), oneMetric("m", dto.MetricType_GAUGE))
	mustPush(t, g, job("c"), oneMetric("m", dto.MetricType_GAUGE))
	if err := g.Push(t.Context(), Push{Key: job("d"), Families: oneMetric("m", dto.MetricType_GAUGE), Time: time.Now()}); err == nil {
		t.Error("a fourth group was accepted")
	}
}

// Families that were stored under names that are the gateway's now are masked, escaped ones too, whether
// the gateway exposes the name at the moment or not.
func TestStoredOwnNamesAreMasked(t *testing.T) {
	engine := newKeeper()
	var families []ImportedFamily
	for _, name := range []string{"holdfast_groups", "pushgateway_future", "pushgateway.future", "kept"} {
		families = append(families, ImportedFamily{exposition.FromProto(&dto.MetricFamily{
			Name: proto.String(name), Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: proto.Float64(77)}}},
		}), time.Now()})
	}
	if _, err := Import(t.Context(), engine, []Imported{{exposition.Labels{{Name: "job", Value: "a"}}, families}}, "test", ""); err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	g := newTestGateway(t, func(o *Options) { o.Engine, o.Own, o.Registry = engine, registry, registry })
	if page := scrapeText(t, g); strings.Count(page, " 77\n") != 1 || !strings.Contains(page, "\nkept{") {
		t.Errorf("not just the family of a name of its own is exposed:\n%s", page)
	}
}

// Clashes that were let in are masked after a restart with the check on, too.
func TestMaskSurvivesRestart(t *testing.T) {
	engine := newKeeper()
	g := newTestGateway(t, func(o *Options) { o.Engine, o.Unchecked = engine, true })
	zoned := NewKey(exposition.Label{Name: "job", Value: "a"}, exposition.Label{Name: "zone", Value: "x"})
	mustPush(t, g, zoned, oneMetric("m", dto.MetricType_GAUGE))
	mustPush(t, g, job("a"), []*exposition.Family{exposition.FromProto(&dto.MetricFamily{
		Name: proto.String("m"), Type: dto.MetricType_GAUGE.Enum(),
		Metric: []*dto.Metric{{Label: []*dto.LabelPair{{Name: proto.String("zone"), Value: proto.String("x")}}, Gauge: &dto.Gauge{Value: proto.Float64(99)}}},
	})})
	mustPush(t, g, job("b"), oneMetric("n", dto.MetricType_HISTOGRAM))
	mustPush(t, g, job("c"), oneMetric("n_sum", dto.MetricType_GAUGE))
	before := scrapeText(t, g)
	again := newTestGateway(t, func(o *Options) { o.Engine = engine })
	if after := scrapeText(t, again); after != before || strings.Count(after, "\nm{") != 1 || strings.Contains(after, "# TYPE n_sum ") {
		t.Errorf("scrape before:\n%s\nafter:\n%s", before, after)
	}
	snap := again.index.snapshot()
	for name, want := range map[string]int{"m": 1, "n": 0, "n_sum": 1} {
		if f, _ := snap.names.get(name); snap.masked(f, nil) != want {
			t.Errorf("%s is masked in %d groups, want %d", name, snap.masked(f, nil), want)
		}
	}
}
