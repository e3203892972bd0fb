package exposition

import (
	"errors"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// labelled returns a metric with labels, given as name and value in turn.
func labelled(m *dto.Metric, namesAndValues ...string) *dto.Metric {
	for i := 0; i < len(namesAndValues); i += 2 {
		m.Label = append(m.Label, &dto.LabelPair{Name: &namesAndValues[i], Value: &namesAndValues[i+1]})
	}
	return m
}

func gauge(v float64, namesAndValues ...string) *dto.Metric {
	return labelled(&dto.Metric{Gauge: &dto.Gauge{Value: &v}}, namesAndValues...)
}

func histogram(h *dto.Histogram, namesAndValues ...string) *dto.Metric {
	return labelled(&dto.Metric{Histogram: h}, namesAndValues...)
}

func family(name string, t dto.MetricType, metrics ...*dto.Metric) *Family {
	return FromProto(gathered(name, t, metrics...))
}

func gathered(name string, t dto.MetricType, metrics ...*dto.Metric) *dto.MetricFamily {
	return &dto.MetricFamily{Name: &name, Type: &t, Metric: metrics}
}

const (
	gaugeType     = dto.MetricType_GAUGE
	counterType   = dto.MetricType_COUNTER
	histogramType = dto.MetricType_HISTOGRAM
	gaugeHistType = dto.MetricType_GAUGE_HISTOGRAM
	summaryType   = dto.MetricType_SUMMARY
	untypedType   = dto.MetricType_UNTYPED
)

func TestEncodeRefuses(t *testing.T) {
	bad := "\xff"
	exemplar := func(e *dto.Exemplar) *dto.Metric {
		return &dto.Metric{Counter: &dto.Counter{Value: proto.Float64(1), Exemplar: e}}
	}
	badLabel := &dto.Exemplar{Label: []*dto.LabelPair{{Name: proto.String("id"), Value: &bad}}}
	badTime := &dto.Exemplar{Timestamp: &timestamppb.Timestamp{Nanos: -1}}
	for _, c := range []struct {
		family *Family
		reason string
		want   string
	}{
		{
			family("x", gaugeType, &dto.Metric{Counter: &dto.Counter{}}), ReasonType,
			`collected metric "x" {instance="",job="j"} is not a GAUGE`,
		},
		{family("x", counterType, gauge(1)), ReasonType, `is not a COUNTER`},
		{family("x", summaryType, gauge(1)), ReasonType, `is not a SUMMARY`},
		{family("x", untypedType, gauge(1)), ReasonType, `is not a UNTYPED`},
		{family("x", histogramType, gauge(1)), ReasonType, `is not a HISTOGRAM`},
		{family("x", gaugeHistType, gauge(1)), ReasonType, `is not a GAUGE_HISTOGRAM`},
		{
			family("x", gaugeType, gauge(1, "a", "1", "a", "2")), ReasonLabelName,
			`collected metric "x" {a="1",a="2",instance="",job="j"} has two or more labels with the same name: a`,
		},
		{
			family("x", gaugeType, gauge(1, "job", "1", "job", "2")), ReasonLabelName,
			`{instance="",job="j",job="2"} has two or more labels with the same name: job`,
		},
		{family("x", gaugeType, gauge(1, "", "1")), ReasonLabelName, `has two or more labels with the same name: `},
		{family("x", gaugeType, gauge(1, "__foo", "1")), ReasonLabelName, `has a label with an invalid name: __foo`},
		{family("x", gaugeType, gauge(1, "a\xffb", "1")), ReasonLabelName, "has a label with an invalid name: a\uFFFDb"},
		{family("x", gaugeType, gauge(1, "a\x00", "1")), ReasonLabelName, `has a label with an invalid name: "a\x00"`},
		{family("x", gaugeType, gauge(1, "a", bad)), ReasonUTF8, `has a label named "a" whose value is not utf8: "\xff"`},
		{family("x", gaugeType, gauge(1), gauge(1, "a", bad)), ReasonUTF8, `has a label named "a" whose value is not utf8`},
		{
			family("x", summaryType, labelled(&dto.Metric{Summary: &dto.Summary{}}, "quantile", "1")), ReasonQuantile,
			`must not have an explicit "quantile" label`,
		},
		{family("x", histogramType, histogram(&dto.Histogram{}, "le", "1")), ReasonLe, `must not have an explicit "le" label`},
		{family("x", gaugeHistType, histogram(&dto.Histogram{}, "le", "1")), ReasonLe, `must not have an explicit "le" label`},
		{
			family("x", gaugeType, gauge(1, "a", "1"), gauge(2), gauge(3, "a", "1")), ReasonDuplicate,
			`collected metric "x" {a="1",instance="",job="j"} was collected before with the same name and label values`,
		},
		{
			family("x", gaugeType, gauge(1, "a", "1"), gauge(2, "b", "1"), gauge(3, "a", "1")), ReasonDuplicate,
			`{a="1",instance="",job="j"} was collected before`,
		},
		{family("x", gaugeType, gauge(1, "instance", ""), gauge(2)), ReasonDuplicate, `was collected before`},
		{family("", gaugeType, gauge(1)), ReasonName, `collected metric "" has no name`},
		{family(bad, gaugeType, gauge(1)), ReasonUTF8, `collected metric "\xff" has a name that is not utf8`},
		{family("a\x00", gaugeType, gauge(1)), ReasonName, `NUL`},
		{&Family{Name: "x", Help: bad}, ReasonUTF8, `has help that is not utf8: "\xff"`},
		{&Family{Name: "x", Unit: bad}, ReasonUTF8, `has a unit that is not utf8: "\xff"`},
		{family("x", counterType, exemplar(badLabel)), ReasonExemplar, `has an exemplar whose label is not utf8: "id=\xff"`},
		{family("x", counterType, exemplar(badTime)), ReasonExemplar, `no valid time`},
		{
			family("x", histogramType, histogram(&dto.Histogram{Bucket: []*dto.Bucket{{Exemplar: badLabel}}})), ReasonExemplar,
			`has an exemplar`,
		},
		{
			family("x", histogramType, histogram(&dto.Histogram{Exemplars: []*dto.Exemplar{badTime}})), ReasonExemplar,
			`has an exemplar`,
		},
		{
			family("x", gaugeHistType, histogram(&dto.Histogram{Schema: proto.Int32(99), ZeroCount: proto.Uint64(1)})), ReasonNative,
			`is not a native histogram that Prometheus takes: schema 99 is outside -4 to 8`,
		},
		{
			family("x", gaugeType, gauge(1, "a.b", "1", "a_b", "2")), ReasonEscaping,
			`has labels named "a.b" and "a_b", which are the same once escaped`,
		},
		{family("x", gaugeType, gauge(1, "a:b", "1", "a_b", "2")), ReasonEscaping, `"a:b" and "a_b"`},
		{family("x", gaugeType, gauge(1, "énameé", "1")), ReasonEscaping, `"__name__" and "énameé"`},
		{family("x", gaugeType, gauge(1, "a.b", "1"), gauge(1, "a_b", "1")), ReasonEscaping, `once label names are escaped with "underscores"`},
		{family("x", gaugeType, gauge(1, "a.b", "1"), gauge(1, "U__a_2e_b", "1")), ReasonEscaping, `escaped with "values"`},
		{family("x", gaugeType, gauge(1, "a.b", "1"), gauge(1, "a_dot_b", "1")), ReasonEscaping, `escaped with "dots"`},
	} {
		b, err := c.family.Encode(Labels{{"job", "j"}})
		var invalid *Invalid
		if !errors.As(err, &invalid) || b != nil {
			t.Errorf("%s: got %v, want a refusal", c.want, err)
			continue
		}
		if invalid.Reason != c.reason || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %q for %s\nwant %q for %s", err, invalid.Reason, c.want, c.reason)
		}
		if invalid.Hint == "" {
			t.Errorf("%s: no hint", c.want)
		}
	}
}

