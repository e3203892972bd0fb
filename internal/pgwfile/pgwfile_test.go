package pgwfile_test

import (
	"bytes"
	"encoding/gob"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"holdfast/internal/pgwfile"
)

// The types of the file as the Pushgateway names them, declared here a second time: what they write must
// be read, and they must read what is written.
type (
	GroupingKeyToMetricGroup map[string]MetricGroup
	MetricGroup              struct {
		Labels  map[string]string
		Metrics NameToTimestampedMetricFamilyMap
	}
	NameToTimestampedMetricFamilyMap map[string]TimestampedMetricFamily
	TimestampedMetricFamily          struct {
		Timestamp            time.Time
		GobbableMetricFamily *GobbableMetricFamily
	}
	GobbableMetricFamily dto.MetricFamily
)

func (g *GobbableMetricFamily) GobEncode() ([]byte, error) {
	return proto.Marshal((*dto.MetricFamily)(g))
}

func (g *GobbableMetricFamily) GobDecode(b []byte) error {
	return proto.Unmarshal(b, (*dto.MetricFamily)(g))
}

func encodeAsReference(t testing.TB, groups GroupingKeyToMetricGroup) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(groups); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// asReference and asGroups turn one form into the other.
func asReference(groups []pgwfile.Group) GroupingKeyToMetricGroup {
	all := GroupingKeyToMetricGroup{}
	for _, g := range groups {
		stored := MetricGroup{g.Labels, NameToTimestampedMetricFamilyMap{}}
		for name, f := range g.Families {
			stored.Metrics[name] = TimestampedMetricFamily{f.Pushed, (*GobbableMetricFamily)(f.MetricFamily)}
		}
		all[keyOf(g.Labels)] = stored
	}
	return all
}

func asGroups(stored GroupingKeyToMetricGroup) []pgwfile.Group {
	groups := []pgwfile.Group{}
	for _, key := range slices.Sorted(maps.Keys(stored)) {
		g := pgwfile.Group{Labels: map[string]string{}, Families: map[string]pgwfile.Family{}}
		maps.Copy(g.Labels, stored[key].Labels)
		for name, f := range stored[key].Metrics {
			g.Families[name] = pgwfile.Family{Pushed: f.Timestamp, MetricFamily: (*dto.MetricFamily)(f.GobbableMetricFamily)}
		}
		groups = append(groups, g)
	}
	return groups
}

func keyOf(labels map[string]string) string {
	var key strings.Builder
	for i, name := range slices.Sorted(maps.Keys(labels)) {
		if i > 0 {
			key.WriteByte(0xff)
		}
		key.WriteString(name + "\xff" + labels[name])
	}
	return key.String()
}

// diff compares families by their bytes, so that numbers are compared bit for bit.
func diff(a, b []pgwfile.Group) string {
	return cmp.Diff(a, b, cmp.Transformer("encoded", func(f *dto.MetricFamily) string {
		encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(f)
		if err != nil {
			panic(err)
		}
		return string(encoded)
	}))
}

// samples are groups with all types of metrics, in the order of their keys.
func samples() []pgwfile.Group {
	pushed := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	all := map[string]pgwfile.Family{}
	for i, f := range everyType() {
		all[f.GetName()] = pgwfile.Family{Pushed: pushed.Add(time.Duration(i)), MetricFamily: f}
	}
	gauge := everyType()[1]
	one := map[string]pgwfile.Family{gauge.GetName(): {Pushed: pushed.In(time.FixedZone("", 5400)), MetricFamily: gauge}}
	return []pgwfile.Group{
		{Labels: map[string]string{"instance": "", "job": "a"}, Families: one},
		{Labels: map[string]string{"job": "a"}, Families: all},
		{Labels: map[string]string{"job": "作业\n\"", "l x": strings.Repeat("v", 70000)}, Families: map[string]pgwfile.Family{}},
	}
}

