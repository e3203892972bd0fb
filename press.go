package holdfast

import (
	"bytes"
	"hash/crc32"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"

	"holdfast/internal/exposition"
)

// presses are what scrapes made of a page. A page that changes is another page, so they never age.
type presses struct {
	mu      sync.Mutex // one scraper at a time makes them; others wait and share
	forms   [pressKinds]atomic.Pointer[press]
	scrapes atomic.Int32           // that have read the page while it was not joined
	aged    atomic.Pointer[age]    // of a page of groups
	joined  atomic.Pointer[[]byte] // the text of all its blocks; no bytes where it cannot be joined
}

// pressKinds is the number of ways in which a page may be pressed.
const pressKinds = 4

// kindOf returns which of them a syntax, text or delimited, and a coding, gzip or zstd, are.
func kindOf(s exposition.Syntax, c Coding) int { return int(s) + 2*int(c-Gzip) }

// press is a page in one format and coding: a zstd frame, or raw deflate, ended by a flush, so that presses
// and other such pieces can be joined into one stream.
type press struct {
	format exposition.Format
	plain  bool // the bytes are the same under every escaping
	bytes  []byte
	size   int // before compression; it, crc and shift are for gzip
	crc    uint32
	shift  crcShift // for size bytes
}

// fits reports whether the press serves a format of the same syntax.
func (p *press) fits(f exposition.Format) bool {
	return p != nil && (p.plain || p.format.Escaping == f.Escaping)
}

// pressLevel is the reference's, so that no reply is larger than its. Faster ones take half of the time
// and a tenth more bytes; but a page is compressed once and sent many times.
const pressLevel = 6

// presser holds the memory in which pages are joined and compressed.
type presser struct {
	text       []byte
	compressed bytes.Buffer
	writer     *flate.Writer
	frame      []byte
}

var pressers = sync.Pool{New: func() any {
	writer, err := flate.NewWriter(nil, pressLevel)
	if err != nil { // the level is a constant that exists
		panic(err)
	}
	return &presser{writer: writer}
}}

// maxPresser is the bytes above which a presser is not kept: one huge block must not hold them for ever.
const maxPresser = 1 << 20

func (p *presser) giveBack() {
	if cap(p.text) <= maxPresser && cap(p.frame) <= maxPresser {
		pressers.Put(p)
	}
}

// deflate compresses the presser's text and returns the bytes, which the next call overwrites.
func (p *presser) deflate() []byte {
	p.compressed.Reset()
	p.writer.Reset(&p.compressed)
	_, _ = p.writer.Write(p.text) // a buffer takes everything
	_ = p.writer.Flush()
	return p.compressed.Bytes()
}

// framer makes zstd frames. It is safe for concurrent use; its options are constants, so that making it does
// not fail. At its usual level frames take less time than deflate, and about as many bytes.
var framer = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithWindowSize(pressWindow), zstd.WithLowerEncoderMem(true), zstd.WithZeroFrames(true))
	if err != nil {
		panic(err)
	}
	return e
})

// pressWindow is as far as a frame looks back, in bytes: further than most pages are long.
const pressWindow = 128 << 10

// compress is deflate, or the same in one zstd frame.
func (p *presser) compress(c Coding) []byte {
	if c == Gzip {
		return p.deflate()
	}
	p.frame = framer().EncodeAll(p.text, p.frame[:0])
	return p.frame
}

// press returns a shared page in a format, compressed once for all scrapes until it changes.
func (z *pressedWriter) press(l leaf[*exposition.Block], f exposition.Format, h exposition.Header) *press {
	text := textOf([]leaf[*exposition.Block]{l}, h.Name, patience)
	pg := l.page
	form := &pg.pressed.forms[kindOf(f.Syntax, z.coding)]
	if known := form.Load(); known.fits(f) {
		return known
	}
	pg.pressed.mu.Lock()
	defer pg.pressed.mu.Unlock()
	if known := form.Load(); known.fits(f) {
		return known
	}
	p := pressers.Get().(*presser)
	defer p.giveBack()
	fresh := &press{format: f, plain: true}
	p.text = p.text[:0]
	if f.Syntax == exposition.Text {
		p.text = append(p.text, text...)
	}
	if len(p.text) == 0 {
		p.text = appendBlocks(p.text, f, h, pg)
	}
	for i := range pg.slots {
		fresh.plain = fresh.plain && pg.slots[i].value.Plain()
	}
	fresh.bytes = bytes.Clone(p.compress(z.coding))
	if z.coding == Gzip {
		fresh.size, fresh.crc, fresh.shift = len(p.text), crc32.ChecksumIEEE(p.text), shiftFor(len(p.text))
	}
	form.Store(fresh)
	z.pressed.Inc()
	return fresh
}

// maxAhead is how many pages are compressed at once, on all cores, before the first is written.
const maxAhead = 256

// pressAhead compresses what is not compressed yet of the first pages, and returns the number of those. However
// many are compressed already do not count: to start workers for a few pages costs as much as compressing them.
func (z *pressedWriter) pressAhead(pages []leaf[*exposition.Block], f exposition.Format, h exposition.Header) (n int) {
	kind := kindOf(f.Syntax, z.coding)
	missing := make([]leaf[*exposition.Block], 0, min(maxAhead, len(pages)))
	for ; n < len(pages) && len(missing) < maxAhead; n++ {
		if l := pages[n]; !l.pressed.forms[kind].Load().fits(f) {
			missing = append(missing, l)
		}
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(missing)) {
		workers.Go(func() {
			for i := next.Add(1); int(i) <= len(missing); i = next.Add(1) {
				z.press(missing[i-1], f, h)
			}
		})
	}
	workers.Wait()
	return n
}

// sizeOf returns the bytes of pages in delimited protobuf.
func sizeOf(pages []leaf[*exposition.Block], f exposition.Format) int {
	size := 0
	for _, l := range pages {
		for b := range valuesOf(l.page) {
			size += exposition.ProtoSize(f, b)
		}
	}
	return size
}
