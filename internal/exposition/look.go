package exposition

import (
	"bytes"
	"sync/atomic"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
)

// GaugeBlock encodes a gauge of one metric. The name must be plain, and labels fit to be exposed; an
// empty instance label is added where there is none.
func GaugeBlock(name string, labels Labels, number float64) *Block {
	f := Family{Name: name, Type: dto.MetricType_GAUGE, metrics: []metric{{value: value{number: number}, typed: true}}}
	desk := desks.Get().(*desk)
	defer desk.clear()
	rows := desk.rows(&f, labels, true)
	return desk.assemble(&f, rows, !allPlain(rows[0].labels))
}

// scanned is how many series Has looks through one by one; larger blocks, and those of which only the
// text is held, get a set at the first question.
const scanned = 16

// knownSets are the label sets of a block, by scheme, each made when it is first asked for.
type knownSets struct {
	by [model.ValueEncodingEscaping + 1]atomic.Pointer[map[string]struct{}]
}

// Has reports whether the block has a metric of the label set that EachSeries yields as the given bytes.
// It costs as much as the block has series the first time, and next to nothing later.
func (b *Block) Has(series []byte) bool {
	if b.series > scanned || b.protoAt.Load() == nil {
		_, found := b.labelSets(model.NoEscaping)[string(series)]
		return found
	}
	for part := range b.EachSeries() {
		if bytes.Equal(part, series) {
			return true
		}
	}
	return false
}

// HasEscaped reports whether the block has a metric whose labels read as the given ones, with names in
// the form of a scheme and sorted by them.
func (b *Block) HasEscaped(shown Labels, s model.EscapingScheme) bool {
	_, found := b.labelSets(s)[string(appendLabelPairs(nil, shown))]
	return found
}

// labelSets returns the block's label sets in the form of a scheme. Two that ask first at once both make
// them, and both are right.
func (b *Block) labelSets(s model.EscapingScheme) map[string]struct{} {
	known := b.known.Load()
	if known == nil {
		b.known.CompareAndSwap(nil, new(knownSets))
		known = b.known.Load()
	}
	if sets := known.by[s].Load(); sets != nil {
		return *sets
	}
	sets := make(map[string]struct{}, b.series)
	var escaped Labels
	for part, labels := range b.EachSeries() {
		if s == model.NoEscaping {
			sets[aliased(part)] = struct{}{}
			continue
		}
		escaped = escapeLabels(escaped[:0], labels, s)
		sets[string(appendLabelPairs(nil, escaped))] = struct{}{}
	}
	known.by[s].Store(&sets)
	return sets
}

// EscapeLabels returns a label set with its names in the form of a scheme, sorted anew.
func EscapeLabels(labels Labels, s model.EscapingScheme) Labels {
	return escapeLabels(make(Labels, 0, len(labels)), labels, s)
}

// AllPlain reports whether no label name of the set is changed by an escaping scheme.
func AllPlain(labels Labels) bool { return allPlain(labels) }

// EscapeName returns a metric name in the form of a scheme.
func EscapeName(name string, s model.EscapingScheme) string { return escapeName(name, s) }

// FirstNumber returns the number of the first metric of a counter, gauge or untyped family; ok is false
// where there is none.
func (f *Family) FirstNumber() (number float64, ok bool) {
	if len(f.metrics) == 0 {
		return 0, false
	}
	return f.metrics[0].value.number, f.metrics[0].typed
}
