package holdfast

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
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
}

func newKeeper() *keeper { return &keeper{NewMemory(), map[string][]byte{}} }

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
		if err := g.Push(t.Context(), Push{Key: job("a"), Families: oneMetric("m", dto.MetricType_HISTOGRAM), Time: time.Now()}); err != nil {
			t.Fatal(err)
		}
		return engine
	}
	header, family := headerKey(job("a")), familyKey(job("a"), "m")
	for name, damage := range map[string]func(k *keeper){
		"flipped header":  func(k *keeper) { k.records[header][8] ^= 1 },
		"flipped family":  func(k *keeper) { k.records[family][len(k.records[family])-1] ^= 1 },
		"flipped version": func(k *keeper) { k.records[family][0] ^= 2 },
		"cut family":      func(k *keeper) { k.records[family] = k.records[family][:4] },
		"missing header":  func(k *keeper) { delete(k.records, header) },
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

// Records of every version that was ever written must stay readable: the goldens are never rewritten.
func TestRecordGoldens(t *testing.T) {
	files, err := filepath.Glob("testdata/records/v*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			header, err := os.ReadFile(filepath.Join(file, "header"))
			if err != nil {
				t.Fatal(err)
			}
			group, names, err := decodeHeader(job("golden"), header)
			if err != nil || group.pushed != 1_700_000_000_123_456_789 || group.failed != 1_600_000_000_000_000_001 ||
				!slices.Equal(names, []string{"golden_seconds", failureTimeName, pushTimeName}) {
				t.Errorf("header is %+v, %q (%v)", group, names, err)
			}
			for name, help := range map[string]string{"plain": "", "compressed": strings.Repeat("help ", 200)} {
				record, err := os.ReadFile(filepath.Join(file, name))
				if err != nil {
					t.Fatal(err)
				}
				m, err := decodeFamily("golden_seconds", record)
				if err != nil || m.Help != help || m.Unit != "seconds" || m.Type != dto.MetricType_HISTOGRAM || m.pushed != 1_700_000_000_123_456_789 || m.Series() != 1 {
					t.Errorf("%s family is %+v (%v)", name, m, err)
				}
			}
		})
	}
}

// goldenGroup makes the group whose records are the golden of the current version.
func goldenGroup(t *testing.T, help string) *Group {
	t.Helper()
	r := generator{rand.New(rand.NewPCG(1, 1))}
	mf := &dto.MetricFamily{
		Name: proto.String("golden_seconds"), Help: proto.String(help), Unit: proto.String("seconds"),
		Type: dto.MetricType_HISTOGRAM.Enum(), Metric: []*dto.Metric{r.metric(dto.MetricType_HISTOGRAM)},
	}
	p := Push{Key: job("golden"), Families: decoded([]*dto.MetricFamily{mf}), Time: time.Unix(0, 1_700_000_000_123_456_789)}
	ready, err := p.prepare(Limits{})
	if err != nil {
		t.Fatal(err)
	}
	group, refusal := (*Group)(nil).next(ready)
	if refusal != nil {
		t.Fatal(refusal)
	}
	group.failed = 1_600_000_000_000_000_001
	return group
}

// The golden of the current version is written once, when the version is new.
func TestRecordGoldenOfThisVersion(t *testing.T) {
	dir := fmt.Sprintf("testdata/records/v%d", recordVersion)
	if _, err := os.Stat(dir); err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is missing: run this test once and commit what it writes", dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	plain, compressed := goldenGroup(t, ""), goldenGroup(t, strings.Repeat("help ", 200))
	for name, record := range map[string]interface{ AppendBinary([]byte) ([]byte, error) }{
		"header":     (*headerRecord)(plain),
		"plain":      (*familyRecord)(&plain.members[0]),
		"compressed": (*familyRecord)(&compressed.members[0]),
	} {
		b, err := record.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte{recordVersion, 0, 0, 0, 0, 0}, false)
	f.Fuzz(func(t *testing.T, body []byte, compressed bool) {
		record := beginRecord(nil)
		record = sealRecord(append(record, body...), 0)
		if compressed {
			record[5] = recordCompressed
		}
		// Whatever a record holds, reading it ends with an answer.
		if _, _, err := decodeHeader(job("a"), record); err == nil {
			if m, err := decodeFamily("m", record); err == nil {
				if _, err := m.Metrics(); err != nil {
					t.Errorf("a block that was read has no metrics: %v", err)
				}
			}
		}
	})
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
