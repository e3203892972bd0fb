package holdfast

import (
	"cmp"
	"fmt"
	"slices"

	"holdfast/internal/exposition"
)

// clearmode is the label by which metrics say, in other aggregating gateways, how each of them is taken.
const clearmode = "clearmode"

// way is how metrics are taken.
type way struct {
	mode  Mode
	gauge exposition.GaugeRule // of an Add
}

// part is some metrics of a pushed family, and how they are taken.
type part struct {
	way
	*exposition.Block
}

// encode encodes a family; its header is not set yet. Where its metrics say how each of them is taken, its
// parts are noted.
func (ready *prepared) encode(p *Push, f *exposition.Family, limits Limits) (Member, error) {
	if !p.Compatible {
		return p.member(f, ready.labels, limits)
	}
	whole, byMode := f.SplitByLabel(clearmode)
	m, err := p.member(whole, ready.labels, limits)
	if err != nil || byMode == nil {
		return m, err
	}
	blocks := map[way]*exposition.Block{}
	for said, some := range byMode {
		way, known := ready.ways()[said]
		if !known {
			return Member{}, inconsistent(clearmode, fmt.Sprintf("metric family %q has a metric with the unknown clearmode %.64q", f.Name, said),
				"a clearmode is one of aggregate, sum, replace, family and info")
		}
		b, err := some.Encode(ready.labels)
		if err != nil {
			return Member{}, invalid(err)
		}
		if blocks[way], err = exposition.Upsert(f.Name, f.Type, blocks[way], b); err != nil {
			return Member{}, invalid(err)
		}
	}
	ready.note(f.Name, m.Block, blocks)
	return m, nil
}

// note notes the parts of a family, those that replace first. If any of its metrics takes the place of the
// family, all of them do.
func (ready *prepared) note(name string, whole *exposition.Block, blocks map[way]*exposition.Block) {
	var parts []part
	for way, block := range blocks {
		if way.mode == ReplaceFamily {
			parts = []part{{way, whole}}
			break
		}
		parts = append(parts, part{way, block})
	}
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.mode, b.mode) })
	if ready.parts == nil {
		ready.parts = map[string][]part{}
	}
	ready.parts[name] = parts
}

// ways tells how metrics are taken by the value of the label; "" is for those without it.
func (ready *prepared) ways() map[string]way {
	add, replace := way{mode: Add, gauge: exposition.GaugeSum}, way{mode: ReplaceFamily}
	return map[string]way{
		"": {mode: Add, gauge: ready.gauge}, "aggregate": add, "sum": add, "replace": {mode: Upsert}, "family": replace, "info": replace,
	}
}
