package exposition

import (
	"encoding/binary"
	"math"
	"sync"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// protoDecoder reads MetricFamily messages. It takes names, labels and plain numbers off the wire itself
// and leaves to the library the values that are more than a number. A message with anything that no
// client is known to send (fields it does not define, a value twice, damage) goes to the library whole.
type protoDecoder struct {
	drafts
	known map[string]int // names and their heads
}

var protoDecoders = sync.Pool{New: func() any { return &protoDecoder{known: map[string]int{}} }}

// release lets go of the body and gives the decoder back, unless it has grown large.
func (d *protoDecoder) release() {
	if len(d.known) < maxDrafts && d.drafts.clear() {
		clear(d.known)
		protoDecoders.Put(d)
	}
}

// message reads one MetricFamily. Its bytes must not change as long as the families are in use.
func (d *protoDecoder) message(b []byte) error {
	h := head{}
	rows, labels := len(d.rows), len(d.labels)
	if d.head(&h, b) && d.metrics(&h, b) {
		d.add(h)
		return nil
	}
	clear(d.rows[rows:])
	clear(d.labels[labels:])
	d.rows, d.labels = d.rows[:rows], d.labels[:labels]
	mf := &dto.MetricFamily{}
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, mf); err != nil {
		return err
	}
	f := FromProto(mf)
	d.add(head{name: f.Name, ready: f})
	return nil
}

// add puts a family in the place of the one of its name that came before.
func (d *protoDecoder) add(h head) {
	if before, found := d.known[h.name]; found {
		d.heads[before].dropped = true
	}
	d.known[h.name] = len(d.heads)
	d.heads = append(d.heads, h)
}

// head reads the fields of a family but its metrics, whose type may come behind them. It reports whether
// it knows them all.
func (d *protoDecoder) head(h *head, b []byte) bool {
	for len(b) > 0 {
		f, n := fieldOf(b)
		if n <= 0 {
			return false
		}
		switch f.tag {
		case familyName<<3 | 2:
			h.name = aliased(f.content)
		case familyHelp<<3 | 2:
			h.help = aliased(f.content)
		case familyUnit<<3 | 2:
			h.unit = aliased(f.content)
		case familyType << 3:
			if f.number > uint64(dto.MetricType_GAUGE_HISTOGRAM) {
				return false
			}
			h.typ = dto.MetricType(f.number)
		case familyMetric<<3 | 2:
			h.metrics++
		default:
			return false
		}
		b = b[n:]
	}
	return true
}

// metrics reads the metrics of a family whose other fields are known to be sound.
func (d *protoDecoder) metrics(h *head, b []byte) bool {
	for len(b) > 0 {
		f, n := fieldOf(b)
		if f.tag == familyMetric<<3|2 {
			d.rows = append(d.rows, draft{head: len(d.heads), from: len(d.labels)})
			if !d.metric(&d.rows[len(d.rows)-1], h.typ, f.content) {
				return false
			}
		}
		b = b[n:]
	}
	return true
}

// metric reads one metric of a family of type t.
func (d *protoDecoder) metric(r *draft, t dto.MetricType, b []byte) bool {
	for len(b) > 0 {
		f, n := fieldOf(b)
		if n <= 0 {
			return false
		}
		switch f.tag {
		case metricLabel<<3 | 2:
			l, ok := labelOf(f.content)
			if !ok {
				return false
			}
			d.labels = append(d.labels, l)
		case metricTimestamp << 3:
			r.metric.stamped = true
		case uint64(valueField(t))<<3 | 2:
			if r.metric.typed || !r.metric.value.decode(t, f.content) {
				return false
			}
			r.metric.typed, r.metric.summarised = true, t == dto.MetricType_SUMMARY
		default:
			return false
		}
		b = b[n:]
	}
	r.to = len(d.labels)
	return true
}

// labelOf reads a label. A field that is sent twice counts as it was sent last.
func labelOf(b []byte) (l Label, ok bool) {
	for len(b) > 0 {
		f, n := fieldOf(b)
		switch {
		case n <= 0:
			return l, false
		case f.tag == labelName<<3|2:
			l.Name = aliased(f.content)
		case f.tag == labelValue<<3|2:
			l.Value = aliased(f.content)
		default:
			return l, false
		}
		b = b[n:]
	}
	return l, true
}

// decode reads a value of type t. It reports whether it could.
func (v *value) decode(t dto.MetricType, b []byte) bool {
	opts := proto.UnmarshalOptions{DiscardUnknown: true}
	switch t {
	case dto.MetricType_SUMMARY:
		v.summary = &dto.Summary{}
		return opts.Unmarshal(b, v.summary) == nil
	case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		v.histogram = &dto.Histogram{}
		return opts.Unmarshal(b, v.histogram) == nil
	}
	if len(b) == numberSize && b[0] == numberValue<<3|byte(protowire.Fixed64Type) {
		v.number = math.Float64frombits(binary.LittleEndian.Uint64(b[1:]))
		return true
	}
	if t != dto.MetricType_COUNTER {
		v.unset = true
		return len(b) == 0
	}
	c := &dto.Counter{}
	if opts.Unmarshal(b, c) != nil {
		return false
	}
	*v = counterValue(c)
	return true
}

// field is one field of a message on the wire.
type field struct {
	tag     uint64 // its number and wire type, as they stand before it
	number  uint64 // of a varint
	content []byte // of a length-delimited field
}

// fieldOf reads the field that b begins with and returns the bytes it takes; 0 or less where b begins
// with no field that a family, a metric or a label is made of.
func fieldOf(b []byte) (f field, size int) {
	tag, n := protowire.ConsumeVarint(b)
	if n < 0 {
		return f, n
	}
	f.tag = tag
	m := 0
	switch protowire.Type(tag & 7) {
	case protowire.VarintType:
		f.number, m = protowire.ConsumeVarint(b[n:])
	case protowire.BytesType:
		f.content, m = protowire.ConsumeBytes(b[n:])
	default:
		return f, 0
	}
	if m < 0 {
		return f, m
	}
	return f, n + m
}