func everyType() []*dto.MetricFamily {
	created := timestamppb.New(time.Unix(1700000000, 5))
	exemplar := &dto.Exemplar{Label: pair("trace_id", "作业"), Value: proto.Float64(1), Timestamp: created}
	bucket := &dto.Bucket{UpperBound: proto.Float64(math.Inf(1)), CumulativeCount: proto.Uint64(4), Exemplar: exemplar}
	native := &dto.Histogram{
		SampleCount: proto.Uint64(4), SampleSum: proto.Float64(7.5), Schema: proto.Int32(-2), CreatedTimestamp: created,
		ZeroThreshold: proto.Float64(5e-324), ZeroCount: proto.Uint64(1), NegativeSpan: span(-1, 1), NegativeDelta: []int64{1},
		PositiveSpan: span(3, 2), PositiveDelta: []int64{math.MinInt64, 0}, Exemplars: []*dto.Exemplar{exemplar},
	}
	float := &dto.Histogram{
		SampleCountFloat: proto.Float64(2.5), ZeroCountFloat: proto.Float64(.5), PositiveSpan: span(0, 2), PositiveCount: []float64{1.5, .5},
	}
	quantile := &dto.Quantile{Quantile: proto.Float64(.5), Value: proto.Float64(math.NaN())}
	return []*dto.MetricFamily{
		family("counter_total", dto.MetricType_COUNTER, &dto.Metric{Label: pair("job", "a"), Counter: &dto.Counter{
			Value: proto.Float64(math.MaxFloat64), Exemplar: exemplar, CreatedTimestamp: created,
		}}),
		family("gauge", dto.MetricType_GAUGE, &dto.Metric{Gauge: &dto.Gauge{Value: proto.Float64(math.Copysign(0, -1))}}),
		family("summary", dto.MetricType_SUMMARY, &dto.Metric{Summary: &dto.Summary{
			SampleCount: proto.Uint64(3), SampleSum: proto.Float64(1), Quantile: []*dto.Quantile{quantile}, CreatedTimestamp: created,
		}}),
		family("untyped", dto.MetricType_UNTYPED, &dto.Metric{Untyped: &dto.Untyped{Value: proto.Float64(1)}, TimestampMs: proto.Int64(5)}),
		family("classic", dto.MetricType_HISTOGRAM, &dto.Metric{Histogram: &dto.Histogram{Bucket: []*dto.Bucket{bucket}}}),
		family("native", dto.MetricType_HISTOGRAM, &dto.Metric{Histogram: native}),
		family("float", dto.MetricType_HISTOGRAM, &dto.Metric{Histogram: float}),
		family("gauge histogram", dto.MetricType_GAUGE_HISTOGRAM, &dto.Metric{Histogram: native}),
	}
}

func family(name string, kind dto.MetricType, metrics ...*dto.Metric) *dto.MetricFamily {
	return &dto.MetricFamily{Name: &name, Help: proto.String("help\n"), Unit: proto.String("seconds"), Type: &kind, Metric: metrics}
}

func pair(name, value string) []*dto.LabelPair { return []*dto.LabelPair{{Name: &name, Value: &value}} }

func span(offset int32, length uint32) []*dto.BucketSpan {
	return []*dto.BucketSpan{{Offset: &offset, Length: &length}}
}

func TestReadsWhatTheReferenceWrites(t *testing.T) {
	for _, want := range [][]pgwfile.Group{samples(), {}} {
		got, err := pgwfile.Read(bytes.NewReader(encodeAsReference(t, asReference(want))))
		if err != nil {
			t.Fatal(err)
		}
		if d := diff(want, got); d != "" {
			t.Errorf("(-written +read)\n%s", d)
		}
	}
}

func TestWritesWhatTheReferenceReads(t *testing.T) {
	var file bytes.Buffer
	if err := pgwfile.Write(&file, slices.Values(samples())); err != nil {
		t.Fatal(err)
	}
	var stored GroupingKeyToMetricGroup
	if err := gob.NewDecoder(bytes.NewReader(file.Bytes())).Decode(&stored); err != nil {
		t.Fatal(err)
	}
	if keys := slices.Sorted(maps.Keys(stored)); !slices.Equal(keys, slices.Sorted(maps.Keys(asReference(samples())))) {
		t.Errorf("keys %q", keys)
	}
	if d := diff(samples(), asGroups(stored)); d != "" {
		t.Errorf("(-written +read)\n%s", d)
	}
	again, err := pgwfile.Read(&file)
	if d := diff(samples(), again); err != nil || d != "" {
		t.Errorf("Read: %v (-written +read)\n%s", err, d)
	}
}

func TestWriteRefuses(t *testing.T) {
	twice := samples()[:1]
	err := pgwfile.Write(&bytes.Buffer{}, slices.Values(append(twice, twice...)))
	if err == nil || !strings.Contains(err.Error(), "comes twice") {
		t.Errorf("two groups of one key: %v", err)
	}
	if err := pgwfile.Write(brokenPipe{}, slices.Values(samples())); err == nil || !strings.Contains(err.Error(), "write 3 groups: broken") {
		t.Errorf("a writer that fails: %v", err)
	}
}
