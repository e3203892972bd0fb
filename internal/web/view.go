package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"

	"holdfast"
)

// groupView is a group as the page shows it.
type groupView struct {
	Labels   []labelView
	Key      string // the key as text, for the confirmation
	Delete   string // what to DELETE, relative to the page
	Failed   bool
	Pushed   string
	Families []familyView
}

type familyView struct {
	Name, Type, Help, Pushed string
	Rows                     []rowView
	Omitted                  int // metrics that are not shown
}

type rowView struct {
	Labels []labelView
	Values []labelView // one without a name, or several
}

// viewGroup prepares a group. room is how many metrics the page may still show.
func viewGroup(g *holdfast.Group, names model.ValidationScheme, room *int) (groupView, error) {
	key := g.Key()
	v := groupView{
		Key: key.String(), Delete: strings.TrimPrefix(key.Path(names), "/"),
		Failed: !g.LastPushSucceeded(), Pushed: moment(g.Pushed()),
	}
	labels := key.Labels()
	for _, first := range []bool{true, false} {
		for _, l := range labels {
			if (l.Name == "job") == first {
				v.Labels = append(v.Labels, labelView{l.Name, l.Value})
			}
		}
	}
	for _, m := range g.Members() {
		family, err := viewFamily(m, room)
		if err != nil {
			return groupView{}, fmt.Errorf("family %s of %s: %w", m.Name, v.Key, err)
		}
		v.Families = append(v.Families, family)
	}
	return v, nil
}

func viewFamily(m holdfast.Member, room *int) (familyView, error) {
	v := familyView{Name: m.Name, Type: strings.ToLower(m.Type.String()), Help: m.Help, Pushed: moment(m.Pushed())}
	allowed := min(familyRows, *room)
	if allowed == 0 {
		v.Omitted = m.Series()
		return v, nil
	}
	metrics, err := m.Metrics()
	if err != nil {
		return v, err
	}
	v.Omitted = max(0, len(metrics)-allowed)
	metrics = metrics[:len(metrics)-v.Omitted]
	*room -= len(metrics)
	for _, metric := range metrics {
		v.Rows = append(v.Rows, viewMetric(m.Type, metric))
	}
	return v, nil
}

func viewMetric(typ dto.MetricType, m *dto.Metric) rowView {
	var row rowView
	for name, value := range metricLabels(m) {
		row.Labels = append(row.Labels, labelView{name, value})
	}
	switch typ {
	case dto.MetricType_SUMMARY:
		row.Values = viewSummary(m.GetSummary())
	case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		row.Values = viewHistogram(m.GetHistogram())
	default:
		row.Values = []labelView{{"", plain(valueOf(typ, m))}}
	}
	return row
}

func viewSummary(s *dto.Summary) []labelView {
	var values []labelView
	for _, q := range s.GetQuantile() {
		values = append(values, labelView{"quantile " + number(q.GetQuantile()), plain(q.GetValue())})
	}
	return append(values,
		labelView{"count", strconv.FormatUint(s.GetSampleCount(), 10)}, labelView{"sum", plain(s.GetSampleSum())})
}

func viewHistogram(h *dto.Histogram) []labelView {
	var values []labelView
	if isNative(h) {
		values = append(values, labelView{"native", nativeText(h)})
	}
	for _, b := range classicBuckets(h) {
		values = append(values, labelView{"≤ " + b[0], b[1]})
	}
	return append(values, labelView{"count", countOf(h)}, labelView{"sum", plain(h.GetSampleSum())})
}

// nativeText writes a native histogram on one line, with mathematical intervals.
func nativeText(h *dto.Histogram) string {
	var b strings.Builder
	for bucket := range nativeBuckets(h) {
		left, right := "(", "]"
		if bucket.bounds != openLeft {
			left = "["
		}
		if bucket.bounds == openRight {
			right = ")"
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s%s,%s%s:%s", left, number(bucket.lower), number(bucket.upper), right, number(bucket.count))
	}
	return "{" + b.String() + "}"
}

// plain writes numbers of everyday size without an exponent.
func plain(f float64) string {
	if size := max(f, -f); size < 1e-6 || size >= 1e18 {
		return number(f)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format(time.RFC3339)
}
