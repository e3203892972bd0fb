package exposition

import (
	dto "github.com/prometheus/client_model/go"
)

// Family is one metric family as a client sent it: decoded, not yet checked and not yet laid under a
// group.
type Family struct {
	Name string
	Help string // "" where none was sent
	Unit string
	Type dto.MetricType

	metrics []*dto.Metric
}

// FromProto wraps a gathered family, such as one of the gateway's own.
func FromProto(mf *dto.MetricFamily) *Family {
	return &Family{
		Name: mf.GetName(), Help: mf.GetHelp(), Unit: mf.GetUnit(), Type: mf.GetType(), metrics: mf.GetMetric(),
	}
}

// Len returns the number of metrics, each of which is one label set.
func (f *Family) Len() int { return len(f.metrics) }

// Timestamped returns the labels of the first metric that carries a timestamp, be it 0, and whether
// there is one.
func (f *Family) Timestamped() (Labels, bool) {
	for _, m := range f.metrics {
		if m.TimestampMs != nil {
			labels := appendOwnLabels(nil, m)
			labels.sort()
			return labels, true
		}
	}
	return nil, false
}

// appendOwnLabels appends the labels of m as they were sent.
func appendOwnLabels(dst Labels, m *dto.Metric) Labels {
	for _, pair := range m.GetLabel() {
		dst = append(dst, Label{pair.GetName(), pair.GetValue()})
	}
	return dst
}

// value is what a metric measures. Which of the fields counts is told by the type of its family.
type value struct {
	number    float64
	summary   *dto.Summary
	histogram *dto.Histogram
}

// valueOf takes the value of the given type out of m; ok is false where m has none of that type.
func valueOf(t dto.MetricType, m *dto.Metric) (v value, ok bool) {
	switch t {
	case dto.MetricType_COUNTER:
		return value{number: m.GetCounter().GetValue()}, m.Counter != nil
	case dto.MetricType_GAUGE:
		return value{number: m.GetGauge().GetValue()}, m.Gauge != nil
	case dto.MetricType_UNTYPED:
		return value{number: m.GetUntyped().GetValue()}, m.Untyped != nil
	case dto.MetricType_SUMMARY:
		return value{summary: m.Summary}, m.Summary != nil
	case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		return value{histogram: m.Histogram}, m.Histogram != nil
	}
	return value{}, false
}
