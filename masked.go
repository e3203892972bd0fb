package holdfast

import (
	dto "github.com/prometheus/client_model/go"

	"holdfast/internal/exposition"
)

// masks is which families of a snapshot are not exposed for all groups that hold them, by name.
type masks map[string]mask

// mask is what is exposed of such a family.
type mask struct {
	shown  *variant                       // nil for nothing
	hidden map[*exposition.Block]struct{} // of the variant that is shown
}

// masks finds what a scrape of the snapshot does not show. The gateway's own families are given by name.
func (s *snapshot) masks(own map[string]dto.MetricType) masks {
	families := make([]*dto.MetricFamily, 0, len(own))
	for name, typ := range own {
		families = append(families, &dto.MetricFamily{Name: &name, Type: typ.Enum()})
	}
	found := masks{}
	for name, f := range s.names.all() {
		var m mask
		if typ, taken := own[name]; !s.outdone(f, families) && !hasOwnPrefix(name) {
			m.shown = f.winner()
			if taken {
				m.shown = f.variant(typ)
			}
		}
		if m.shown != nil && f.suspect {
			m.hidden = f.equals(m.shown)
		}
		if m.shown == nil || len(f.variants) > 1 || len(m.hidden) > 0 {
			found[name] = m
		}
	}
	return found
}

// of returns the names of a group's families that are not exposed.
func (ms masks) of(g *Group) []string {
	if len(ms) == 0 {
		return nil
	}
	var names []string
	for i := range g.members {
		member := &g.members[i]
		if m, found := ms[member.Name]; found && exposes(member) && m.hides(member) {
			names = append(names, member.Name)
		}
	}
	return names
}

func (m mask) hides(member *Member) bool {
	if m.shown == nil || m.shown.typ != member.Type {
		return true
	}
	_, hidden := m.hidden[member.Block]
	return hidden
}
