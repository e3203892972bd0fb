package holdfast

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"

	"holdfast/internal/exposition"
)

// slow is the gateway as the reference works: it keeps families as sent, and checks a push by gathering
// everything that would be stored after it.
type slow map[Key]map[string]*dto.MetricFamily

// push applies a push as the reference does and reports whether it accepted it.
func (s slow) push(key Key, mode Mode, families []*dto.MetricFamily, at time.Time) bool {
	following, sound := s.follow(key, mode, families)
	following[pushTimeName] = stamp(pushTimeName, pushTimeHelp, key, at)
	if following[failureTimeName] == nil {
		following[failureTimeName] = stamp(failureTimeName, failureTimeHelp, key, time.Unix(0, 0))
	}
	if _, err := s.with(key, following).gather(); err == nil && sound {
		s[key] = following
		return true
	}
	s.refuse(key, at)
	return false
}

// refuse notes a refused push.
func (s slow) refuse(key Key, at time.Time) {
	failed := map[string]*dto.MetricFamily{}
	for name, mf := range s[key] {
		failed[name] = mf
	}
	failed[failureTimeName] = stamp(failureTimeName, failureTimeHelp, key, at)
	if failed[pushTimeName] == nil {
		failed[pushTimeName] = stamp(pushTimeName, pushTimeHelp, key, time.Unix(0, 0))
	}
	// Unlike the reference: a key that is itself at fault leaves no trace.
	if _, err := s.with(key, failed).gather(); err == nil {
		s[key] = failed
	}
}

// follow returns the families of the group that a push makes, and whether they can be made at all.
func (s slow) follow(key Key, mode Mode, families []*dto.MetricFamily) (following map[string]*dto.MetricFamily, sound bool) {
	following = map[string]*dto.MetricFamily{}
	for name, mf := range s[key] {
		if mode != ReplaceGroup || name == failureTimeName {
			following[name] = mf
		}
	}
	laid := map[string]*dto.MetricFamily{}
	for _, mf := range families {
		laid[mf.GetName()] = lay(mf, key)
	}
	if mode == Upsert || mode == Add {
		return following, s.layOver(following, laid, mode)
	}
	maps.Copy(following, laid)
	return following, true
}

func (s slow) with(key Key, group map[string]*dto.MetricFamily) slow {
	all := slow{}
	for k, g := range s {
		all[k] = g
	}
	all[key] = group
	return all
}

// gather merges all groups' families by name and has client_golang check them.
func (s slow) gather() ([]*dto.MetricFamily, error) {
	merged := map[string]*dto.MetricFamily{}
	var families []*dto.MetricFamily
	keys := make([]Key, 0, len(s))
	for key := range s {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, Key.Compare)
	for _, key := range keys {
		for name, mf := range s[key] {
			if merged[name] == nil {
				merged[name] = &dto.MetricFamily{Name: mf.Name, Help: mf.Help, Type: mf.Type}
				families = append(families, merged[name])
			}
			merged[name].Metric = append(merged[name].Metric, mf.Metric...)
		}
	}
	return prometheus.Gatherers{prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return families, nil })}.Gather()
}

func stamp(name, help string, key Key, at time.Time) *dto.MetricFamily {
	return lay(&dto.MetricFamily{
		Name: proto.String(name), Help: proto.String(help), Type: dto.MetricType_GAUGE.Enum(),
		Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: proto.Float64(float64(at.UnixNano()) / 1e9)}}},
	}, key)
}

