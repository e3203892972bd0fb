package exposition

import (
	"slices"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
)

// row is one metric on its way into a block, with the labels that it will be exposed with.
type row struct {
	labels Labels
	metric *dto.Metric
	value  value
}

// Encode lays overlay over each metric, adds an empty instance label where there is none, checks the
// family as far as that can be done without knowing others, and encodes it. Timestamps are dropped. The
// error is an *Invalid. The family is left as it is, and the block shares no memory with it.
func (f *Family) Encode(overlay Labels) (*Block, error) {
	if err := f.checkHead(); err != nil {
		return nil, err
	}
	rows := f.rows(overlay, true)
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
	return f.assemble(rows, !IsPlain(f.Name) || c.escaped), nil
}

// EncodeOwn encodes a family of the gateway itself: nothing is laid over it and nothing is checked.
// Metrics without a value of the family's type are left out.
func (f *Family) EncodeOwn() *Block {
	rows := f.rows(nil, false)
	rows = slices.DeleteFunc(rows, func(r row) bool {
		_, ok := valueOf(f.Type, r.metric)
		return !ok
	})
	escaped := !IsPlain(f.Name)
	for i := range rows {
		rows[i].value, _ = valueOf(f.Type, rows[i].metric)
		escaped = escaped || !allPlain(rows[i].labels)
	}
	order(rows)
	return f.assemble(rows, escaped)
}

// rows gives each metric its labels, sorted.
func (f *Family) rows(overlay Labels, instance bool) []row {
	total := 0
	for _, m := range f.metrics {
		total += len(m.GetLabel()) + len(overlay) + 1
	}
	arena := make(Labels, 0, total)
	rows := make([]row, len(f.metrics))
	for i, m := range f.metrics {
		from := len(arena)
		arena = appendOwnLabels(arena, m)
		arena = lay(arena, from, overlay)
		if instance && arena[from:].index(model.InstanceLabel) < 0 {
			arena = append(arena, Label{Name: model.InstanceLabel})
		}
		labels := arena[from:len(arena):len(arena)]
		labels.sort()
		rows[i] = row{labels: labels, metric: m}
	}
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
func (f *Family) assemble(rows []row, escaped bool) *Block {
	b := &Block{escaped: escaped}
	t := newTextMetric(f.Name, f.Type)
	var text, pb []byte
	if len(rows) > 0 {
		simple := pairsSize(rows[0].labels) + 32 // enough for a metric that is one number
		text, pb = make([]byte, 0, simple+len(f.Name)), make([]byte, 0, simple)
	}
	for i := range rows {
		r := &rows[i]
		b.count(f.Type, r.value)
		pb = appendMetric(pb, r.labels, f.Type, r.metric)
		if !escaped {
			text = t.appendMetric(text, r.labels, r.value)
		}
		if i == 0 { // the metrics of a family are much alike in size
			rest := (len(rows) - 1) * 9 / 8
			pb, text = slices.Grow(pb, rest*len(pb)), slices.Grow(text, rest*len(text))
		}
	}
	b.hold(text, pb)
	return b
}
