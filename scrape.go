package holdfast

import (
	"bufio"
	"context"
	"io"
	"iter"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"holdfast/internal/exposition"
)

// ScrapeOptions is how a scrape is written.
type ScrapeOptions struct {
	Format exposition.Format
	Coding Coding
	Part   Part

	// Cut, if it is not nil, is called from another goroutine when the scrape is given up because its client reads
	// nothing: it must make a waiting Write return.
	Cut func()
}

// Coding is how a scrape is compressed.
type Coding uint8

// The codings.
const (
	Identity Coding = iota
	Gzip            // one member, since many clients stop after the first
	Zstd            // several frames
)

// Scrape writes every family, own and pushed, by name. What did not change since the last scrape of the
// kind is neither encoded nor compressed again. Errors before the first byte are *Refusal; later ones are
// those of w and ctx. No lock is held while w is written to.
func (g *Gateway) Scrape(ctx context.Context, w io.Writer, o ScrapeOptions) error {
	if err := g.Ready(); err != nil {
		return err
	}
	own := g.gather()
	snap := g.index.snapshot()
	s := &scrape{ScrapeOptions: o, pressed: g.meters.pressed}
	if !o.Part.whole() {
		chosen, err := snap.choose(o.Part)
		if err != nil {
			return err
		}
		s.chosen = chosen
	}
	u := &underway{Writer: w, cut: o.Cut}
	g.scrapes.begin(u)
	defer g.scrapes.end(u)
	buffered := rooms.Get().(*bufio.Writer)
	buffered.Reset(courteous{Writer: u, way: &g.way})
	defer func() {
		buffered.Reset(nil)
		rooms.Put(buffered)
	}()
	kind, room := 0, int64(0)
	if o.Coding != Identity {
		kind = kindOf(min(o.Format.Syntax, exposition.Delimited), o.Coding)
		room = g.kept.room(kind, g.ScrapeBytes)
	}
	if err := s.write(ctx, buffered, room, byName(own, snap.visible(own))); err != nil {
		return err
	}
	if z, compressed := s.out.(*pressedWriter); compressed && s.chosen == nil {
		g.kept.note(kind, z.kept)
	}
	return buffered.Flush()
}

// write writes all families. Compressed pages that together take more than room bytes are not kept.
func (s *scrape) write(ctx context.Context, w *bufio.Writer, room int64, families iter.Seq2[*dto.MetricFamily, *family]) (err error) {
	if s.out, err = s.output(w, room); err != nil {
		return err
	}
	defer s.out.giveBack()
	for own, stored := range families {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.family(own, stored); err != nil {
			return err
		}
	}
	return s.out.end()
}

// gather returns the gateway's own families, by name.
func (g *Gateway) gather() []*dto.MetricFamily {
	if g.Own == nil {
		return nil
	}
	own, err := g.Own.Gather()
	if err != nil {
		g.Logger.Error("some of the gateway's own metrics could not be gathered", "err", err)
	}
	return own
}

// output is where a scrape goes: small pieces by Write, and pages.
type output interface {
	io.Writer
	// pages writes pages of a family as they lie, in order.
	pages(f exposition.Format, h exposition.Header, pages []leaf[*exposition.Block]) error
	// worth reports whether pages of a family are to be written as such.
	worth(f exposition.Format, pages int) bool
	end() error
	giveBack()
}

func (s *scrape) output(w *bufio.Writer, room int64) (output, error) {
	if s.Coding == Identity {
		return newPlainWriter(w), nil
	}
	z := &pressedWriter{w: w, coding: s.Coding, room: room, pressed: s.pressed, piece: pressers.Get().(*presser)}
	return z, z.begin()
}

// scrape is one that is being written.
type scrape struct {
	ScrapeOptions
	out     output
	pressed prometheus.Counter
	chosen  *chosen // nil for all
}

// family writes one name: what is large as pages, the rest in pieces.
func (s *scrape) family(own *dto.MetricFamily, stored *family) error {
	header, shown := exposed(own, stored)
	if s.chosen != nil {
		return exposition.WriteFamily(s.out, s.Format, header, s.part(own, stored, shown))
	}
	if shown == nil || stored.suspect || !s.out.worth(s.Format, len(shown.blocks.pages)) {
		return exposition.WriteFamily(s.out, s.Format, header, blocksOf(own, stored, shown))
	}
	pages := shown.blocks.pages
	var first []byte
	if own != nil {
		first = exposition.AppendBlock(nil, s.Format, header, exposition.FromProto(own).EncodeOwn())
	}
	size := len(first)
	if s.Format.Syntax == exposition.Delimited { // its head tells the size of all that follows
		size += sizeOf(pages, s.Format)
	}
	if _, err := s.out.Write(append(exposition.AppendHead(nil, s.Format, header, size), first...)); err != nil {
		return err
	}
	return s.out.pages(s.Format, header, pages)
}

// part yields what is exposed of a name in a part of the page.
func (s *scrape) part(own *dto.MetricFamily, stored *family, shown *variant) iter.Seq[*exposition.Block] {
	return func(yield func(*exposition.Block) bool) {
		if own != nil && s.Part.own(own.GetName()) && !yield(exposition.FromProto(own).EncodeOwn()) || shown == nil {
			return
		}
		for b := range s.chosen.of(stored, shown) {
			if !yield(b) {
				return
			}
		}
	}
}

// visible yields the stored families that are exposed at all, by name.
func (s *snapshot) visible(own []*dto.MetricFamily) iter.Seq2[string, *family] {
	return func(yield func(string, *family) bool) {
		for name, f := range s.names.all() {
			if !s.outdone(f, own) && !yield(name, f) {
				return
			}
		}
	}
}

// exposed returns what a scrape shows of a name: the gateway's own metrics win over pushed ones of
// another type, and over all that were stored under a name that has become the gateway's. The variant is
// nil where no pushed one is shown.
func exposed(own *dto.MetricFamily, stored *family) (exposition.Header, *variant) {
	if own == nil {
		shown := stored.winner()
		return exposition.Header{Name: stored.name, Help: shown.help, Type: shown.typ}, shown
	}
	header := exposition.Header{Name: own.GetName(), Help: own.GetHelp(), Type: own.GetType()}
	if stored == nil || hasOwnPrefix(stored.name) {
		return header, nil
	}
	return header, stored.variant(own.GetType())
}

// blocksOf yields what is exposed of a name: own metrics first.
func blocksOf(own *dto.MetricFamily, stored *family, shown *variant) iter.Seq[*exposition.Block] {
	return func(yield func(*exposition.Block) bool) {
		if own != nil && !yield(exposition.FromProto(own).EncodeOwn()) || shown == nil {
			return
		}
		for b := range stored.shown(shown) {
			if !yield(b) {
				return
			}
		}
	}
}

// byName walks own and stored families together, by name; one of a pair may be nil. Stored families
// whose names have become the gateway's are left out where it exposes none.
func byName(own []*dto.MetricFamily, stored iter.Seq2[string, *family]) iter.Seq2[*dto.MetricFamily, *family] {
	return func(yield func(*dto.MetricFamily, *family) bool) {
		for name, f := range stored {
			for len(own) > 0 && own[0].GetName() < name {
				if !yield(own[0], nil) {
					return
				}
				own = own[1:]
			}
			var same *dto.MetricFamily
			if len(own) > 0 && own[0].GetName() == name {
				same, own = own[0], own[1:]
			}
			if same == nil && hasOwnPrefix(name) {
				continue
			}
			if !yield(same, f) {
				return
			}
		}
		for _, mf := range own {
			if !yield(mf, nil) {
				return
			}
		}
	}
}
