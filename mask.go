package holdfast

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

// suspect marks the families of a group that went in although it clashes with others: from now on
// scrapes look for equal series in them, and for other families that no page may show beside them. mu is
// held.
func (x *index) suspect(shape *keyShape, g *Group) {
	for i := range g.members {
		m := &g.members[i]
		if f := x.families[m.Name]; f != nil && !f.shapes.empty() && !f.shapes.only(shape.names()) {
			x.writable(m.Name).suspect = true
		}
		for name, typ := range x.own {
			if name != m.Name && collide(m.Name, m.Type, name, typ) {
				x.writable(m.Name).suspect = true
			}
		}
		for _, name := range x.colliding(m) {
			x.pair(m.Name, name)
		}
	}
}

// colliding returns the names of stored families that no page may show beside a member.
func (x *index) colliding(m *Member) []string {
	var found []string
	for _, scheme := range append([]model.EscapingScheme{model.NoEscaping}, escapings[:]...) {
		for form := range rivals(exposition.EscapeName(m.Name, scheme), m.Type) {
			for _, name := range append([]string{form}, x.forms[exposition.Form{Scheme: scheme, Name: form}]...) {
				if name != m.Name && x.families[name] != nil && !slices.Contains(found, name) {
					found = append(found, name)
				}
			}
		}
	}
	return found
}

// pair notes that two families may be rivals. Whether they are, each scrape finds out of what stands then.
func (x *index) pair(a, b string) {
	for _, names := range [][2]string{{a, b}, {b, a}} {
		if f := x.writable(names[0]); !slices.Contains(f.rivals, names[1]) {
			f.rivals = append(slices.Clone(f.rivals), names[1])
		}
	}
}

// outdone reports whether a family is masked as a whole: a family that no page may show beside it is the
// gateway's own, or is held by more groups, ties by the lesser name.
func (s *snapshot) outdone(f *family, own []*dto.MetricFamily) bool {
	if len(f.rivals) == 0 && !f.suspect {
		return false
	}
	shown := f.winner()
	for _, mf := range own {
		if mf.GetName() != f.name && collide(f.name, shown.typ, mf.GetName(), mf.GetType()) {
			return true
		}
	}
	for _, name := range f.rivals {
		rival, found := s.names.get(name)
		if !found {
			continue
		}
		other := rival.winner()
		more := cmp.Or(cmp.Compare(other.blocks.count, shown.blocks.count), strings.Compare(f.name, name)) > 0
		if more && collide(f.name, shown.typ, name, other.typ) {
			return true
		}
	}
	return false
}

// shown yields the blocks of a variant that are exposed: all, but for those in a suspect family that
// hold a series which a group of a lesser key holds too.
func (f *family) shown(v *variant) iter.Seq[*exposition.Block] {
	return func(yield func(*exposition.Block) bool) {
		var masked map[*exposition.Block]struct{}
		if f.suspect {
			masked = f.equals(v)
		}
		for _, b := range v.blocks.all() {
			if _, hidden := masked[b]; !hidden && !yield(b) {
				return
			}
		}
	}
}

// equals finds the blocks of a snapshot's variant that repeat a series of a lesser key. The answer is
// kept with the family, which nobody changes any more.
func (f *family) equals(v *variant) map[*exposition.Block]struct{} {
	if known := f.repeats.Load(); known != nil {
		return *known
	}
	repeats := map[*exposition.Block]struct{}{}
	seen := make(map[string]struct{}, v.series)
	for _, b := range v.blocks.all() {
		for raw := range b.EachSeries() {
			if _, repeated := seen[string(raw)]; repeated {
				repeats[b] = struct{}{}
				break
			}
		}
		if _, masked := repeats[b]; masked {
			continue
		}
		for raw := range b.EachSeries() {
			seen[string(raw)] = struct{}{}
		}
	}
	f.repeats.Store(&repeats)
	return repeats
}

// masked returns how many groups hold the family in a form that is not exposed.
func (s *snapshot) masked(f *family, own []*dto.MetricFamily) int {
	all := 0
	for i := range f.variants {
		all += f.variants[i].blocks.count
	}
	if s.outdone(f, own) {
		return all
	}
	winner := f.winner()
	masked := all - winner.blocks.count
	if f.suspect {
		masked += len(f.equals(winner))
	}
	return masked
}
