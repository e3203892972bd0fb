package holdfast

import (
	"fmt"
	"slices"

	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

// checkSeries refuses a family that holds a series which another group holds too. Such a group's key has
// other label names, which lie within the series' own: the series' labels of those names are that key.
func (x *index) checkSeries(key Key, shape *keyShape, m *Member) verdict {
	f := x.families[m.Name]
	if f == nil || !exposes(m) || f.shapes.empty() {
		return verdict{}
	}
	escaped := f.escaped || !m.Plain()
	if !escaped && f.shapes.only(shape.names()) {
		return verdict{}
	}
	s := search{index: x, key: key, member: m, shapes: &f.shapes}
	for raw, labels := range m.EachSeries() {
		if !s.equal(labels, model.NoEscaping, func(other *Member) bool { return other.Has(raw) }) {
			return s.verdict
		}
		for _, scheme := range escapings {
			if !escaped {
				break
			}
			shown := exposition.EscapeLabels(labels, scheme)
			if !s.equal(shown, scheme, func(other *Member) bool { return holdsEscaped(other, shown, scheme) }) {
				return s.verdict
			}
		}
	}
	return s.verdict
}

// search looks for groups that hold a series of a member.
type search struct {
	index   *index
	key     Key
	member  *Member
	shapes  *shapes
	names   []string
	verdict verdict
}

// equal looks through all groups that could hold a series; it returns false once one does.
func (s *search) equal(labels exposition.Labels, scheme model.EscapingScheme, holds func(*Member) bool) bool {
	s.names = s.names[:0]
	for _, l := range labels {
		s.names = append(s.names, l.Name)
	}
	return s.shapes.within(s.names, nil, func(shape []string) bool {
		key := project(labels, shape)
		for _, candidate := range s.candidates(key, scheme) {
			if candidate != s.key && !s.compare(candidate, labels, holds) {
				return false
			}
		}
		return true
	})
}

// candidates returns the keys that read as the given one under a scheme.
func (s *search) candidates(key Key, scheme model.EscapingScheme) []Key {
	if scheme == model.NoEscaping || len(s.index.keyForms) == 0 {
		return []Key{key}
	}
	return append([]Key{key}, s.index.keyForms[key.canonical]...)
}

// compare looks into one group, as it stands and as a claim in flight would leave it.
func (s *search) compare(other Key, labels exposition.Labels, holds func(*Member) bool) bool {
	if m, found := s.index.groups[other].Member(s.member.Name); found && holds(&m) {
		r := inconsistent("duplicate",
			fmt.Sprintf("collected metric %q %s was collected before with the same name and label values", s.member.Name, labels),
			"a series may stand in one group only: leave it out here, or delete the other group")
		r.Where = fmt.Sprintf("pushed to group %s; the equal series is in group %s", s.key, other)
		r.Other = other
		s.verdict = verdict{refusal: r}
		return false
	}
	if c := s.index.claims[other]; c != nil {
		m, found := c.after.Member(s.member.Name)
		s.verdict.wait = s.verdict.wait || found && holds(&m)
	}
	return true
}

// project returns the key that the labels of the given names make. All names are among the labels.
func project(labels exposition.Labels, names []string) Key {
	part := make(exposition.Labels, 0, len(names))
	for _, l := range labels {
		if len(part) < len(names) && l.Name == names[len(part)] {
			part = append(part, l)
		}
	}
	return keyOf(part)
}

// holdsEscaped reports whether a member has a series that a scrape under a scheme shows as the given one.
func holdsEscaped(m *Member, shown exposition.Labels, scheme model.EscapingScheme) bool {
	for _, labels := range m.EachSeries() {
		if len(labels) == len(shown) && slices.Equal(exposition.EscapeLabels(labels, scheme), shown) {
			return true
		}
	}
	return false
}
