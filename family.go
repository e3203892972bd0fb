package holdfast

import (
	"cmp"
	"slices"
	"strings"
	"sync/atomic"

	dto "github.com/prometheus/client_model/go"

	"holdfast/internal/exposition"
)

// family is all that is stored under one metric name, in all groups. Snapshots read its name and its
// variants; whoever changes those first in a later epoch copies them. holders belongs to the writer.
type family struct {
	epoch    uint64
	name     string
	variants []variant // more than one only where the check was off or could not see
	suspect  bool      // two groups may hold an equal series
	rivals   []string  // families that it may collide with on a page
	repeats  atomic.Pointer[map[*exposition.Block]struct{}]
	*holders
}

// variant is a family's metrics of one type.
type variant struct {
	typ    dto.MetricType
	help   string // the one that is exposed
	series int
	blocks run[*exposition.Block] // of the members that have metrics
}

// holders is what the check needs to know of a family.
type holders struct {
	place   place // in the list of names
	types   []typeHolders
	shapes  shapes // of the keys of groups that hold metrics of it or claim to
	escaped bool   // a label name in it needs escaping, or once did
	warned  bool   // it was logged that HELP differs
	headers []*Header
	helps   map[string]int // members by help
	stale   bool           // the exposed help has to be chosen anew
}

// typeHolders counts who holds a family as one type.
type typeHolders struct {
	typ     dto.MetricType
	members int // groups, those without metrics among them
	exposed int // groups with metrics
	claimed int // claims in flight that bring metrics
}

func newFamily(epoch uint64, name string) *family {
	return &family{epoch: epoch, name: name, holders: &holders{helps: map[string]int{}}}
}

// of returns the counts of a type. The pointer is valid until the next call.
func (h *holders) of(typ dto.MetricType) *typeHolders {
	for i := range h.types {
		if h.types[i].typ == typ {
			return &h.types[i]
		}
	}
	h.types = append(h.types, typeHolders{typ: typ})
	return &h.types[len(h.types)-1]
}

func (h *holders) unused() bool {
	return !slices.ContainsFunc(h.types, func(t typeHolders) bool { return t.members > 0 || t.claimed > 0 })
}

// intern returns a header equal to the given one that other members share. Only a few are remembered.
func (h *holders) intern(header *Header) *Header {
	const remembered = 4
	for _, known := range h.headers {
		if *known == *header {
			return known
		}
	}
	if len(h.headers) < remembered {
		h.headers = append(h.headers, header)
	}
	return header
}

// count notes that delta members more give a help.
func (h *holders) count(help string, delta int) {
	n := h.helps[help] + delta
	if n == 0 {
		delete(h.helps, help)
	} else {
		h.helps[help] = n
	}
}

// help chooses the help that is exposed: the one that most members give, ties by the least text, and
// none only if nobody gives any. State alone decides, so every replica and every restart agree.
func (h *holders) help() string {
	best, most := "", 0
	for help, n := range h.helps {
		if help != "" && (n > most || n == most && help < best) {
			best, most = help, n
		}
	}
	return best
}

func (f *family) variant(typ dto.MetricType) *variant {
	for i := range f.variants {
		if f.variants[i].typ == typ {
			return &f.variants[i]
		}
	}
	return nil
}

// put lays a group's block into the family, in the place of the one it had there.
func (f *family) put(key Key, m *Member) {
	v := f.variant(m.Type)
	if v == nil {
		f.variants = append(f.variants, variant{typ: m.Type, help: f.help()})
		v = &f.variants[len(f.variants)-1]
	}
	old := v.blocks.set(f.epoch, key.canonical, m.Block, m.Size(), &m.place)
	v.series += m.Series()
	if old != nil {
		v.series -= old.Series()
	}
}

// drop takes a group's block out of the family.
func (f *family) drop(key Key, typ dto.MetricType) {
	v := f.variant(typ)
	old := v.blocks.remove(f.epoch, key.canonical)
	v.series -= old.Series()
	if v.blocks.count == 0 {
		f.variants = slices.DeleteFunc(f.variants, func(v variant) bool { return v.typ == typ })
	}
}

// winner returns the variant that is exposed, nil if there is none: the type that most groups hold, ties
// by the least key. Again state alone decides.
func (f *family) winner() *variant {
	var best *variant
	for i := range f.variants {
		if v := &f.variants[i]; best == nil || v.outweighs(best) {
			best = v
		}
	}
	return best
}

func (v *variant) outweighs(other *variant) bool {
	return cmp.Or(cmp.Compare(v.blocks.count, other.blocks.count),
		strings.Compare(other.blocks.pages[0].first, v.blocks.pages[0].first)) > 0
}

// clone copies what snapshots read.
func (f *family) clone(epoch uint64) *family {
	return &family{epoch: epoch, name: f.name, variants: slices.Clone(f.variants), suspect: f.suspect, rivals: f.rivals, holders: f.holders}
}
