package exposition

import (
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// drafts is what a decoder gathers while it reads: flat tables that grow and are used again for other
// bodies. families copies what is kept out of them, so that a decoded body takes a handful of
// allocations, however many metrics it has.
type drafts struct {
	heads  []head
	rows   []draft
	labels Labels // of all rows; the strings share the memory of the body's copy
	text   []byte // a name, a help and a unit on their way into one string
}

// head is a family while its body is read.
type head struct {
	name, help, unit string
	typ              dto.MetricType
	typed            bool    // the type is settled; until then it reads counter
	metrics          int     // rows of the family
	ready            *Family // the family itself, where it needs no rows
	dropped          bool    // another of the same name took its place
}

// draft is a metric while its body is read.
type draft struct {
	head     int // its family
	from, to int // its labels
	metric   metric
}

// families returns the families by name. Those without metrics are left out unless empty is set.
func (d *drafts) families(empty bool) []*Family {
	kept, metrics := 0, 0
	for i := range d.heads {
		h := &d.heads[i]
		if h.dropped = h.dropped || h.metrics == 0 && !empty; !h.dropped {
			kept++
			metrics += h.metrics
		}
	}
	made, all := make([]Family, kept), make([]metric, metrics)
	found := make([]*Family, 0, kept)
	for i := range d.heads {
		h := &d.heads[i]
		switch {
		case h.dropped:
			continue
		case h.ready == nil:
			f := &made[len(found)]
			f.Type = h.typ
			f.Name, f.Help, f.Unit = d.keep(h)
			f.metrics, all = all[:0:h.metrics], all[h.metrics:]
			h.ready = f
		}
		found = append(found, h.ready)
	}
	d.deal()
	slices.SortFunc(found, func(a, b *Family) int { return strings.Compare(a.Name, b.Name) })
	return found
}

// deal gives each family its rows, in their order.
func (d *drafts) deal() {
	labels := slices.Clone(d.labels)
	for i := range d.rows {
		r := &d.rows[i]
		if h := &d.heads[r.head]; !h.dropped {
			r.metric.labels = labels[r.from:r.to:r.to]
			h.ready.metrics = append(h.ready.metrics, r.metric)
		}
	}
}

// keep copies the texts of a head, which may be kept for long, into one string.
func (d *drafts) keep(h *head) (name, help, unit string) {
	d.text = append(append(append(d.text[:0], h.name...), h.help...), h.unit...)
	all := string(d.text)
	rest := all[len(h.name):]
	return all[:len(h.name)], rest[:len(h.help)], rest[len(h.help):]
}

// The tables are kept for another body up to so many families or metrics, and labels.
const maxDrafts, maxDraftLabels = 1 << 15, 1 << 17

// clear forgets all that was read. It reports whether the tables are small enough to be kept.
func (d *drafts) clear() bool {
	if cap(d.rows) > maxDrafts || cap(d.labels) > maxDraftLabels || cap(d.heads) > maxDrafts || cap(d.text) > maxDesk {
		return false
	}
	clear(d.heads)
	clear(d.rows)
	clear(d.labels)
	d.heads, d.rows, d.labels = d.heads[:0], d.rows[:0], d.labels[:0]
	return true
}
