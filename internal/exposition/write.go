package exposition

import (
	"fmt"
	"io"
	"iter"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Header is what a family says once, before its metrics.
type Header struct {
	Name string
	Help string // "" for none
	Type dto.MetricType
}

// WriteFamily writes one family in format f: its header, then the metrics of all blocks in their order.
// A family without metrics writes nothing. Delimited walks blocks twice, so they must be the same both
// times. Blocks must be of the header's name and type. Errors are those of w.
func WriteFamily(w io.Writer, f Format, h Header, blocks iter.Seq[*Block]) error {
	var err error
	switch f.Syntax {
	case Text:
		err = writeText(w, f, h, blocks)
	case Delimited:
		err = writeDelimited(w, f, h, blocks)
	default:
		err = writeReadable(w, f, h, blocks)
	}
	if err != nil {
		return fmt.Errorf("writing family %q: %w", h.Name, err)
	}
	return nil
}

// AppendHead appends what stands before the blocks of a family in Text or Delimited; size is what
// AppendBlock appends for all of them.
func AppendHead(dst []byte, f Format, h Header, size int) []byte {
	if f.Syntax == Delimited {
		head := appendProtoHeader(nil, f.Escaping, h)
		dst = protowire.AppendVarint(dst, uint64(len(head)+size))
		return append(dst, head...)
	}
	return newTextMetric(escapeName(h.Name, f.Escaping), h.Type).appendHeader(dst, h.Help)
}

// AppendBlock appends one block of a family in Text or Delimited.
func AppendBlock(dst []byte, f Format, h Header, b *Block) []byte {
	switch {
	case f.Syntax == Delimited:
		return append(dst, b.protoUnder(f.Escaping)...)
	case b.Plain():
		return b.appendText(dst, h.Name, f.Escaping)
	}
	return b.appendText(dst, escapeName(h.Name, f.Escaping), f.Escaping)
}

func writeText(w io.Writer, f Format, h Header, blocks iter.Seq[*Block]) error {
	begun := false
	var scratch []byte
	for b := range blocks {
		if b.Series() == 0 {
			continue
		}
		if !begun {
			if _, err := w.Write(AppendHead(nil, f, h, 0)); err != nil {
				return err
			}
			begun = true
		}
		scratch = AppendBlock(scratch[:0], f, h, b)
		if _, err := w.Write(scratch); err != nil {
			return err
		}
	}
	return nil
}

// appendHeader appends the lines that stand before the samples.
func (t *textMetric) appendHeader(dst []byte, help string) []byte {
	if help != "" {
		dst = append(dst, "# HELP "...)
		dst = t.appendBareName(dst)
		dst = append(dst, ' ')
		dst = appendHelp(dst, help)
		dst = append(dst, '\n')
	}
	dst = append(dst, "# TYPE "...)
	dst = t.appendBareName(dst)
	dst = append(dst, ' ')
	dst = append(dst, typeWord(t.typ)...)
	return append(dst, '\n')
}

func (t *textMetric) appendBareName(dst []byte) []byte {
	if t.quote {
		return appendQuoted(dst, t.name)
	}
	return append(dst, t.name...)
}

// typeWord is how the text format calls a type. It has no gauge histograms.
func typeWord(t dto.MetricType) string {
	if t == dto.MetricType_GAUGE_HISTOGRAM {
		t = dto.MetricType_HISTOGRAM
	}
	return strings.ToLower(t.String())
}

func writeDelimited(w io.Writer, f Format, h Header, blocks iter.Seq[*Block]) error {
	size := 0
	for b := range blocks {
		size += ProtoSize(f, b)
	}
	if size == 0 {
		return nil
	}
	if _, err := w.Write(AppendHead(nil, f, h, size)); err != nil {
		return err
	}
	for b := range blocks {
		if b.Series() == 0 {
			continue
		}
		if _, err := w.Write(b.protoUnder(f.Escaping)); err != nil {
			return err
		}
	}
	return nil
}

// appendProtoHeader appends the fields that stand before the metrics. There is no unit among them, as in
// the reference: Prometheus refuses a whole scrape for a unit that is not the suffix of its name.
func appendProtoHeader(dst []byte, s model.EscapingScheme, h Header) []byte {
	dst = protowire.AppendTag(dst, familyName, protowire.BytesType)
	dst = protowire.AppendString(dst, escapeName(h.Name, s))
	if h.Help != "" {
		dst = protowire.AppendTag(dst, familyHelp, protowire.BytesType)
		dst = protowire.AppendString(dst, h.Help)
	}
	dst = protowire.AppendTag(dst, familyType, protowire.VarintType)
	return protowire.AppendVarint(dst, uint64(h.Type))
}

// ProtoSize returns the bytes that AppendBlock appends for a block in Delimited.
func ProtoSize(f Format, b *Block) int {
	if b.Plain() || f.Escaping == model.NoEscaping {
		return b.protoSize
	}
	return len(b.protoUnder(f.Escaping))
}

// protoUnder returns Proto with label names in the form of the scheme.
func (b *Block) protoUnder(s model.EscapingScheme) []byte {
	if b.Plain() || s == model.NoEscaping {
		return b.Proto()
	}
	var out []byte
	var labels, escaped Labels
	walked := 0
	for metric := range eachMetric(b.Proto(), &walked) {
		var rest []byte
		labels, _, rest, _ = splitMetric(metric, labels[:0])
		escaped = escapeLabels(escaped[:0], labels, s)
		out = protowire.AppendTag(out, familyMetric, protowire.BytesType)
		out = protowire.AppendVarint(out, uint64(pairsSize(escaped)+len(rest)))
		out = appendLabelPairs(out, escaped)
		out = append(out, rest...)
	}
	return out
}

// writeReadable writes the syntaxes made for people, by way of the library's encoder.
func writeReadable(w io.Writer, f Format, h Header, blocks iter.Seq[*Block]) error {
	mf := &dto.MetricFamily{}
	if err := proto.Unmarshal(appendProtoHeader(nil, f.Escaping, h), mf); err != nil {
		return err
	}
	for b := range blocks {
		if err := (proto.UnmarshalOptions{Merge: true}).Unmarshal(b.protoUnder(f.Escaping), mf); err != nil {
			return err
		}
	}
	if len(mf.Metric) == 0 {
		return nil
	}
	// The names are escaped already, and escaped names stay as they are.
	return expfmt.NewEncoder(w, expfmt.Format(f.ContentType())).Encode(mf)
}
