package holdfast

import (
	"iter"

	"holdfast/internal/exposition"
)

// suspect marks the families of a group that went in although it clashes with others: from now on
// scrapes look for equal series in them. mu is held.
func (x *index) suspect(shape *keyShape, g *Group) {
	for i := range g.members {
		if f := x.family(g.members[i].Name); !f.shapes.empty() && !f.shapes.only(shape.names()) {
			x.writable(f.name).suspect = true
		}
	}
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
func (f *family) masked() int {
	winner := f.winner()
	masked := 0
	for i := range f.variants {
		masked += f.variants[i].blocks.count
	}
	masked -= winner.blocks.count
	if f.suspect {
		masked += len(f.equals(winner))
	}
	return masked
}
