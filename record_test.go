package holdfast

import (
	"bytes"
	"encoding/binary"
	"fmt"
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

// longFamily is one whose group is too large for one record.
func longFamily(name string) []*exposition.Family {
	mf := &dto.MetricFamily{Name: proto.String(name), Type: dto.MetricType_GAUGE.Enum()}
	for i := range 400 {
		mf.Metric = append(mf.Metric, &dto.Metric{
			Label: []*dto.LabelPair{{Name: proto.String("n"), Value: proto.String(fmt.Sprint(i))}},
			Gauge: &dto.Gauge{Value: proto.Float64(float64(i))},
		})
	}
	return []*exposition.Family{exposition.FromProto(mf)}
}

// A small group is one record, a large one has one for each family, of which a push writes its own.
func TestRecordsFollowSize(t *testing.T) {
	engine := newKeeper()
	g := newTestGateway(t, func(o *Options) { o.Engine = engine })
	small, large := oneMetric("small", dto.MetricType_GAUGE), longFamily("large")
	steps := []struct {
		mode     Mode
		families []*exposition.Family
		records  []string // of families
		written  int
	}{
		{ReplaceGroup, small, nil, 1},
		{ReplaceFamily, oneMetric("tiny", dto.MetricType_GAUGE), nil, 1},
		{ReplaceFamily, large, []string{"large", "small", "tiny"}, 4},
		{ReplaceFamily, small, []string{"large", "small", "tiny"}, 2},
		{ReplaceGroup, large, []string{"large"}, 4}, // two of them are removals
		{ReplaceGroup, small, nil, 2},
	}
	for i, step := range steps {
		engine.written = 0
		if err := g.Push(t.Context(), Push{Key: job("a"), Mode: step.mode, Families: step.families, Time: time.Unix(int64(100+i), 0)}); err != nil {
			t.Fatal(err)
		}
		var records []string
		for key := range engine.records {
			if _, name, _ := splitRecordKey(key); name != "" {
				records = append(records, name)
			}
		}
		if slices.Sort(records); !slices.Equal(records, step.records) || engine.written != step.written {
			t.Errorf("step %d: records of families %q, %d written; want %q, %d", i, records, engine.written, step.records, step.written)
		}
		again := newTestGateway(t, func(o *Options) { o.Engine = engine })
		if before, after := scrapeText(t, g), scrapeText(t, again); before != after {
			t.Errorf("step %d: scrape before:\n%s\nafter:\n%s", i, before, after)
		}
	}
}

// What version 1 stored is served, and leaves no record behind when its group is written anew or removed.
func TestFirstVersionIsReplaced(t *testing.T) {
	for name, change := range map[string]func(g *Gateway) error{
		"push": func(g *Gateway) error {
			return g.Push(t.Context(), Push{Key: job("a"), Families: oneMetric("m", dto.MetricType_GAUGE), Time: time.Unix(200, 0)})
		},
		"large push": func(g *Gateway) error {
			return g.Push(t.Context(), Push{Key: job("a"), Mode: ReplaceFamily, Families: longFamily("m"), Time: time.Unix(200, 0)})
		},
		"delete": func(g *Gateway) error { return g.Delete(t.Context(), job("a")) },
	} {
		t.Run(name, func(t *testing.T) {
			engine, fresh := newKeeper(), newTestGateway(t, nil)
			if err := fresh.Push(t.Context(), Push{Key: job("a"), Families: oneMetric("m", dto.MetricType_COUNTER), Time: time.Unix(100, 0)}); err != nil {
				t.Fatal(err)
			}
			engine.keepFirst(t, fresh.index.groups[job("a")])
			g := newTestGateway(t, func(o *Options) { o.Engine = engine })
			if before, after := scrapeText(t, fresh), scrapeText(t, g); before != after {
				t.Fatalf("scrape before:\n%s\nafter:\n%s", before, after)
			}
			if err := change(g); err != nil {
				t.Fatal(err)
			}
			again := newTestGateway(t, func(o *Options) { o.Engine = engine })
			if before, after := scrapeText(t, g), scrapeText(t, again); before != after {
				t.Errorf("scrape before:\n%s\nafter:\n%s", before, after)
			}
			for key := range engine.records {
				if _, name, _ := splitRecordKey(key); name == pushTimeName || name == failureTimeName {
					t.Errorf("%s is still a record", name)
				}
			}
		})
	}
}

// keepFirst stores a group as version 1 did.
func (k *keeper) keepFirst(t *testing.T, g *Group) {
	t.Helper()
	first := func(body []byte) sealed {
		b := sealRecord(append(beginRecord(nil), body...), 0)
		b[0] = 1
		return b
	}
	own := binary.AppendVarint(binary.AppendVarint(nil, g.pushed), g.failed)
	own = binary.AppendUvarint(own, uint64(len(g.members)))
	commit := Commit{Guards: []Guard{{Key: groupKey(g.key)}}}
	for _, m := range g.members {
		own = appendString(own, m.Name)
		body := append(m.appendHeader(binary.AppendVarint(nil, m.pushed)), m.Proto()...)
		commit.Changes = append(commit.Changes, Change{Key: familyKey(g.key, m.Name), Value: first(body)})
	}
	commit.Changes = append(commit.Changes, Change{Key: groupKey(g.key), Value: first(own)})
	if _, err := k.Commit(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
}

// sealed is a record that is ready.
type sealed []byte

// AppendBinary implements encoding.BinaryAppender.
func (s sealed) AppendBinary(b []byte) ([]byte, error) { return append(b, s...), nil }

// Optional fields come back as they were; one that is unknown, out of order or not whole is refused.
func TestOptionalFields(t *testing.T) {
	numbers := func(tag uint64, of func(g *Group) *int64) field {
		return field{
			tag: tag,
			append: func(b []byte, g *Group) []byte {
				if *of(g) == 0 {
					return b
				}
				return binary.AppendVarint(b, *of(g))
			},
			read: func(r *reader, g *Group) { *of(g) = r.varint() },
		}
	}
	known := []field{
		numbers(3, func(g *Group) *int64 { return &g.pushed }),
		numbers(300, func(g *Group) *int64 { return &g.failed }),
	}
	for _, g := range []Group{{}, {pushed: 7}, {failed: -1 << 40}, {pushed: 1, failed: 2}} {
		var read Group
		if err := readFields(&reader{body: appendFields(nil, &g, known)}, &read, known); err != nil || read.pushed != g.pushed || read.failed != g.failed {
			t.Errorf("fields of %+v were read as %+v (%v)", g, read, err)
		}
	}
	written := appendFields(nil, &Group{pushed: 1, failed: 2}, known)
	for name, bad := range map[string]struct {
		body  []byte
		known []field
		says  string
	}{
		"unknown":   {written, known[:1], "newer build"},
		"backwards": {append(bytes.Clone(written), written...), known, "stands behind"},
		"cut":       {written[:len(written)-1], known, "ends too early"},
		"too long":  {[]byte{3, 2, 0, 0}, known, "2 bytes"},
		"empty":     {[]byte{3, 0}, known, "0 bytes"},
	} {
		if err := readFields(&reader{body: bad.body}, &Group{}, bad.known); err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Records of every version that was ever written must stay readable: the goldens are never rewritten.
func TestRecordGoldens(t *testing.T) {
	for version, names := range map[string][]string{
		"v1": {"golden_seconds", failureTimeName, pushTimeName},
		"v2": {"golden_seconds"},
	} {
		header := golden(t, version, "header")
		group, apart, err := decodeGroup(job("golden"), header)
		if err != nil || group.pushed != 1_700_000_000_123_456_789 || group.failed != 1_600_000_000_000_000_001 || !slices.Equal(apart, names) {
			t.Errorf("%s: header is %+v, %q (%v)", version, group, apart, err)
		}
		for file, help := range map[string]string{"plain": "", "compressed": strings.Repeat("help ", 200)} {
			m, err := decodeFamily("golden_seconds", golden(t, version, file))
			if err != nil || m.Help != help {
				t.Errorf("%s: %s family is %+v (%v)", version, file, m, err)
				continue
			}
			checkGoldenMember(t, version+" "+file, m)
		}
	}
	group, apart, err := decodeGroup(job("golden"), golden(t, "v2", "whole"))
	if err != nil || len(apart) > 0 || len(group.members) != 3 {
		t.Fatalf("whole group is %+v, %q (%v)", group, apart, err)
	}
	checkGoldenMember(t, "whole", group.members[0])
}

func checkGoldenMember(t *testing.T, what string, m Member) {
	t.Helper()
	if m.Name != "golden_seconds" || m.Unit != "seconds" || m.Type != dto.MetricType_HISTOGRAM || m.pushed != 1_700_000_000_123_456_789 || m.Series() != 1 {
		t.Errorf("%s: family is %+v", what, m)
	}
}

func golden(t *testing.T, version, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata/records", version, file))
	if err != nil {
		t.Fatal(err)
	}
	return b
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
	header := *plain
	header.layout = layoutApart
	for name, record := range map[string]interface{ AppendBinary([]byte) ([]byte, error) }{
		"header":     (*groupRecord)(&header),
		"whole":      (*groupRecord)(compressed),
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
	f.Add([]byte{recordVersion, 0, 0, 0, 0, 0}, byte(0))
	empty, _ := (*Group)(nil).next(&prepared{key: job("a"), labels: job("a").Labels(), time: 1})
	whole, _ := (*groupRecord)(empty).AppendBinary(nil)
	f.Add(whole[recordOverhead:], byte(recordS2))
	f.Fuzz(func(t *testing.T, body []byte, flags byte) {
		// Whatever a record holds, reading it ends with an answer.
		record := append(beginRecord(nil), body...)
		record[5] = flags
		binary.LittleEndian.PutUint32(record[1:], checksum(record[5:]))
		if g, _, err := decodeGroup(job("a"), record); err == nil {
			for _, m := range g.members {
				if _, err := m.Metrics(); err != nil {
					t.Errorf("a block that was read has no metrics: %v", err)
				}
			}
		}
		if m, err := decodeFamily("m", record); err == nil {
			if _, err := m.Metrics(); err != nil {
				t.Errorf("a block that was read has no metrics: %v", err)
			}
		}
	})
}
