package exposition

import (
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// drafts is what a decoder gathers while it reads, and what its families stand in: flat tables that grow
// and are used again for other bodies, so that a decoded body takes a handful of allocations, however
// many metrics it has.
type drafts struct {
	body   []byte // a copy: tokens with escapes are shortened in place, and labels share its memory
	heads  []head
	rows   []draft
	labels Labels // of all rows
	text   []byte // a name, a help and a unit on their way into one string

	families []Family
	metrics  []metric // of all families
	sorted   []*Family
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

// deal returns the families by name, with their metrics. Those without are left out unless empty is set.
func (d *drafts) deal(empty bool) []*Family {
	kept, metrics := 0, 0
	for i := range d.heads {
		h := &d.heads[i]
		if h.dropped = h.dropped || h.metrics == 0 && !empty; !h.dropped {
			kept++
			metrics += h.metrics
		}
	}
	// No table may move while families point into it.
	d.families, d.metrics = slices.Grow(d.families, kept)[:kept], slices.Grow(d.metrics, metrics)[:metrics]
	all, made := d.metrics, 0
	for i := range d.heads {
		h := &d.heads[i]
		switch {
		case h.dropped:
			continue
		case h.ready == nil:
			f := &d.families[made]
			made++
			f.Type = h.typ
			f.Name, f.Help, f.Unit = d.keep(h)
			f.metrics, all = all[:0:h.metrics], all[h.metrics:]
			h.ready = f
		}
		d.sorted = append(d.sorted, h.ready)
	}
	for i := range d.rows {
		r := &d.rows[i]
		if h := &d.heads[r.head]; !h.dropped {
			r.metric.labels = d.labels[r.from:r.to:r.to]
			h.ready.metrics = append(h.ready.metrics, r.metric)
		}
	}
	slices.SortFunc(d.sorted, func(a, b *Family) int { return strings.Compare(a.Name, b.Name) })
	return d.sorted
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
	if cap(d.rows) > maxDrafts || cap(d.labels) > maxDraftLabels || cap(d.heads) > maxDrafts || cap(d.text)+cap(d.body) > maxDesk {
		return false
	}
	clear(d.heads)
	clear(d.rows)
	clear(d.labels)
	clear(d.families)
	clear(d.metrics)
	clear(d.sorted)
	*d = drafts{
		body: d.body, heads: d.heads[:0], rows: d.rows[:0], labels: d.labels[:0], text: d.text,
		families: d.families[:0], metrics: d.metrics[:0], sorted: d.sorted[:0],
	}
	return true
}
