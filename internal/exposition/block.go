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
// It is made as protobuf. Text is made of that for each page that shows it, since most blocks of a busy
// gateway are replaced before anybody looks at them; one that lasts gets it by JoinText.
type Block struct {
	protoAt   atomic.Pointer[byte] // the first byte; nil where the text tells all of it
	textAt    atomic.Pointer[byte] // the first byte of its part of a joined text; nil until there is one
	textSize  atomic.Int64         // set before textAt
	protoSize int
	sets      uint64 // fingerprint of all label sets, in order
	series    int32
	typ       int8 // dto.MetricType
	escaped   bool

	known atomic.Pointer[knownSets] // nil until somebody asks for label sets
}

// Series returns the number of metrics.
func (b *Block) Series() int { return int(b.series) }

// Size returns the bytes of the block, which are those of Proto.
func (b *Block) Size() int { return b.protoSize }

// Plain reports whether no name in the block, of the family or of a label, needs escaping, so that its
// text is the same under all schemes.
func (b *Block) Plain() bool { return !b.escaped }

// joined returns the lines of a block without HELP and TYPE; nil where they were never joined.
func (b *Block) joined() []byte {
	first := b.textAt.Load()
	if first == nil {
		return nil
	}
	return unsafe.Slice(first, b.textSize.Load())
}

// Proto returns the metrics as fields of a MetricFamily, joined: tag 4, length, Metric. Labels come
// first in each, sorted, and only the value of the family's type follows. Not to be modified. They are
// made of the text where JoinText dropped them.
func (b *Block) Proto() []byte {
	if held := b.protoAt.Load(); held != nil || b.protoSize == 0 {
		return unsafe.Slice(held, b.protoSize)
	}
	return appendDerived(make([]byte, 0, b.protoSize), dto.MetricType(b.typ), b.joined())
}

// DecodeBlock rebuilds the block of the named family from what Proto returned. The bytes are copied.
func DecodeBlock(name string, typ dto.MetricType, proto []byte) (*Block, error) {
	desk := desks.Get().(*desk)
	defer desk.clear()
	b := desk.begin(typ, !IsPlain(name))
	walked := 0
	for metric := range eachMetric(proto, &walked) {
		labels, _, rest, err := splitMetric(metric, desk.labels[:0])
		if err != nil {
			return nil, fmt.Errorf("decoding block of %q: %w", name, err)
		}
		desk.labels = labels
		if _, err := readValue(typ, rest); err != nil {
			return nil, fmt.Errorf("decoding block of %q: %w", name, err)
		}
		b.count(labels, &desk.sets)
		b.escaped = b.escaped || !allPlain(labels)
	}
	if walked != len(proto) {
		return nil, fmt.Errorf("decoding block of %q: byte %d is not the begin of a metric", name, walked)
	}
	b.sets = desk.sets.Sum64()
	b.hold(proto)
	return b, nil
}

// count counts a metric, and adds its labels to the fingerprint.
func (b *Block) count(labels Labels, sets *maphash.Hash) {
	b.series++
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

// hold copies the protobuf. It appends to nil rather than to a slice of the right size, since that would be
// zeroed first.
func (b *Block) hold(proto []byte) {
	if b.protoSize = len(proto); len(proto) > 0 {
		b.protoAt.Store(&append([]byte(nil), proto...)[0])
	}
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

// appendText renders the lines of the named family, which is the same in the form of scheme s, with label
// names in that form.
func (b *Block) appendText(dst []byte, name string, s model.EscapingScheme) []byte {
	if lines := b.joined(); lines != nil && b.Plain() {
		return append(dst, lines...)
	}
	desk := desks.Get().(*desk)
	defer desk.clear()
	typ := dto.MetricType(b.typ)
	desk.named(name, typ)
	var escaped Labels
	walked := 0
	for metric := range eachMetric(b.Proto(), &walked) {
		labels, _, rest, _ := splitMetric(metric, desk.labels[:0]) // a block is canonical from its making
		desk.labels = labels
		if s != model.NoEscaping && !b.Plain() {
			escaped = escapeLabels(escaped[:0], labels, s)
			labels = escaped
		}
		if v, err := readValue(typ, rest); err == nil {
			dst = desk.lines.appendMetric(dst, labels, &v)
		}
	}
	return dst
}
