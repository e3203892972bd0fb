package exposition

import (
	"errors"
	"testing"

	dto "github.com/prometheus/client_model/go"
)

func TestDropLabels(t *testing.T) {
	for _, c := range []struct {
		name    string
		typ     dto.MetricType
		rule    GaugeRule
		metrics []*dto.Metric
		want    string
	}{
		{
			"counters", counterType, 0,
			[]*dto.Metric{counter(1, "pod", "a", "x", "1"), counter(2, "x", "2"), counter(4, "x", "1", "pod", "b"), counter(8, "x", "1", "node", "n")},
			"x{instance=\"\",x=\"1\"} 13\nx{instance=\"\",x=\"2\"} 2\n",
		},
		{"gauges", gaugeType, GaugeLast, []*dto.Metric{gauge(3, "pod", "a"), gauge(2, "pod", "b")}, "x{instance=\"\"} 2\n"},
		{"gauges by rule", gaugeType, GaugeMax, []*dto.Metric{gauge(3, "pod", "a"), gauge(2, "pod", "b")}, "x{instance=\"\"} 3\n"},
		{"summaries", summaryType, 0, []*dto.Metric{labelled(summary(1, 2), "pod", "a"), labelled(summary(3, 4), "pod", "b")}, "x_sum{instance=\"\"} 6\nx_count{instance=\"\"} 4\n"},
		{"nothing to drop", untypedType, 0, []*dto.Metric{{Untyped: &dto.Untyped{}}}, "x{instance=\"\"} 0\n"},
	} {
		f := family("x", c.typ, c.metrics...)
		before := described(f)
		left, err := f.DropLabels([]string{"pod", "node"}, c.rule)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := lines("x", mustEncode(t, left, nil)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		if described(f) != before {
			t.Errorf("%s: the family was changed", c.name)
		}
	}
}

func TestDropLabelsRefuses(t *testing.T) {
	var fault *Invalid
	f := family("x", counterType, counter(1, "pod", "a", "b", "2", "a", "1"), counter(-1, "pod", "b", "a", "1", "b", "2"))
	if _, err := f.DropLabels([]string{"pod"}, 0); !errors.As(err, &fault) || fault.Reason != ReasonIncrement || fault.Series != `{a="1",b="2"}` {
		t.Errorf("got %v", err)
	}
	f = family("x", untypedType, &dto.Metric{Untyped: &dto.Untyped{}}, labelled(&dto.Metric{Untyped: &dto.Untyped{}}, "pod", "a"))
	if _, err := f.DropLabels([]string{"pod"}, 0); !errors.As(err, &fault) || fault.Reason != ReasonUntyped {
		t.Errorf("got %v", err)
	}
}

// TestDropLabelsLeavesFaultsToEncode checks that what has no value of its type is not taken for 0.
func TestDropLabelsLeavesFaultsToEncode(t *testing.T) {
	for _, metrics := range [][]*dto.Metric{{counter(1, "pod", "a"), gauge(1)}, {gauge(1), counter(1, "pod", "a")}} {
		left, err := family("x", counterType, metrics...).DropLabels([]string{"pod"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		var fault *Invalid
		if _, err := left.Encode(nil); !errors.As(err, &fault) || fault.Reason != ReasonType {
			t.Errorf("got %v", err)
		}
	}
}

func TestDropLabelsKeepsTimestamps(t *testing.T) {
	late := counter(1, "pod", "b")
	late.TimestampMs = new(int64)
	left, err := family("x", counterType, counter(1, "pod", "a"), late).DropLabels([]string{"pod"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, found := left.Timestamped(); !found {
		t.Error("a timestamp was lost, so that nobody would refuse it")
	}
}

func TestSplitByLabel(t *testing.T) {
	f := family("x", counterType, counter(1, "mode", "sum", "a", "1"), counter(2, "a", "2"), counter(3, "b", "1", "mode", "sum"), counter(4, "mode", ""))
	before := described(f)
	bare, parts := f.SplitByLabel("mode")
	for name, c := range map[string]struct {
		part *Family
		want string
	}{
		"bare": {bare, "x{instance=\"\"} 4\nx{a=\"1\",instance=\"\"} 1\nx{b=\"1\",instance=\"\"} 3\nx{a=\"2\",instance=\"\"} 2\n"},
		"sum":  {parts["sum"], "x{a=\"1\",instance=\"\"} 1\nx{b=\"1\",instance=\"\"} 3\n"},
		"none": {parts[""], "x{instance=\"\"} 4\nx{a=\"2\",instance=\"\"} 2\n"},
	} {
		if got := lines("x", mustEncode(t, c.part, nil)); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	if len(parts) != 2 || described(f) != before {
		t.Errorf("%d parts, or the family was changed", len(parts))
	}
	if bare, parts := f.SplitByLabel("other"); bare != f || parts != nil {
		t.Error("a family without the label was taken apart")
	}
}
