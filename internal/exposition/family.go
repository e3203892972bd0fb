package exposition

import (
	dto "github.com/prometheus/client_model/go"
)

// Family is one metric family as a client sent it: decoded, not yet checked and not yet laid under a
// group. It is not to be changed, and goroutines may share it.
//
// Its labels share the memory of all families that were decoded with it, so it is not to be kept longer
// than its push lasts; Name, Help and Unit may be.
type Family struct {
	Name string
	Help string // "" where none was sent
	Unit string
	Type dto.MetricType

	metrics []metric
}

// metric is one metric as it was sent. A gateway decodes a great many of them, so a plain number is
// nothing but that here, and no tree of pointers.
type metric struct {
	labels     Labels // in the order they were sent
	value      value
	typed      bool // it has a value of its family's type
	stamped    bool // it has a timestamp, be it 0
	summarised bool // it has a summary, whatever the type of its family
}

// value is what a metric measures. Which of the fields counts is told by the type of its family.
type value struct {
	number    float64
	unset     bool         // a number was announced but not sent; it reads 0
	counter   *dto.Counter // only where it has more to it than a number
	summary   *dto.Summary
	histogram *dto.Histogram
}

// FromProto takes over a gathered family, such as one of the gateway's own. mf must not change while the
// family is in use.
func FromProto(mf *dto.MetricFamily) *Family {
	f := &Family{Name: mf.GetName(), Help: mf.GetHelp(), Unit: mf.GetUnit(), Type: mf.GetType()}
	pairs := 0
	for _, m := range mf.GetMetric() {
		pairs += len(m.GetLabel())
	}
	labels := make(Labels, 0, pairs)
	f.metrics = make([]metric, 0, len(mf.GetMetric()))
	for _, m := range mf.GetMetric() {
		from := len(labels)
		for _, pair := range m.GetLabel() {
			labels = append(labels, Label{pair.GetName(), pair.GetValue()})
		}
		v, typed := valueOf(f.Type, m)
		f.metrics = append(f.metrics, metric{
			labels: labels[from:len(labels):len(labels)], value: v, typed: typed,
			stamped: m != nil && m.TimestampMs != nil, summarised: m.GetSummary() != nil,
		})
	}
	return f
}

// valueOf takes the value of the given type out of m; ok is false where m has none of that type.
func valueOf(t dto.MetricType, m *dto.Metric) (v value, ok bool) {
	switch t {
	case dto.MetricType_COUNTER:
		return counterValue(m.GetCounter()), m.GetCounter() != nil
	case dto.MetricType_GAUGE:
		g := m.GetGauge()
		return value{number: g.GetValue(), unset: g != nil && g.Value == nil}, g != nil
	case dto.MetricType_UNTYPED:
		u := m.GetUntyped()
		return value{number: u.GetValue(), unset: u != nil && u.Value == nil}, u != nil
	case dto.MetricType_SUMMARY:
		return value{summary: m.GetSummary()}, m.GetSummary() != nil
	case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		return value{histogram: m.GetHistogram()}, m.GetHistogram() != nil
	}
	return value{}, false
}

// counterValue is the value of a counter, which may have an exemplar and a time of its making.
func counterValue(c *dto.Counter) value {
	v := value{number: c.GetValue(), unset: c != nil && c.Value == nil}
	if c.GetExemplar() != nil || c.GetCreatedTimestamp() != nil {
		v.counter = c
	}
	return v
}

// Len returns the number of metrics, each of which is one label set.
func (f *Family) Len() int { return len(f.metrics) }

// Timestamped returns the labels of the first metric that carries a timestamp, be it 0, and whether
// there is one.
func (f *Family) Timestamped() (Labels, bool) {
	for i := range f.metrics {
		if f.metrics[i].stamped {
			labels := append(Labels(nil), f.metrics[i].labels...)
			labels.sort()
			return labels, true
		}
	}
	return nil, false
}
