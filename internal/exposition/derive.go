package exposition

import (
	"bytes"
	"iter"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// JoinText lays the text of blocks into one stretch of memory, in their order, and returns it: it is from
// then on the one that the blocks share. Where the text of a block gives its protobuf back to the bit, the
// protobuf is let go. It is meant for blocks that have stood for a while: from then on they take about half of the
// memory, and Proto takes time. Returns nil, and changes nothing, if one of the blocks is not plain.
//
// Blocks may be read meanwhile, and be joined by others at the same time.
func JoinText(blocks iter.Seq[*Block]) []byte {
	var kept []*Block // with their protobuf
	textSize, protoSize := 0, 0
	for b := range blocks {
		if !b.Plain() {
			return nil
		}
		textSize += b.textSize
		if b.protoAt.Load() != nil && !b.derivable() {
			kept = append(kept, b)
			protoSize += b.protoSize
		}
	}
	proto := make([]byte, 0, protoSize)
	for _, b := range kept {
		proto = append(proto, b.Proto()...)
	}
	text := make([]byte, 0, textSize)
	for b := range blocks {
		if b.textSize == 0 {
			continue
		}
		text = append(text, b.text()...)
		b.textAt.Store(&text[len(text)-b.textSize])
		if len(kept) > 0 && kept[0] == b {
			b.protoAt.Store(&proto[0])
			kept, proto = kept[1:], proto[b.protoSize:]
		} else {
			b.protoAt.Store(nil)
		}
	}
	return text
}

// derivable reports whether the text tells all that the protobuf does. It does not where a number is a -0
// or an unusual NaN, where a value is missing, and where there is more than a number.
func (b *Block) derivable() bool {
	switch dto.MetricType(b.typ) {
	case dto.MetricType_SUMMARY, dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		return false
	}
	desk := desks.Get().(*desk)
	defer desk.clear()
	desk.proto = appendDerived(desk.proto[:0], dto.MetricType(b.typ), b.text())
	return bytes.Equal(desk.proto, stretch(b.protoAt.Load(), b.protoSize))
}

// appendDerived appends the metrics of a plain block of counters, gauges or untyped ones, as Proto
// returns them. The lines are our own, so they are sound.
func appendDerived(dst []byte, typ dto.MetricType, lines []byte) []byte {
	var labels Labels
	for len(lines) > 0 {
		var number value
		labels, number.number, lines = splitLine(labels[:0], lines)
		dst = appendMetric(dst, labels, typ, &number)
	}
	return dst
}

// splitLine takes a line of a plain metric apart. Labels are appended to buf; those without escapes share
// the memory of the line.
func splitLine(buf Labels, lines []byte) (labels Labels, number float64, rest []byte) {
	at := bytes.IndexAny(lines, "{ ")
	for lines[at] != ' ' {
		lines = lines[at+1:] // past the brace or comma
		equals := bytes.IndexByte(lines, '=')
		name := lines[:equals]
		lines = lines[equals+2:]
		end, escaped := quotedEnd(lines)
		text := aliased(lines[:end])
		if escaped {
			text = unescaper.Replace(text)
		}
		buf = append(buf, Label{aliased(name), text})
		if at = end + 1; lines[at] == '}' {
			at++
		}
	}
	end := bytes.IndexByte(lines[at:], '\n') + at
	number, _ = strconv.ParseFloat(aliased(lines[at+1:end]), 64)
	return buf, number, lines[end+1:]
}

// unescaper undoes appendEscaped.
var unescaper = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n")

// quotedEnd returns where the closing quote stands.
func quotedEnd(text []byte) (end int, escaped bool) {
	for end < len(text) {
		switch text[end] {
		case '"':
			return end, escaped
		case '\\':
			escaped = true
			end++
		}
		end++
	}
	return end, escaped
}
