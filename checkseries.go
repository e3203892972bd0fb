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
	s := search{index: x, key: key, member: m, family: f, own: shape.names()}
	s.run(model.NoEscaping)
	for _, scheme := range escapings {
		if escaped && s.verdict.refusal == nil {
			s.run(scheme)
		}
	}
	return s.verdict
}

// search looks for groups that hold a series of a member.
type search struct {
	index   *index
	key     Key
	member  *Member
	family  *family
	own     []string // shape of key
	verdict verdict

	names  []string   // label names of the series before
	shapes [][]string // that lie within them
}

// run compares the member with all other groups, with names as a scrape under the scheme shows them: by
// the keys that its series could have come from, or, where those would be far more than the series that
// are stored, by all of these.
func (s *search) run(scheme model.EscapingScheme) {
	keys, stored := 0, 0
	for i := range s.family.variants {
		stored += s.family.variants[i].series
	}
	for raw, labels := range s.member.EachSeries() {
		shown := labels
		if scheme != model.NoEscaping {
			shown = exposition.EscapeLabels(labels, scheme)
		}
		shapes := s.within(shown)
		if keys += len(shapes); keys > 4*stored+1000 {
			s.compareAll(scheme)
			return
		}
		for _, shape := range shapes {
			for _, candidate := range s.candidates(project(shown, shape), scheme) {
				if candidate != s.key && !s.compare(candidate, scheme, raw, shown) {
					return
				}
			}
		}
	}
}

// within returns the shapes of other groups that lie within a series' label names. Series of one family
// mostly have the same names, so the last answer is kept.
func (s *search) within(labels exposition.Labels) [][]string {
	same := len(labels) == len(s.names)
	for i := 0; same && i < len(labels); i++ {
		same = labels[i].Name == s.names[i]
	}
	if same && s.names != nil {
		return s.shapes
	}
	s.names, s.shapes = make([]string, 0, len(labels)), nil
	for _, l := range labels {
		s.names = append(s.names, l.Name)
	}
	s.family.shapes.within(s.names, nil, func(shape []string) bool {
		if !slices.Equal(shape, s.own) {
			s.shapes = append(s.shapes, slices.Clone(shape))
		}
		return true
	})
	return s.shapes
}

// candidates returns the keys that read as the given one under a scheme.
func (s *search) candidates(key Key, scheme model.EscapingScheme) []Key {
	if scheme == model.NoEscaping || len(s.index.keyForms) == 0 {
		return []Key{key}
	}
	return append([]Key{key}, s.index.keyForms[key.canonical]...)
}

// compare looks for one series in one group, as it stands and as a claim in flight would leave it. It
// returns false once the search is over.
func (s *search) compare(other Key, scheme model.EscapingScheme, raw []byte, shown exposition.Labels) bool {
	holds := func(m Member) bool {
		if scheme == model.NoEscaping {
			return m.Has(raw)
		}
		return m.HasEscaped(shown, scheme)
	}
	if m, found := s.index.groups[other].Member(s.member.Name); found && holds(m) {
		s.refuse(other, shown)
		return false
	}
	if c := s.index.claims[other]; c != nil {
		m, found := c.after.Member(s.member.Name)
		s.verdict.wait = s.verdict.wait || found && holds(m)
	}
	return true
}

// compareAll looks for each series of all other groups in the member.
func (s *search) compareAll(scheme model.EscapingScheme) {
	for i := range s.family.variants {
		for canonical, b := range s.family.variants[i].blocks.all() {
			if canonical == s.key.canonical {
				continue
			}
			if shown, found := s.common(b, scheme); found {
				s.refuse(Key{canonical}, shown)
				return
			}
		}
	}
	for other, c := range s.index.claims {
		if m, found := c.after.Member(s.member.Name); found && other != s.key && !s.verdict.wait {
			_, s.verdict.wait = s.common(m.Block, scheme)
		}
	}
}

// common returns a series of a block that the member has too.
func (s *search) common(b *exposition.Block, scheme model.EscapingScheme) (shown exposition.Labels, found bool) {
	for raw, labels := range b.EachSeries() {
		if scheme == model.NoEscaping {
			found = s.member.Has(raw)
		} else {
			labels = exposition.EscapeLabels(labels, scheme)
			found = s.member.HasEscaped(labels, scheme)
		}
		if found {
			return slices.Clone(labels), true
		}
	}
	return nil, false
}

func (s *search) refuse(other Key, shown exposition.Labels) {
	r := inconsistent("duplicate",
		fmt.Sprintf("collected metric %q %s was collected before with the same name and label values", s.member.Name, shown),
		"a series may stand in one group only: leave it out here, or delete the other group")
	r.Where = fmt.Sprintf("pushed to group %s; the equal series is in group %s", s.key, other)
	r.Other = other
	s.verdict = verdict{refusal: r}
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