func TestEncodeRefusesLeFromTheGroupingKey(t *testing.T) {
	for reason, f := range map[string]*Family{
		ReasonLe:       family("x", histogramType, histogram(&dto.Histogram{})),
		ReasonQuantile: family("x", summaryType, &dto.Metric{Summary: &dto.Summary{}}),
	} {
		_, err := f.Encode(Labels{{reason, "1"}})
		var invalid *Invalid
		if !errors.As(err, &invalid) || invalid.Reason != reason {
			t.Errorf("grouping label %s: got %v", reason, err)
		}
	}
}

func TestEncodeAccepts(t *testing.T) {
	for name, f := range map[string]*Family{
		"le on a gauge":           family("x", gaugeType, gauge(1, "le", "1")),
		"quantile on a histogram": family("x", histogramType, histogram(&dto.Histogram{}, "quantile", "1")),
		"le on a summary":         family("x", summaryType, labelled(&dto.Metric{Summary: &dto.Summary{}}, "le", "1")),
		"empty value":             family("x", gaugeType, gauge(1, "a", "")),
		"same values, other names": family("x", gaugeType,
			gauge(1, "a", "1"), gauge(1, "b", "1")),
		"other values under equal forms": family("x", gaugeType,
			gauge(1, "a.b", "1"), gauge(1, "a_b", "2")),
		"buckets in any order": family("x", histogramType, histogram(&dto.Histogram{Bucket: []*dto.Bucket{
			{UpperBound: proto.Float64(2), CumulativeCount: proto.Uint64(1)},
			{UpperBound: proto.Float64(1), CumulativeCount: proto.Uint64(5)},
			{UpperBound: proto.Float64(1), CumulativeCount: proto.Uint64(5)},
		}})),
		"exemplar with a time": family("x", counterType, &dto.Metric{Counter: &dto.Counter{
			Exemplar: &dto.Exemplar{Timestamp: timestamppb.New(timestamppb.Now().AsTime())},
		}}),
	} {
		if _, err := f.Encode(Labels{{"job", "j"}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestInvalidIsShortAndReadable(t *testing.T) {
	f := family("x", gaugeType, gauge(1, "a", strings.Repeat("v", 1<<20)+"\xff"))
	_, err := f.Encode(nil)
	if err == nil || len(err.Error()) > 3000 || strings.ToValidUTF8(err.Error(), "") != err.Error() {
		t.Errorf("error of %d bytes", len(err.Error()))
	}
}
