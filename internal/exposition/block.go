package exposition

import (
	"fmt"
	"hash/maphash"
	"iter"
	"sync"
	"sync/atomic"
	"unsafe"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"
)

// Block is the metrics of one family of one group: sorted, encoded and immutable. Its zero value has no
// metrics.
//
// One allocation holds the text and the protobuf of all metrics, since a gateway keeps a great many
// blocks of one or two series. JoinText may move both later; what they say stays the same.
type Block struct {
	textAt    atomic.Pointer[byte] // the first byte; nil where there is no text
	protoAt   atomic.Pointer[byte] // the first byte; nil where the text tells all of it
	textSize  int
	protoSize int
	sets      uint64 // fingerprint of all label sets, in order
	series    int32
	samples   int32
	typ       int8 // dto.MetricType
	escaped   bool

	known atomic.Pointer[knownSets] // nil until somebody asks for label sets
}

// Series returns the number of metrics.
func (b *Block) Series() int { return int(b.series) }

// Samples returns the number of lines of text.
func (b *Block) Samples() int { return int(b.samples) }

// Size returns the bytes of both encodings.
func (b *Block) Size() int { return b.textSize + b.protoSize }

// ProtoSize returns the length of what Proto returns.
func (b *Block) ProtoSize() int { return b.protoSize }

// Plain reports whether no name in the block, of the family or of a label, needs escaping, so that its
// text is the same under all schemes.
func (b *Block) Plain() bool { return !b.escaped }

// text returns the lines of a plain block, without HELP and TYPE.
func (b *Block) text() []byte { return stretch(b.textAt.Load(), b.textSize) }

// stretch returns the bytes from first on; there are none where first is nil.
func stretch(first *byte, size int) []byte {
	if first == nil {
		return nil
	}
	return unsafe.Slice(first, size)
}

// Proto returns the metrics as fields of a MetricFamily, joined: tag 4, length, Metric. Labels come
// first in each, sorted, and only the value of the family's type follows. Not to be modified. They are
// made of the text where JoinText dropped them.
func (b *Block) Proto() []byte {
	if held := b.protoAt.Load(); held != nil || b.protoSize == 0 {
		return stretch(held, b.protoSize)
	}
	return appendDerived(make([]byte, 0, b.protoSize), dto.MetricType(b.typ), b.text())
}

// DecodeBlock rebuilds the block of the named family from what Proto returned. The bytes are copied.
func DecodeBlock(name string, typ dto.MetricType, proto []byte) (*Block, error) {
	desk := desks.Get().(*desk)
	defer desk.clear()
	b := desk.begin(name, typ, !IsPlain(name))
	walked := 0
	for metric := range eachMetric(proto, &walked) {
		labels, _, rest, err := splitMetric(metric, desk.labels[:0])
		if err != nil {
			return nil, fmt.Errorf("decoding block of %q: %w", name, err)
		}
		desk.labels = labels
		v, err := readValue(typ, rest)
		if err != nil {
			return nil, fmt.Errorf("decoding block of %q: %w", name, err)
		}
		b.count(typ, &v, labels, &desk.sets)
		b.escaped = b.escaped || !allPlain(labels)
		if b.Plain() {
			desk.text = desk.lines.appendMetric(desk.text, labels, &v)
		}
	}
	if walked != len(proto) {
		return nil, fmt.Errorf("decoding block of %q: byte %d is not the begin of a metric", name, walked)
	}
	if !b.Plain() {
		desk.text = desk.text[:0]
	}
	b.sets = desk.sets.Sum64()
	desk.text = b.hold(desk.text, proto)
	return b, nil
}

// count counts a metric, and adds its labels to the fingerprint.
func (b *Block) count(typ dto.MetricType, v *value, labels Labels, sets *maphash.Hash) {
	b.series++
	b.samples += int32(samplesOf(typ, v))
	addSet(labels, sets)
}

// addSet adds a label set to a fingerprint. 0xFF is in no UTF-8, so that texts cannot run into each other.
func addSet(labels Labels, sets *maphash.Hash) {
	for i := range labels {
		sets.WriteString(labels[i].Name)
		sets.WriteByte(0xff)
		sets.WriteString(labels[i].Value)
		sets.WriteByte(0xff)
	}
	sets.WriteByte(0xff)
}

// hold copies both encodings into one allocation. It appends to nil rather than to a slice of the right
// size, since that would be zeroed first.
func (b *Block) hold(text, proto []byte) []byte {
	both := append(text, proto...)
	held := append([]byte(nil), both...)
	b.textSize, b.protoSize = len(text), len(proto)
	if b.textSize > 0 {
		b.textAt.Store(&held[0])
	}
	if b.protoSize > 0 {
		b.protoAt.Store(&held[b.textSize])
	}
	return both
}

// SameSets reports whether two blocks hold the same label sets. A block of the same number of series
// with other sets is taken for the same with a chance of 2^-64, which nobody outside can raise.
func (b *Block) SameSets(other *Block) bool {
	return b.series == other.series && b.sets == other.sets
}

// fingerprint computes sets anew from what the block holds.
func (b *Block) fingerprint() uint64 {
	var sets maphash.Hash
	sets.SetSeed(setsSeed())
	for _, labels := range b.EachSeries() {
		addSet(labels, &sets)
	}
	return sets.Sum64()
}

// setsSeed is drawn once for each process: fingerprints are never stored.
var setsSeed = sync.OnceValue(maphash.MakeSeed)

// EachSeries yields for each metric its label part as it stands in Proto, and its labels. Equal label
// sets have equal bytes. The labels are in a buffer that the next step reuses; their strings and the
// bytes are parts of the block and stay valid, and keep the whole block in memory.
func (b *Block) EachSeries() iter.Seq2[[]byte, Labels] {
	return func(yield func([]byte, Labels) bool) {
		var labels Labels
		walked := 0
		for metric := range eachMetric(b.Proto(), &walked) {
			var part []byte
			labels, part, _, _ = splitMetric(metric, labels[:0]) // a block is canonical from its making
			if !yield(part, labels) {
				return
			}
		}
	}
}

// Metrics decodes the metrics, in their order.
func (b *Block) Metrics() ([]*dto.Metric, error) {
	mf := &dto.MetricFamily{}
	if err := proto.Unmarshal(b.Proto(), mf); err != nil {
		return nil, fmt.Errorf("decoding metrics of a block: %w", err)
	}
	return mf.Metric, nil
}

// Each decodes the metrics one by one, in their order. An error ends it.
func (b *Block) Each() iter.Seq2[*dto.Metric, error] {
	return func(yield func(*dto.Metric, error) bool) {
		walked := 0
		for metric := range eachMetric(b.Proto(), &walked) {
			m := &dto.Metric{}
			if err := proto.Unmarshal(metric, m); err != nil {
				yield(nil, fmt.Errorf("decoding a metric of a block: %w", err))
				return
			}
			if !yield(m, nil) {
				return
			}
		}
	}
}

// appendText renders a run of canonical metrics as sample lines, with label names in the form of scheme
// s. The bytes are known to be sound.
func appendText(dst []byte, t *textMetric, s model.EscapingScheme, run []byte) []byte {
	var labels, escaped Labels
	walked := 0
	for metric := range eachMetric(run, &walked) {
		var rest []byte
		labels, _, rest, _ = splitMetric(metric, labels[:0])
		shown := labels
		if s != model.NoEscaping {
			escaped = escapeLabels(escaped[:0], labels, s)
			shown = escaped
		}
		v, err := readValue(t.typ, rest)
		if err != nil {
			continue
		}
		dst = t.appendMetric(dst, shown, &v)
	}
	return dst
}
