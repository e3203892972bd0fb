package holdfast

import (
	"bufio"
	"iter"
	"sync"

	"holdfast/internal/exposition"
)

// patience is how many compressed scrapes a page must have outlived before it is joined for what that
// saves in memory. To join takes about as long as to compress.
const patience = 4

// maxStretch is how many pages are joined at once. Their texts then lie one behind the other, and are sent
// without being copied as long as none of them changes. They live as long as one of them does, so that pages of huge
// blocks, which are larger than others, are joined alone.
const maxStretch = 16

// textOf returns the text of the first of some shared pages of the named family, in one piece, which its
// blocks then share. It is made once so many scrapes have read the page: what is pushed to all the time is not
// worth it. It returns nil where there is none.
func textOf(pages []leaf[*exposition.Block], name string, scrapes int32) []byte {
	made := &pages[0].pressed
	if text := made.joined.Load(); text != nil {
		return *text
	}
	if made.scrapes.Add(1) <= scrapes {
		return nil
	}
	made.mu.Lock()
	defer made.mu.Unlock()
	if text := made.joined.Load(); text != nil {
		return *text
	}
	joinPages(dueWith(pages, scrapes), name)
	return *made.joined.Load()
}

// dueWith returns the first page and those behind it that this scrape will want joined too.
func dueWith(pages []leaf[*exposition.Block], scrapes int32) []leaf[*exposition.Block] {
	n, size := 1, sizeWithin(pages[0].page)
	for n < min(len(pages), maxStretch) && pages[n].pressed.joined.Load() == nil && pages[n].pressed.scrapes.Load() >= scrapes {
		if size += sizeWithin(pages[n].page); size > maxStretch*maxPageWeight {
			break
		}
		n++
	}
	return pages[:n]
}

// sizeWithin returns the bytes of all blocks of a page. Its weight counts a huge one for less.
func sizeWithin(pg *page[*exposition.Block]) int {
	size := 0
	for b := range valuesOf(pg) {
		size += b.Size()
	}
	return size
}

// joinPages joins pages of which the first is locked. Others that another scrape is about to join are left to it.
func joinPages(pages []leaf[*exposition.Block], name string) {
	locked := 1
	for locked < len(pages) && pages[locked].pressed.mu.TryLock() {
		defer pages[locked].pressed.mu.Unlock()
		locked++
	}
	blocks := make([]iter.Seq[*exposition.Block], locked)
	for i := range blocks {
		blocks[i] = valuesOf(pages[i].page)
	}
	for i, text := range exposition.JoinText(name, blocks...) {
		pages[i].pressed.joined.CompareAndSwap(nil, &text)
	}
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
	*bufio.Writer
	room []byte
}

var plainWriters = sync.Pool{New: func() any { return new(plainWriter) }}

func newPlainWriter(w *bufio.Writer) *plainWriter {
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
	var stretch []byte // texts that lie one behind the other
	for i := range pages {
		text := textOf(pages[i:], h.Name, 1)
		if follows(stretch, text) {
			stretch = stretch[:len(stretch)+len(text)]
			continue
		}
		if err := p.through(stretch); err != nil {
			return err
		}
		if stretch = text; text != nil {
			continue
		}
		p.room = appendBlocks(p.room[:0], f, h, pages[i].page)
		if err := p.through(p.room); err != nil {
			return err
		}
	}
	return p.through(stretch)
}

// follows reports whether b lies in memory where a ends.
func follows(a, b []byte) bool {
	return len(a) > 0 && len(b) > 0 && cap(a) >= len(a)+len(b) && &a[:len(a)+1][len(a)] == &b[0]
}

// through writes a stretch; a large one is not copied.
func (p *plainWriter) through(stretch []byte) error {
	if len(stretch) > p.Size() {
		if err := p.Flush(); err != nil {
			return err
		}
	}
	_, err := p.Write(stretch)
	return err
}

// appendBlocks appends all blocks of a page.
func appendBlocks(dst []byte, f exposition.Format, h exposition.Header, pg *page[*exposition.Block]) []byte {
	for b := range valuesOf(pg) {
		dst = exposition.AppendBlock(dst, f, h, b)
	}
	return dst
}
