package holdfast

import (
	"io"
	"iter"
	"sync"

	"holdfast/internal/exposition"
)

// patience is how many compressed scrapes a page must have outlived before it is joined for what that
// saves in memory. To join takes about as long as to compress.
const patience = 4

// textOf returns the text of a shared page of the named family in one piece, which its blocks then share.
// It is made once some scrapes have read the page: what is pushed to all the time is not worth it. It
// returns nil where there is none.
func textOf(pg *page[*exposition.Block], name string, scrapes int32) []byte {
	made := &pg.pressed
	if text := made.joined.Load(); text != nil {
		return *text
	}
	if made.scrapes.Add(1) <= scrapes {
		return nil
	}
	made.mu.Lock()
	defer made.mu.Unlock()
	if made.joined.Load() == nil {
		text := exposition.JoinText(name, valuesOf(pg))
		made.joined.Store(&text)
	}
	return *made.joined.Load()
}

// valuesOf yields the values of a page, in order.
func valuesOf[V any](pg *page[V]) iter.Seq[V] {
	return func(yield func(V) bool) {
		for i := range pg.slots {
			if !yield(pg.slots[i].value) {
				return
			}
		}
	}
}

// plainWriter writes a scrape as it is.
type plainWriter struct {
	io.Writer
	room []byte
}

var plainWriters = sync.Pool{New: func() any { return new(plainWriter) }}

func newPlainWriter(w io.Writer) *plainWriter {
	p := plainWriters.Get().(*plainWriter)
	p.Writer = w
	return p
}

func (p *plainWriter) giveBack() {
	p.Writer = nil
	if cap(p.room) <= maxPresser {
		plainWriters.Put(p)
	}
}

func (p *plainWriter) worth(f exposition.Format, _ int) bool { return f.Syntax == exposition.Text }

func (p *plainWriter) end() error { return nil }

func (p *plainWriter) pages(f exposition.Format, h exposition.Header, pages []leaf[*exposition.Block]) error {
	for _, l := range pages {
		text := textOf(l.page, h.Name, 1)
		if text == nil {
			p.room = appendBlocks(p.room[:0], f, h, l.page)
			text = p.room
		}
		if _, err := p.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// appendBlocks appends all blocks of a page.
func appendBlocks(dst []byte, f exposition.Format, h exposition.Header, pg *page[*exposition.Block]) []byte {
	for b := range valuesOf(pg) {
		dst = exposition.AppendBlock(dst, f, h, b)
	}
	return dst
}
