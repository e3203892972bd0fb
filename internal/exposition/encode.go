package exposition

import (
	"hash/maphash"
	"slices"
	"sync"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
)

// row is one metric on its way into a block, with the labels that it will be exposed with.
type row struct {
	labels Labels
	metric *metric
}

// Encode lays overlay over each metric, adds an empty instance label where there is none, checks the
// family as far as that can be done without knowing others, and encodes it. Timestamps are dropped. The
// error is an *Invalid. The family is left as it is, and the block shares no memory with it.
func (f *Family) Encode(overlay Labels) (*Block, error) {
	if err := f.checkHead(); err != nil {
		return nil, err
	}
	desk := desks.Get().(*desk)
	defer desk.clear()
	rows := desk.rows(f, overlay, true)
	c := checker{family: f}
	for i := range rows {
		if err := c.metric(&rows[i]); err != nil {
			return nil, err
		}
	}
	order(rows)
	if err := c.distinct(rows); err != nil {
		return nil, err
	}
	return desk.assemble(f, rows, !IsPlain(f.Name) || c.escaped), nil
}

// EncodeOwn encodes a family of the gateway itself: nothing is laid over it and nothing is checked.
// Metrics without a value of the family's type are left out.
func (f *Family) EncodeOwn() *Block {
	desk := desks.Get().(*desk)
	defer desk.clear()
	rows := desk.rows(f, nil, false)
	rows = slices.DeleteFunc(rows, func(r row) bool { return !r.metric.typed })
	escaped := !IsPlain(f.Name)
	for i := range rows {
		escaped = escaped || !allPlain(rows[i].labels)
	}
	order(rows)
	return desk.assemble(f, rows, escaped)
}

// rows gives each metric its labels, sorted.
func (d *desk) rows(f *Family, overlay Labels, instance bool) []row {
	arena, rows := d.labels[:0], d.all[:0]
	for i := range f.metrics {
		m := &f.metrics[i]
		from := len(arena)
		arena = append(arena, m.labels...)
		arena = lay(arena, from, overlay)
		if instance && arena[from:].index(model.InstanceLabel) < 0 {
			arena = append(arena, Label{Name: model.InstanceLabel})
		}
		rows = append(rows, row{metric: m, labels: arena[from:]})
	}
	from := 0
	for i := range rows { // the arena may have moved while it grew
		to := from + len(rows[i].labels)
		rows[i].labels = arena[from:to:to]
		rows[i].labels.sort()
		from = to
	}
	d.labels, d.all = arena, rows
	return rows
}

// lay forces the labels of overlay on the set that begins at from. Of a name that occurs twice only the
// first is overwritten; the check will find the other.
func lay(arena Labels, from int, overlay Labels) Labels {
	for _, l := range overlay {
		if i := arena[from:].index(l.Name); i >= 0 {
			arena[from+i].Value = l.Value
		} else {
			arena = append(arena, l)
		}
	}
	return arena
}

// order sorts rows as they are exposed. Rows that compare equal keep their order.
func order(rows []row) {
	compare := func(a, b row) int { return compareAsExposed(a.labels, b.labels) }
	if !slices.IsSortedFunc(rows, compare) {
		slices.SortStableFunc(rows, compare)
	}
}

// assemble encodes rows that are checked and sorted.
func (d *desk) assemble(f *Family, rows []row, escaped bool) *Block {
	b := d.begin(f.Type, escaped)
	for i := range rows {
		r := &rows[i]
		b.count(r.labels, &d.sets)
		d.proto = appendMetric(d.proto, r.labels, f.Type, &r.metric.value)
	}
	b.sets = d.sets.Sum64()
	b.hold(d.proto)
	return b
}

// begin clears the desk for a block.
func (d *desk) begin(typ dto.MetricType, escaped bool) *Block {
	d.sets.SetSeed(setsSeed())
	d.proto = d.proto[:0]
	return &Block{escaped: escaped, typ: int8(typ)}
}

// named readies the desk for lines of the named family.
func (d *desk) named(name string, typ dto.MetricType) {
	d.lines = textMetric{name: name, quote: !IsPlain(name), typ: typ, pairs: d.lines.pairs}
}

// desk is the memory in which families and pages are encoded; a block is copied from it.
type desk struct {
	labels Labels
	all    []row
	lines  textMetric
	sets   maphash.Hash
	text   []byte
	proto  []byte
}

var desks = sync.Pool{New: func() any { return new(desk) }}

// maxDesk is the bytes of text above which a desk is not kept: one huge push must not hold them for ever.
const maxDesk = 4 << 20

// clear lets go of what was encoded and gives the desk back.
func (d *desk) clear() {
	if cap(d.text) > maxDesk || cap(d.proto) > maxDesk {
		return
	}
	clear(d.labels)
	clear(d.all)
	desks.Put(d)
}
