package holdfast

import (
	"fmt"
	"strings"
	"time"

	"holdfast/internal/exposition"
)

// merge returns what a pushed family makes of its namesake in the group before, which is the zero Member
// where there is none.
func (p *prepared) merge(old, pushed Member) (Member, *Refusal) {
	if p.mode != Upsert && p.mode != Add {
		return pushed, nil
	}
	if old.Block != nil && old.Type != pushed.Type {
		return Member{}, retyped(p.key, old, pushed)
	}
	parts := p.parts[pushed.Name]
	if parts == nil {
		parts = []part{{way{p.mode, p.gauge}, pushed.Block}}
	}
	block := old.Block
	for _, part := range parts {
		var err error
		switch part.mode {
		case Upsert:
			block, err = exposition.Upsert(pushed.Name, pushed.Type, block, part.Block)
		case Add:
			sum := exposition.Sum{Name: pushed.Name, Type: pushed.Type, Gauge: part.gauge, Untyped: p.compatible, Time: time.Unix(0, p.time)}
			block, err = sum.Add(block, part.Block)
		default:
			block = part.Block
		}
		if err != nil {
			return Member{}, invalid(err)
		}
	}
	pushed.Block = block
	return pushed, nil
}

// retyped refuses a family that is to stand beside metrics of another type.
func retyped(key Key, old, pushed Member) *Refusal {
	name := func(m Member) string { return strings.ToLower(m.Type.String()) }
	r := inconsistent("type",
		fmt.Sprintf("metric family %q is pushed as %s, while the group holds it as %s", pushed.Name, name(pushed), name(old)),
		"push it with its old type, to another grouping key, or after the group was deleted; POST replaces families that are not added up")
	r.Where = "metric " + pushed.Name + ", pushed to group " + key.String()
	return r
}

// mixing refuses to add to a group that does not add up, or the other way round.
func mixing(g *Group, mode Mode) *Refusal {
	r := &Refusal{Kind: Mixing, Reason: "mixing", Other: g.key}
	if mode == Add {
		r.Message = "the group holds values that were not added up, so nothing can be added to it"
		r.Hint = "push with mode=add to another grouping key, or delete the group first"
	} else {
		r.Message = "the values of the group are added up, so they cannot be replaced"
		r.Hint = "push with /with/mode=add/ in front of /metrics/, to another grouping key, or delete the group first"
	}
	r.Where = "group " + g.key.String()
	return r
}
