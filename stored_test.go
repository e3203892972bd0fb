package holdfast

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"holdfast/internal/exposition"
)

// keeper is an engine that keeps its records in a map, for as long as the test holds it.
type keeper struct {
	*Memory
	records map[string][]byte
	written int // records written or removed
}

func newKeeper() *keeper { return &keeper{Memory: NewMemory(), records: map[string][]byte{}} }

func (k *keeper) Commit(ctx context.Context, c Commit) (Revision, error) {
	revision, err := k.Memory.Commit(ctx, c)
	if err != nil {
		return 0, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.Wipe {
		clear(k.records)
	}
	for _, ch := range c.Changes {
		k.written++
		delete(k.records, ch.Key)
		if ch.Value != nil {
			if k.records[ch.Key], err = ch.Value.AppendBinary(nil); err != nil {
				return 0, err
			}
		}
	}
	return revision, nil
}

func (k *keeper) Follow(ctx context.Context) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, key := range slices.Sorted(maps.Keys(k.records)) {
			if !yield(Record{Key: key, Value: k.records[key], Revision: k.at[key]}, nil) {
				return
			}
		}
		if yield(Record{}, nil) {
			<-ctx.Done()
		}
	}
}

// What a gateway stored must come back to the bit: every page, every time, every label.
func TestRestartServesTheSame(t *testing.T) {
	engine := newKeeper()
	g := newTestGateway(t, func(o *Options) { o.Engine = engine })
	r := generator{rand.New(rand.NewPCG(9, 9))}
	now := time.Unix(1_700_000_000, 123_456_789)
	for range 500 {
		now = now.Add(time.Second + 7*time.Nanosecond)
		if r.IntN(12) == 0 {
			if err := g.Delete(t.Context(), r.key()); err != nil {
				t.Fatal(err)
			}
			continue
		}
		_ = g.Push(t.Context(), Push{Key: r.key(), Mode: Mode(r.IntN(2)), Families: decoded(r.families()), Time: now})
	}
	precise := []float64{math.Copysign(0, -1), math.NaN(), math.SmallestNonzeroFloat64, math.MaxFloat64, 0.1}
	for i, v := range precise {
		mf := &dto.MetricFamily{Name: proto.String("precise"), Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: proto.Float64(v)}}}}
		if err := g.Push(t.Context(), Push{Key: job(fmt.Sprint("precise", i)), Families: decoded([]*dto.MetricFamily{mf}), Time: now}); err != nil {
			t.Fatal(err)
		}
	}
	waitForNotices(g)
	again := newTestGateway(t, func(o *Options) { o.Engine = engine })
	if before, after := scrapeText(t, g), scrapeText(t, again); before != after {
		t.Errorf("scrape before:\n%s\nafter:\n%s", before, after)
	}
	compareGroups(t, g, again)
	checkTotals(t, again)
	if before, after := g.failures.count(), again.failures.count(); before != after || before == 0 {
		t.Errorf("%d groups without an accepted push before, %d after", before, after)
	}
	// The next change of each group must find its revision guarded.
	for key := range g.index.groups {
		if err := again.Delete(t.Context(), key); err != nil {
			t.Errorf("delete of %v after the restart: %v", key, err)
		}
	}
	if len(engine.records) != 0 {
		t.Errorf("%d records are left of no group", len(engine.records))
	}
}

func compareGroups(t *testing.T, g, again *Gateway) {
	t.Helper()
	for key, before := range g.index.groups {
		after := again.index.groups[key]
		if after == nil || after.pushed != before.pushed || after.failed != before.failed || after.revision != before.revision {
			t.Errorf("group %v was %+v, is %+v", key, before, after)
			continue
		}
		for i, m := range before.members {
			n := after.members[i]
			if *m.Header != *n.Header || m.pushed != n.pushed || !bytes.Equal(m.Proto(), n.Proto()) || m.Series() != n.Series() || m.Plain() != n.Plain() {
				t.Errorf("family %s of %v was %+v, is %+v", m.Name, key, m, n)
			}
		}
	}
}