// lay forces the labels of a key onto a copy of a family.
func lay(mf *dto.MetricFamily, key Key) *dto.MetricFamily {
	laid := proto.Clone(mf).(*dto.MetricFamily)
	for _, m := range laid.Metric {
		labels := map[string]string{instanceLabel: ""}
		for _, l := range m.Label {
			labels[l.GetName()] = l.GetValue()
		}
		for _, l := range key.Labels() {
			labels[l.Name] = l.Value
		}
		m.Label = nil
		for name, value := range labels {
			m.Label = append(m.Label, &dto.LabelPair{Name: proto.String(name), Value: proto.String(value)})
		}
		slices.SortFunc(m.Label, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
	}
	return laid
}

// generator makes pushes from few names and values, so that they clash often.
type generator struct{ *rand.Rand }

func (r generator) pick(from ...string) string { return from[r.IntN(len(from))] }

func (r generator) key() Key {
	labels := exposition.Labels{{Name: "job", Value: r.pick("a", "b", "c")}}
	for _, name := range []string{"instance", "zone"} {
		if r.IntN(3) == 0 {
			labels = append(labels, exposition.Label{Name: name, Value: r.pick("", "x", "y")})
		}
	}
	return NewKey(labels...)
}

func (r generator) families() []*dto.MetricFamily {
	var families []*dto.MetricFamily
	for _, name := range []string{"m", "m_count", "m_sum", "m_bucket", "n", "go_goroutines"} {
		if r.IntN(4) != 0 {
			continue
		}
		typ := dto.MetricType(r.IntN(5))
		if r.IntN(3) != 0 {
			typ = dto.MetricType_GAUGE
		}
		mf := &dto.MetricFamily{Name: proto.String(name), Type: typ.Enum()}
		for range 1 + r.IntN(3) {
			mf.Metric = append(mf.Metric, r.metric(typ))
		}
		families = append(families, mf)
	}
	return families
}

func (r generator) metric(typ dto.MetricType) *dto.Metric {
	m := &dto.Metric{}
	for _, name := range []string{"instance", "l", "zone"} {
		if r.IntN(2) == 0 {
			m.Label = append(m.Label, &dto.LabelPair{Name: proto.String(name), Value: proto.String(r.pick("", "x", "y"))})
		}
	}
	value := proto.Float64(float64(r.IntN(5)))
	switch typ {
	case dto.MetricType_COUNTER:
		m.Counter = &dto.Counter{Value: value}
	case dto.MetricType_GAUGE:
		m.Gauge = &dto.Gauge{Value: value}
	case dto.MetricType_UNTYPED:
		m.Untyped = &dto.Untyped{Value: value}
	case dto.MetricType_SUMMARY:
		m.Summary = &dto.Summary{SampleSum: value, SampleCount: proto.Uint64(3), Quantile: []*dto.Quantile{{Quantile: proto.Float64(0.5), Value: value}}}
	case dto.MetricType_HISTOGRAM:
		m.Histogram = &dto.Histogram{SampleSum: value, SampleCount: proto.Uint64(3), Bucket: []*dto.Bucket{{UpperBound: proto.Float64(1), CumulativeCount: proto.Uint64(2)}}}
	}
	return m
}

func newTestGateway(t testing.TB, change func(*Options)) *Gateway {
	t.Helper()
	o := Options{Engine: NewMemory(), Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for deadline := time.After(30 * time.Second); g.Ready() != nil; {
		select {
		case <-deadline:
			t.Fatal("the gateway is not ready")
		case <-time.After(time.Millisecond):
		}
	}
	return g
}

// waitForNotices returns once failure times that were on their way to the engine have arrived.
func waitForNotices(g *Gateway) {
	g.gate.Lock()
	defer g.gate.Unlock()
}

func decoded(families []*dto.MetricFamily) []*exposition.Family {
	var all []*exposition.Family
	for _, mf := range families {
		all = append(all, exposition.FromProto(proto.Clone(mf).(*dto.MetricFamily)))
	}
	return all
}

func scrapeText(t testing.TB, g *Gateway) string {
	t.Helper()
	var page bytes.Buffer
	if err := g.Scrape(t.Context(), &page, ScrapeOptions{Format: exposition.Format{Syntax: exposition.Text, Escaping: model.UnderscoreEscaping}}); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

// Whatever is pushed in whatever order, the gateway must accept and expose what the reference would.
func TestGatewayAgainstModel(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := generator{rand.New(rand.NewPCG(seed, 5))}
			g, oracle := newTestGateway(t, nil), slow{}
			now := time.Unix(1_700_000_000, 0)
			for step := range 250 {
				key := r.key()
				now = now.Add(2 * time.Second)
				switch n := r.IntN(20); {
				case n == 0:
					if err := g.Delete(t.Context(), key); err != nil {
						t.Fatal(err)
					}
					delete(oracle, key)
				case n == 1 && r.IntN(10) == 0:
					if err := g.Wipe(t.Context()); err != nil {
						t.Fatal(err)
					}
					clear(oracle)
				default:
					mode, families := Mode(r.IntN(2)), r.families()
					err := g.Push(t.Context(), Push{Key: key, Mode: mode, Families: decoded(families), Time: now})
					if accepted := oracle.push(key, mode, families, now); accepted != (err == nil) {
						t.Fatalf("step %d: push of %v to %v: reference accepts: %v, gateway says %v", step, families, key, accepted, err)
					}
				}
				if step%10 == 0 {
					compareScrape(t, g, oracle)
				}
			}
			checkTotals(t, g)
		})
	}
}

func compareScrape(t *testing.T, g *Gateway, oracle slow) {
	t.Helper()
	families, err := oracle.gather()
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	for _, mf := range families {
		if _, err := expfmt.MetricFamilyToText(&want, mf); err != nil {
			t.Fatal(err)
		}
	}
	got, wanted := strings.Split(scrapeText(t, g), "\n"), strings.Split(want.String(), "\n")
	slices.Sort(got)
	slices.Sort(wanted)
	if !slices.Equal(got, wanted) {
		t.Fatalf("scrape differs:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(wanted, "\n"))
	}
}

// checkTotals adds up what is stored and compares it with what was counted along the way.
func checkTotals(t *testing.T, g *Gateway) {
	t.Helper()
	x := g.index
	x.mu.Lock()
	defer x.mu.Unlock()
	var sum totals
	for _, group := range x.groups {
		sum.series += group.series
		sum.bytes += group.size
	}
	if sum != x.totals || x.order.count != len(x.groups) || len(x.claims) != 0 {
		t.Errorf("counted %+v, stored are %+v; %d in order, %d groups; %d claims", x.totals, sum, x.order.count, len(x.groups), len(x.claims))
	}
	for name, f := range x.families {
		for _, held := range f.types {
			blocks := 0
			if v := f.variant(held.typ); v != nil {
				blocks = v.blocks.count
			}
			if held.claimed != 0 || held.exposed != blocks {
				t.Errorf("family %s: %+v, but %d blocks", name, held, blocks)
			}
		}
	}
}
