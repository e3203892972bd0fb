package exposition

// spot is one metric as it stands in a block, of which all its fields are parts.
type spot struct {
	field []byte // tag, length and Metric
	part  []byte // its labels
	rest  []byte // its value
}

// walk goes through the metrics of a block in their order.
type walk struct {
	proto  []byte // what is yet to come
	behind int32  // how many metrics proto has
	ahead  spot   // the metric that comes next
	labels Labels // of ahead
	spare  Labels // of the one before it
	ended  bool
}

// newWalk begins before the first metric of a block.
func newWalk(b *Block) *walk {
	w := &walk{proto: b.Proto(), behind: b.series}
	w.next()
	return w
}

// next moves ahead by one metric.
func (w *walk) next() {
	if len(w.proto) == 0 {
		w.ended, w.ahead = true, spot{}
		return
	}
	w.behind--
	metric, n := takeField(w.proto, familyMetric)
	w.ahead.field, w.proto = w.proto[:n], w.proto[n:]
	w.labels, w.spare = w.spare[:0], w.labels
	w.labels, w.ahead.part, w.ahead.rest, _ = splitMetric(metric, w.labels)
}

// run appends to spots the next metric and all behind it that compare equal to it, which differ from it
// by the names of their labels, and moves past them.
func (w *walk) run(spots []spot) []spot {
	for {
		spots = append(spots, w.ahead)
		w.next()
		if w.ended || compareAsExposed(w.spare, w.labels) != 0 {
			return spots
		}
	}
}

// compare orders the next metrics of two walks, one of which at least has not ended.
func (w *walk) compare(other *walk) int {
	switch {
	case other.ended:
		return -1
	case w.ended:
		return +1
	}
	return compareAsExposed(w.labels, other.labels)
}
