package holdfast

import (
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast/internal/exposition"
)

// pressedWriter writes a compressed scrape out of pressed pages and small pieces in between. Gzip is one
// member; zstd is a frame for each page and piece, one behind the other.
type pressedWriter struct {
	w      io.Writer
	coding Coding
	piece  *presser // gathers what lies between pages
	sum    gzipSum
	sent   bool  // anything
	room   int64 // bytes of compressed pages that may be kept
	kept   int64 // bytes of those that are

	pressed prometheus.Counter // counts pages that were compressed
}

// pieceSize is how much may gather before it is compressed.
const pieceSize = 64 << 10

func (z *pressedWriter) begin() error {
	z.piece.text = z.piece.text[:0]
	if z.coding == Zstd {
		return nil
	}
	// Magic, deflate, no flags, no time, no special compression, unknown system.
	return z.send([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255})
}

func (z *pressedWriter) send(b []byte) error {
	z.sent = true
	_, err := z.w.Write(b)
	return err
}

// Write compresses b some time before the next page or the end.
func (z *pressedWriter) Write(b []byte) (int, error) {
	z.piece.text = append(z.piece.text, b...)
	if len(z.piece.text) < pieceSize {
		return len(b), nil
	}
	return len(b), z.flush()
}

func (z *pressedWriter) flush() error {
	text := z.piece.text
	if len(text) == 0 {
		return nil
	}
	if z.coding == Gzip {
		z.sum.add(text)
	}
	err := z.send(z.piece.compress(z.coding))
	z.piece.text = text[:0]
	return err
}

// page writes a page as it lies.
func (z *pressedWriter) page(p *press) error {
	if err := z.flush(); err != nil {
		return err
	}
	if z.coding == Gzip {
		z.sum.join(p)
	}
	return z.send(p.bytes)
}

// end writes what is left, and what ends a gzip member: an empty final block and the trailer.
func (z *pressedWriter) end() error {
	if err := z.flush(); err != nil {
		return err
	}
	switch {
	case z.coding == Gzip:
		return z.send(z.sum.appendTrailer([]byte{1, 0, 0, 0xff, 0xff}))
	case !z.sent:
		return z.send(z.piece.compress(Zstd)) // no bytes at all are no zstd
	}
	return nil
}

func (z *pressedWriter) giveBack() { z.piece.giveBack() }

// gzipSum is what the trailer of a gzip member says.
type gzipSum struct {
	crc  uint32
	size uint32 // modulo 2^32, as gzip has it
}

func (s *gzipSum) add(text []byte) {
	s.crc = crc32.Update(s.crc, crc32.IEEETable, text)
	s.size += uint32(len(text))
}

func (s *gzipSum) join(p *press) {
	s.crc = joinCRC(s.crc, p.crc, p.shift)
	s.size += uint32(p.size)
}

func (s *gzipSum) appendTrailer(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, s.crc)
	return binary.LittleEndian.AppendUint32(dst, s.size)
}

// smallFamily is the number of pages below which a family is not worth presses of its own: they would
// compress badly, and there may be very many such families.
const smallFamily = 2

func (z *pressedWriter) worth(f exposition.Format, pages int) bool {
	return f.Syntax <= exposition.Delimited && pages >= smallFamily
}

func (z *pressedWriter) pages(f exposition.Format, h exposition.Header, pages []leaf[*exposition.Block]) error {
	kind := kindOf(f.Syntax, z.coding)
	for len(pages) > 0 {
		n := z.pressAhead(pages, f, h)
		for _, l := range pages[:n] {
			p := z.press(l, f, h)
			if z.kept+int64(len(p.bytes)) > z.room {
				l.pressed.forms[kind].Store(nil)
			} else {
				z.kept += int64(len(p.bytes))
			}
			if err := z.page(p); err != nil {
				return err
			}
		}
		pages = pages[n:]
	}
	return nil
}
