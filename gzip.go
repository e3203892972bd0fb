package holdfast

import (
	"encoding/binary"
	"hash/crc32"
	"io"

	"holdfast/internal/exposition"
)

// gzipWriter writes one gzip member out of pressed pages and small pieces in between. It is one member,
// since many clients stop after the first.
type gzipWriter struct {
	w     io.Writer
	piece *presser // gathers what lies between pages
	crc   uint32
	size  uint32
	room  int64 // bytes of compressed pages that may be kept
	kept  int64 // bytes of those that are
}

// pieceSize is how much may gather before it is compressed.
const pieceSize = 64 << 10

func newGzipWriter(w io.Writer, room int64) (*gzipWriter, error) {
	z := &gzipWriter{w: w, room: room, piece: pressers.Get().(*presser)}
	z.piece.text = z.piece.text[:0]
	// Magic, deflate, no flags, no time, no special compression, unknown system.
	_, err := w.Write([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255})
	return z, err
}

// Write compresses b some time before the next page or the end.
func (z *gzipWriter) Write(b []byte) (int, error) {
	z.piece.text = append(z.piece.text, b...)
	if len(z.piece.text) < pieceSize {
		return len(b), nil
	}
	return len(b), z.flush()
}

func (z *gzipWriter) flush() error {
	text := z.piece.text
	if len(text) == 0 {
		return nil
	}
	z.crc = crc32.Update(z.crc, crc32.IEEETable, text)
	z.size += uint32(len(text)) // modulo 2^32, as gzip has it
	_, err := z.w.Write(z.piece.deflate())
	z.piece.text = text[:0]
	return err
}

// page writes a page as it lies.
func (z *gzipWriter) page(p *press) error {
	if err := z.flush(); err != nil {
		return err
	}
	z.crc = joinCRC(z.crc, p.crc, p.shift)
	z.size += uint32(p.size)
	_, err := z.w.Write(p.bytes)
	return err
}

// end writes what is left, an empty final block and the trailer.
func (z *gzipWriter) end() error {
	if err := z.flush(); err != nil {
		return err
	}
	trailer := []byte{1, 0, 0, 0xff, 0xff}
	trailer = binary.LittleEndian.AppendUint32(trailer, z.crc)
	trailer = binary.LittleEndian.AppendUint32(trailer, z.size)
	_, err := z.w.Write(trailer)
	return err
}

func (z *gzipWriter) giveBack() { z.piece.giveBack() }

// smallFamily is the number of pages below which a family is not worth presses of its own: they would
// compress badly, and there may be very many such families.
const smallFamily = 2

func (z *gzipWriter) worth(f exposition.Format, pages int) bool {
	return f.Syntax <= exposition.Delimited && pages >= smallFamily
}

func (z *gzipWriter) pages(f exposition.Format, h exposition.Header, pages []leaf[*exposition.Block]) error {
	for len(pages) > 0 {
		n := min(pressAhead, len(pages))
		pressPages(pages[:n], f, h)
		for _, l := range pages[:n] {
			p := pressPage(l, f, h)
			if z.kept+int64(len(p.bytes)) > z.room {
				l.pressed.forms[f.Syntax].Store(nil)
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
