package exposition

import (
	"bytes"
	"iter"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
)

// JoinText lays the text of blocks of the named family into one stretch of memory, page behind page and in
// their order, and returns that of each page: it is from then on the one that the blocks share. Where the
// text of a block gives its protobuf back to the bit, the protobuf is let go, and Proto takes time. It is
// meant for blocks that have stood for a while: their text need not be made again for each scrape. The text
// of a page is nil, and nothing is changed in it, if one of its blocks is not plain.
//
// Blocks may be read meanwhile, and be joined by others at the same time.
func JoinText(name string, pages ...iter.Seq[*Block]) [][]byte {
	all := joinings.Get().(*joining)
	defer all.giveBack()
	for _, blocks := range pages {
		if !plain(blocks) {
			continue
		}
		for b := range blocks {
			all.add(b, name)
		}
	}
	return all.share(pages)
}

// plain reports whether all blocks are.
func plain(blocks iter.Seq[*Block]) bool {
	for b := range blocks {
		if !b.Plain() {
			return false
		}
	}
	return true
}

// joining is the memory in which text is joined.
type joining struct {
	text  []byte
	proto []byte // of the blocks whose text does not tell it
	ends  []end
}

// end is where a block ends in the text and in the protobuf of a joining.
type end struct{ text, proto int }

var joinings = sync.Pool{New: func() any { return new(joining) }}

func (j *joining) giveBack() {
	if cap(j.text) <= maxDesk && cap(j.proto) <= maxDesk {
		j.text, j.proto, j.ends = j.text[:0], j.proto[:0], j.ends[:0]
		joinings.Put(j)
	}
}

// add appends a block.
func (j *joining) add(b *Block, name string) {
	from := len(j.text)
	j.text = b.appendText(j.text, name, model.NoEscaping)
	if held := b.protoAt.Load(); held != nil && !b.derivable(j.text[from:]) {
		j.proto = append(j.proto, unsafe.Slice(held, b.protoSize)...)
	}
	j.ends = append(j.ends, end{len(j.text), len(j.proto)})
}

// share has the blocks that were added hold what was joined, and returns the text of each page.
func (j *joining) share(pages []iter.Seq[*Block]) [][]byte {
	text, proto := append([]byte(nil), j.text...), append([]byte(nil), j.proto...)
	texts := make([][]byte, len(pages))
	from, ends := end{}, j.ends
	for i, blocks := range pages {
		if !plain(blocks) {
			continue
		}
		begin := from.text
		for b := range blocks {
			to := ends[0]
			b.take(text[from.text:to.text], proto[from.proto:to.proto])
			from, ends = to, ends[1:]
		}
		texts[i] = text[begin:from.text]
	}
	return texts
}

// take has the block hold a text, and a protobuf that has no bytes where the text tells it.
func (b *Block) take(text, proto []byte) {
	if len(text) == 0 {
		return
	}
	b.textSize.Store(int64(len(text)))
	b.textAt.Store(&text[0])
	if len(proto) > 0 {
		b.protoAt.Store(&proto[0])
	} else {
		b.protoAt.Store(nil)
	}
}

// derivable reports whether the block's text tells all that its protobuf does. It does not where a number is
// a -0 or an unusual NaN, where a value is missing, and where there is more than a number.
func (b *Block) derivable(text []byte) bool {
	switch dto.MetricType(b.typ) {
	case dto.MetricType_SUMMARY, dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		return false
	}
	desk := desks.Get().(*desk)
	defer desk.clear()
	desk.proto = appendDerived(desk.proto[:0], dto.MetricType(b.typ), text)
	return bytes.Equal(desk.proto, b.Proto())
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
