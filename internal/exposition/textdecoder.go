package exposition

import (
	"fmt"
	"math"
	"sync"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// textDecoder reads a body in the text format 0.0.4, in one pass and without an allocation a line.
//
// It takes, means and refuses what the parser of prometheus/common does, which the tests hold it
// against, and in the same words. That one's oddities are therefore here too. Most come from what it
// carries over from one line to the next while a metric name stands inside braces: the family, the bound
// and the identity of the line before are in force until the name is met.
type textDecoder struct {
	drafts
	names model.ValidationScheme
	at    int // the byte at hand
	line  int // counted from 1

	known      map[string]target // what sample names mean, once met
	lastName   string            // the last one met
	lastTarget target
	target                     // of the line at hand, or of the one before while its name is not met
	seen       map[string]bool // label names of a line that has many
	quantile   float64         // the last quantile, NaN for none
	bound      float64         // the last le, NaN for none
	identity   identity
	summaries  map[uint64]int // identities and their rows
	counts     map[uint64]int // the same of histograms

	slabs
}

// target is what a sample name stands for.
type target struct {
	head int // a family; noHead for none
	part part
}

const noHead = -1

// part tells the samples of a summary or a histogram apart.
type part uint8

const (
	plainPart part = iota // a quantile, a bound, or nothing that counts
	countPart
	sumPart
)

var textDecoders = sync.Pool{New: func() any {
	return &textDecoder{
		known: map[string]target{}, seen: map[string]bool{},
		summaries: map[uint64]int{}, counts: map[uint64]int{},
		identity: identity{older: map[string]string{}},
	}
}}

// begin readies the decoder for a body, of which it takes a copy.
func (d *textDecoder) begin(body []byte, names model.ValidationScheme) {
	d.names = names
	d.body = append(d.body[:0], body...)
	d.at, d.line = 0, 0
	d.target = target{head: noHead}
	d.lastName = ""
	d.quantile, d.bound = math.NaN(), math.NaN()
}

// release lets go of the body and gives the decoder back, unless it has grown large.
func (d *textDecoder) release() {
	small := len(d.summaries)+len(d.counts)+len(d.known)+len(d.seen)+len(d.identity.older) < maxDrafts
	if !small || !d.drafts.clear() {
		return
	}
	d.lastName = ""
	d.slabs = slabs{}
	clear(d.known)
	clear(d.seen)
	clear(d.summaries)
	clear(d.counts)
	d.identity.clear()
	textDecoders.Put(d)
}

// lines reads the whole body. The error is an expfmt.ParseError.
func (d *textDecoder) lines() error {
	for {
		d.line++
		for d.at < len(d.body) && isBlank(d.body[d.at]) {
			d.at++
		}
		if d.at == len(d.body) {
			return nil
		}
		var err error
		switch d.body[d.at] {
		case '\n':
		case '#':
			err = d.comment()
		default:
			err = d.sample()
		}
		if err != nil {
			return err
		}
		d.at++ // the line feed
	}
}

// comment reads a line that begins with #. HELP and TYPE count; the rest is skipped.
func (d *textDecoder) comment() error {
	d.at++
	if err := d.skipBlanks(); err != nil {
		return err
	}
	keyword, err := d.word()
	if err != nil {
		return err
	}
	if keyword != "HELP" && keyword != "TYPE" {
		return d.skipLine()
	}
	if err := d.skipBlanks(); err != nil {
		return err
	}
	name, _, err := d.name("metric", true)
	if err != nil || d.body[d.at] == '\n' {
		return err // a name with nothing behind it says nothing
	}
	if !isBlank(d.body[d.at]) {
		return d.errorf("invalid metric name in comment")
	}
	if err := d.resolve(name); err != nil {
		return err
	}
	if err := d.skipBlanks(); err != nil || d.body[d.at] == '\n' {
		return err
	}
	if keyword == "HELP" {
		return d.help()
	}
	return d.typeLine()
}

func (d *textDecoder) help() error {
	h := &d.heads[d.head]
	if h.help != "" { // at least one byte stands here, so that a help is never empty
		return d.errorf("second HELP line for metric name %q", h.name)
	}
	var err error
	h.help, err = d.restOfLine(true)
	return err
}

func (d *textDecoder) typeLine() error {
	h := &d.heads[d.head]
	if h.typed {
		return d.errorf("second TYPE line for metric name %q, or TYPE reported after samples", h.name)
	}
	word, err := d.restOfLine(false)
	if err != nil {
		return err
	}
	if h.typ, h.typed = typeOf(word); !h.typed {
		return d.errorf("unknown metric type %q", word)
	}
	return nil
}

// sample reads a line that is not a comment.
func (d *textDecoder) sample() error {
	inside := d.body[d.at] == '{'
	d.identity.fresh = false
	if !inside {
		name, _, err := d.name("metric", true)
		if err != nil {
			return err
		}
		if name == "" {
			return d.errorf("invalid metric name")
		}
		if err := d.resolveSample(name); err != nil {
			return err
		}
		if err := d.skipBlanks(); err != nil {
			return err
		}
	}
	if d.kind() != ofNumber {
		d.identity.begin(d.familyName())
		d.quantile, d.bound = math.NaN(), math.NaN()
	}
	from := len(d.labels)
	if d.body[d.at] == '{' {
		if err := d.labelSet(inside); err != nil {
			return err
		}
	}
	row, err := d.value(from)
	if err != nil || d.body[d.at] == '\n' {
		return err
	}
	row.metric.stamped = true
	return d.timestamp()
}

// timestamp reads what may follow a value.
func (d *textDecoder) timestamp() error {
	if err := d.skipBlanks(); err != nil {
		return err
	}
	word, err := d.word()
	if err != nil {
		return err
	}
	if !isInteger(word) {
		return d.errorf("expected integer as timestamp, got %q", word)
	}
	rest, err := d.restOfLine(false)
	if err == nil && rest != "" {
		err = d.errorf("spurious string after timestamp: %q", rest)
	}
	return err
}

// errorf returns an error about the line at hand.
func (d *textDecoder) errorf(format string, args ...any) error {
	return expfmt.ParseError{Line: d.line, Msg: fmt.Sprintf(format, args...)}
}

// errEnd is the error of a body that ends within a line.
func (d *textDecoder) errEnd() error { return d.errorf("unexpected end of input stream") }

// kind is how much of a type matters while reading.
type kind uint8

const (
	ofNumber kind = iota // one number
	ofQuantiles
	ofBounds
)

// kind returns the kind of the family in force.
func (d *textDecoder) kind() kind {
	if d.head == noHead {
		return ofNumber
	}
	return d.heads[d.head].kind()
}

func (h *head) kind() kind {
	switch h.typ {
	case dto.MetricType_SUMMARY:
		return ofQuantiles
	case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		return ofBounds
	}
	return ofNumber
}

// familyName returns the name of the family in force, or "".
func (d *textDecoder) familyName() string {
	if d.head == noHead {
		return ""
	}
	return d.heads[d.head].name
}
