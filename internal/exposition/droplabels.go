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
