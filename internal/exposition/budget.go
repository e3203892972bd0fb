package exposition

import (
	"bytes"
	"fmt"
)

// What is decoded takes some hundred bytes for each metric and some ten for each label, whatever few
// bytes stood for it. These bounds, far above honest use, keep a body of the largest size from taking
// gigabytes.
const (
	maxLines   = 4_000_000 // of a text body
	maxMetrics = 2_000_000 // of a protobuf body
	maxHollow  = 10_000    // metrics without anything and labels without a name, all of which are refused later
	hintFewer  = "push fewer series at once, or split them over several grouping keys"
	hintHollow = "a metric needs a value of its family's type, and a label needs a name"
)

// checkLines refuses a text body of more lines than are read.
func checkLines(body []byte) error {
	if n := bytes.Count(body, []byte{'\n'}); n > maxLines {
		return &DecodeError{err: fmt.Errorf("text format parsing error: %d lines are more than the %d that one body may have", n, maxLines), hint: hintFewer}
	}
	return nil
}

// budget counts what a protobuf body is made of, before memory is taken for it.
type budget struct{ metrics, hollow int }

// take counts the metrics and labels of one message. Damage is left to the decoder.
func (b *budget) take(message []byte) error {
	for len(message) > 0 {
		f, n := fieldOf(message)
		if n <= 0 {
			return nil
		}
		message = message[n:]
		if f.tag != familyMetric<<3|2 {
			continue
		}
		b.metrics++
		b.countHollow(f.content)
		if b.metrics > maxMetrics {
			return &DecodeError{err: fmt.Errorf("more than %d metrics in one body", maxMetrics), hint: hintFewer}
		}
		if b.hollow > maxHollow {
			return &DecodeError{err: fmt.Errorf("more than %d metrics without a value and labels without a name in one body", maxHollow), hint: hintHollow}
		}
	}
	return nil
}

// countHollow counts a metric that is empty, and its labels that are.
func (b *budget) countHollow(metric []byte) {
	if len(metric) == 0 {
		b.hollow++
	}
	for len(metric) > 0 {
		f, n := fieldOf(metric)
		if n <= 0 {
			return
		}
		if f.tag == metricLabel<<3|2 && len(f.content) == 0 {
			b.hollow++
		}
		metric = metric[n:]
	}
}
