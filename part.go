package holdfast

import (
	"fmt"
	"hash/crc32"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

// Part says which part of the page a scrape is. The zero Part is all of it. The parts of all shards, or
// of selectors that select everything, together hold the lines of the page, each once for the shards.
type Part struct {
	Selectors []Selector // a family of a group is in the part if one of them selects it; none: all are
	Shard, Of int        // only groups of this shard, from 1 to Of; 0: of all. The gateway's own metrics are in shard 1
}

// MaxSelectors is the most selectors of a part.
const MaxSelectors = 64

func (p Part) whole() bool { return len(p.Selectors) == 0 && p.Of <= 1 }

// shardOf returns the shard of a group, from 1 to of. It is a fixed function of the grouping key, so that
// replicas and restarts agree.
func shardOf(key Key, of int) int {
	// The sum is spread over all bits first, since keys that differ in their ends only must not fall together.
	spread := uint64(crc32.Checksum([]byte(key.canonical), castagnoli)) * 0x9e3779b97f4a7c15
	return 1 + int(spread>>32*uint64(of)>>32)
}

// own reports whether the gateway's own family of a name is in the part: it has no grouping labels.
func (p Part) own(name string) bool {
	if p.Of > 1 && p.Shard != 1 {
		return false
	}
	return len(p.Selectors) == 0 || slices.ContainsFunc(p.Selectors, func(s Selector) bool { return s.MatchesName(name) && s.MatchesKey(Key{}) })
}

// chosen are the groups of a snapshot that a part has families of, by key.
type chosen struct {
	Part
	groups []chosenGroup
}

type chosenGroup struct {
	key string // canonical
	by  uint64 // a bit for each selector that its key satisfies
}

// choose finds the groups of a part. It fails with a *Refusal where a selector asks for a label that
// groups do not have.
func (s *snapshot) choose(p Part) (*chosen, error) {
	if len(p.Selectors) > MaxSelectors {
		return nil, malformed("selector", fmt.Sprintf("%d selectors are too many", len(p.Selectors)),
			fmt.Sprintf("a scrape takes up to %d of them; alternatives fit into one, as {job=~\"a|b\"}", MaxSelectors))
	}
	if err := s.groupable(p.Selectors); err != nil {
		return nil, err
	}
	c := &chosen{Part: p}
	for canonical, group := range s.order.all() {
		if p.Of > 1 && shardOf(group.key, p.Of) != p.Shard {
			continue
		}
		by := uint64(1)
		if len(p.Selectors) > 0 {
			by = 0
		}
		for i, selector := range p.Selectors {
			if selector.MatchesKey(group.key) {
				by |= 1 << i
			}
		}
		if by != 0 {
			c.groups = append(c.groups, chosenGroup{canonical, by})
		}
	}
	return c, nil
}

// groupable refuses selectors that ask for labels which groups are stored without: those of single series
// cannot be matched, and to answer with nothing would hide the mistake.
func (s *snapshot) groupable(selectors []Selector) error {
	missing := map[string]struct{}{}
	for _, selector := range selectors {
		for i := range selector {
			if label := selector[i].Label; label != model.MetricNameLabel {
				missing[label] = struct{}{}
			}
		}
	}
	if len(missing) == 0 || s.order.count == 0 {
		return nil
	}
	known := map[string]struct{}{}
	for _, group := range s.order.all() {
		for name := range group.key.all() {
			if delete(missing, name); len(missing) == 0 {
				return nil
			}
			known[name] = struct{}{}
		}
	}
	return malformed("selector", fmt.Sprintf("no group has the label %s in its grouping key", slices.Min(slices.Collect(maps.Keys(missing)))),
		"a scrape is selected by grouping labels and by __name__; the grouping labels in use are "+listOf(slices.Sorted(maps.Keys(known))))
}

// of yields the blocks of a family's variant that are in the part, by key.
func (c *chosen) of(f *family, v *variant) iter.Seq[*exposition.Block] {
	var named uint64 // the selectors that the name satisfies
	for i, selector := range c.Selectors {
		if selector.MatchesName(f.name) {
			named |= 1 << i
		}
	}
	if len(c.Selectors) == 0 {
		named = 1
	}
	return func(yield func(*exposition.Block) bool) {
		if named == 0 {
			return
		}
		var hidden map[*exposition.Block]struct{}
		if f.suspect {
			hidden = f.equals(v)
		}
		for _, group := range c.groups {
			if group.by&named == 0 {
				continue
			}
			b, found := v.blocks.get(group.key)
			if _, masked := hidden[b]; found && !masked && !yield(b) {
				return
			}
		}
	}
}

// listOf lists names, some of them if they are many.
func listOf(names []string) string {
	const most = 20
	if len(names) > most {
		names = append(names[:most:most], "…")
	}
	return strings.Join(names, ", ")
}