// A record that is damaged, missing or too much stops the start, and says whose it is.
func TestDamagedRecordStopsStart(t *testing.T) {
	push := func() *keeper {
		engine := newKeeper()
		g := newTestGateway(t, func(o *Options) { o.Engine = engine })
		if err := g.Push(t.Context(), Push{Key: job("a"), Families: longFamily("m"), Time: time.Now()}); err != nil {
			t.Fatal(err)
		}
		return engine
	}
	own, family := groupKey(job("a")), familyKey(job("a"), "m")
	for name, damage := range map[string]func(k *keeper){
		"flipped group":   func(k *keeper) { k.records[own][8] ^= 1 },
		"flipped family":  func(k *keeper) { k.records[family][len(k.records[family])-1] ^= 1 },
		"flipped version": func(k *keeper) { k.records[family][0] ^= 4 },
		"cut family":      func(k *keeper) { k.records[family] = k.records[family][:4] },
		"missing group":   func(k *keeper) { delete(k.records, own) },
		"missing family":  func(k *keeper) { delete(k.records, family) },
		"stray family":    func(k *keeper) { k.records[familyKey(job("a"), "n")] = k.records[family] },
	} {
		t.Run(name, func(t *testing.T) {
			engine := push()
			damage(engine)
			g, err := New(Options{Engine: engine})
			if err != nil {
				t.Fatal(err)
			}
			if err := g.Run(t.Context()); err == nil || !strings.Contains(err.Error(), `{job="a"}`) {
				t.Errorf("start over the damage: %v", err)
			}
			if _, err := Verify(t.Context(), engine); err == nil {
				t.Error("Verify found nothing")
			}
		})
	}
}

// Groups of another gateway keep their times, those of each family among them; what cannot stand is named.
func TestImport(t *testing.T) {
	engine := newKeeper()
	number := func(name string, v float64) *exposition.Family {
		return exposition.FromProto(&dto.MetricFamily{
			Name: proto.String(name), Type: dto.MetricType_GAUGE.Enum(),
			Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: proto.Float64(v)}}},
		})
	}
	at := time.Unix(1_700_000_000, 123_456_789)
	groups := []Imported{
		{Labels: exposition.Labels{{Name: "job", Value: "a"}}, Families: []ImportedFamily{
			{number("m", 1), at.Add(-time.Hour)}, {number(pushTimeName, float64(at.UnixNano())/1e9), at}, {number(failureTimeName, 0), at},
		}},
		{Labels: exposition.Labels{{Name: "job", Value: "\xff"}}},
	}
	if empty, err := Empty(t.Context(), engine); !empty || err != nil {
		t.Errorf("an engine without records is empty: %v (%v)", empty, err)
	}
	refused, err := Import(t.Context(), engine, groups, "imported", "F 1")
	if err != nil || len(refused) != 1 || !strings.Contains(refused[0].Error(), "UTF-8") {
		t.Fatalf("import: %v, refused %v", err, refused)
	}
	if text, found, err := FindMark(t.Context(), engine, "imported"); text != "F 1" || !found || err != nil {
		t.Errorf("mark is %q, %v (%v)", text, found, err)
	}
	if empty, err := Empty(t.Context(), engine); empty || err != nil {
		t.Errorf("an engine with an imported group is empty: %v (%v)", empty, err)
	}
	g := newTestGateway(t, func(o *Options) { o.Engine = engine })
	group := g.index.groups[job("a")]
	if group == nil || !group.Pushed().Equal(at) || !group.Failed().IsZero() {
		t.Fatalf("group is %+v", group)
	}
	if m, _ := group.Member("m"); !m.Pushed().Equal(at.Add(-time.Hour)) {
		t.Errorf("family was pushed %v", m.Pushed())
	}
	if page := scrapeText(t, g); !strings.Contains(page, "\nm{instance=\"\",job=\"a\"} 1\n") {
		t.Errorf("scrape shows\n%s", page)
	}
}
