package exposition

import (
	"bytes"
	"fmt"
	"slices"

	dto "github.com/prometheus/client_model/go"
)

// Upsert lays the metrics of pushed over those of old: one whose label set both have is taken from
// pushed, all others stay as they are. Both are blocks of the named family, of type typ and of one group;
// old may be nil.
//
// Time grows with the series of both, and what stays is copied, not encoded again. The error is an
// *Invalid, where two metrics would be one once their labels are escaped.
func Upsert(name string, typ dto.MetricType, old, pushed *Block) (*Block, error) {
	return join(name, typ, old, pushed, func(Labels, *spot, *spot) (*value, error) { return nil, nil })
}

// meeting tells the value that a metric gets where a pushed one of its label set is laid over the one
// before it, which is nil where there was none. A nil value stands for the pushed one as it is.
type meeting func(labels Labels, before, pushed *spot) (*value, error)

// layer lays one block over another.
type layer struct {
	*desk
	block  *Block
	series int32
	typ    dto.MetricType
	meet   meeting
}

// join makes the block that holds the metrics of both blocks, where meet settles those of pushed.
func join(name string, typ dto.MetricType, old, pushed *Block, meet meeting) (*Block, error) {
	if old == nil {
		old = &Block{}
	}
	desk := desks.Get().(*desk)
	defer desk.clear()
	escaped := !old.Plain() || !pushed.Plain()
	l := &layer{desk: desk, typ: typ, block: desk.begin(typ, escaped), meet: meet}
	if err := l.all(newWalk(old), newWalk(pushed)); err != nil {
		return nil, err
	}
	if escaped {
		b, err := DecodeBlock(name, typ, desk.proto)
		if err == nil && b.series > old.series {
			err = b.distinctWhenEscaped(name)
		}
		if err != nil {
			return nil, fmt.Errorf("laying one block over another: %w", err)
		}
		return b, nil
	}
	l.block.series = l.series
	l.block.hold(desk.proto)
	if l.block.sets = old.sets; l.series > old.series || l.series == 0 {
		l.block.sets = l.block.fingerprint()
	}
	return l.block, nil
}

// all lays all metrics, in their order. Of those that compare equal the old ones come first, as they
// would if they had been pushed first.
func (l *layer) all(old, pushed *walk) error {
	var before, after []spot
	for {
		if pushed.ended {
			l.keepAll(old)
			return nil
		}
		switch c := old.compare(pushed); {
		case c < 0:
			l.keep(&old.ahead)
			old.next()
		case c > 0:
			if err := l.lay(nil, &pushed.ahead); err != nil {
				return err
			}
			pushed.next()
		default:
			before, after = old.run(before[:0]), pushed.run(after[:0])
			if err := l.runs(before, after); err != nil {
				return err
			}
		}
	}
}

// runs lays metrics that compare equal: their label sets may be, or may differ by the names.
func (l *layer) runs(before, after []spot) error {
	find := finder(after)
	laid := make([]bool, len(after))
	for i := range before {
		at := find(before[i].part)
		if at < 0 {
			l.keep(&before[i])
			continue
		}
		laid[at] = true
		if err := l.lay(&before[i], &after[at]); err != nil {
			return err
		}
	}
	for i := range after {
		if laid[i] {
			continue
		}
		if err := l.lay(nil, &after[i]); err != nil {
			return err
		}
	}
	return nil
}

// finder returns a function that finds the place of a label set among spots, or -1.
func finder(spots []spot) func(part []byte) int {
	if len(spots) <= scanned {
		return func(part []byte) int {
			return slices.IndexFunc(spots, func(s spot) bool { return bytes.Equal(s.part, part) })
		}
	}
	places := make(map[string]int, len(spots))
	for i := range spots {
		places[aliased(spots[i].part)] = i
	}
	return func(part []byte) int {
		if at, found := places[string(part)]; found {
			return at
		}
		return -1
	}
}

// keep takes over a metric as it is.
func (l *layer) keep(s *spot) {
	l.series++
	l.proto = append(l.proto, s.field...)
}

// keepAll takes over all metrics that are yet to come.
func (l *layer) keepAll(w *walk) {
	if w.ended {
		return
	}
	l.keep(&w.ahead)
	l.series += w.behind
	l.proto = append(l.proto, w.proto...)
}

// lay takes over a pushed metric with the value that it meets.
func (l *layer) lay(before, pushed *spot) error {
	l.labels, _, _, _ = splitMetric(pushed.part, l.labels[:0]) // a block is canonical from its making
	v, err := l.meet(l.labels, before, pushed)
	switch {
	case err != nil:
		return err
	case v == nil:
		l.keep(pushed)
		return nil
	}
	l.series++
	l.proto = appendMetric(l.proto, l.labels, l.typ, v)
	return nil
}

// distinctWhenEscaped refuses a block of the named family that holds two metrics which become one under
// some escaping scheme. Each is known to be sound by itself.
func (b *Block) distinctWhenEscaped(name string) error {
	c := checker{family: &Family{Name: name}}
	rows := make([]row, 0, b.series)
	for _, labels := range b.EachSeries() {
		own := slices.Clone(labels)
		if c.names == nil || !c.names.sameNames(own) {
			c.names = own
			c.shapes++
			c.escaped = c.escaped || !allPlain(own)
		}
		rows = append(rows, row{labels: own})
	}
	return c.distinct(rows)
}
