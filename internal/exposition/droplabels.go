package exposition

import (
	"slices"
)

// DropLabels returns the family without the named labels. Metrics that only those told apart become one,
// in the place of the first: gauges by the rule, all others added up as a Sum does. A family that has
// none of the labels is returned itself. The error is an *Invalid, where metrics cannot be added.
func (f *Family) DropLabels(names []string, gauges GaugeRule) (*Family, error) {
	dropped := func(l Label) bool { return slices.Contains(names, l.Name) }
	if !slices.ContainsFunc(f.metrics, func(m metric) bool { return slices.ContainsFunc(m.labels, dropped) }) {
		return f, nil
	}
	left := *f
	left.metrics = make([]metric, 0, len(f.metrics))
	sum := Sum{Name: f.Name, Type: f.Type, Gauge: gauges}
	places := make(map[string]int, len(f.metrics))
	var sorted Labels
	var set []byte
	for _, m := range f.metrics {
		m.labels = slices.DeleteFunc(slices.Clone(m.labels), dropped)
		sorted = append(sorted[:0], m.labels...)
		sorted.sort()
		set = appendLabelPairs(set[:0], sorted)
		at, met := places[string(set)]
		if !met || !m.typed || !left.metrics[at].typed { // what has no value of its type is refused later
			places[string(set)] = len(left.metrics)
			left.metrics = append(left.metrics, m)
			continue
		}
		if fault := sum.absorb(&left.metrics[at], &m); fault != nil {
			return nil, fault.of(f, sorted)
		}
	}
	return &left, nil
}

// SplitByLabel takes a label off the metrics. It returns the family without it, and a family for each value
// that the label had, "" for metrics that did not have it. A family without the label is returned itself,
// with no parts.
func (f *Family) SplitByLabel(name string) (bare *Family, parts map[string]*Family) {
	if !slices.ContainsFunc(f.metrics, func(m metric) bool { return m.labels.index(name) >= 0 }) {
		return f, nil
	}
	whole := *f
	whole.metrics = make([]metric, 0, len(f.metrics))
	parts = map[string]*Family{}
	for _, m := range f.metrics {
		value, _ := m.labels.Get(name)
		m.labels = slices.DeleteFunc(slices.Clone(m.labels), func(l Label) bool { return l.Name == name })
		whole.metrics = append(whole.metrics, m)
		part := parts[value]
		if part == nil {
			part = &Family{Name: f.Name, Help: f.Help, Unit: f.Unit, Type: f.Type}
			parts[value] = part
		}
		part.metrics = append(part.metrics, m)
	}
	return &whole, parts
}

// absorb adds a metric of the same family to one of the same labels.
func (s Sum) absorb(into, m *metric) *misfit {
	v, fault := s.values(&into.value, &m.value)
	if fault != nil {
		return fault
	}
	if v == nil {
		v = &m.value
	}
	into.value = *v
	into.stamped = into.stamped || m.stamped
	return nil
}
