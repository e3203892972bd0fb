package holdfast

import (
	"context"
	"io"
	"iter"

	dto "github.com/prometheus/client_model/go"

	"holdfast/internal/exposition"
)

// Scrape writes every family, own and pushed, by name, in format f. Errors before the first byte are
// *Refusal; later ones are those of w and ctx.
func (g *Gateway) Scrape(ctx context.Context, w io.Writer, f exposition.Format) error {
	return g.walk(ctx, func(own *dto.MetricFamily, stored *family) error {
		header, shown := exposed(own, stored)
		return exposition.WriteFamily(w, f, header, blocksOf(own, stored, shown))
	})
}

// ScrapeGzip is Scrape, compressed as one gzip member. What did not change since the last such scrape is
// not compressed again.
func (g *Gateway) ScrapeGzip(ctx context.Context, w io.Writer, f exposition.Format) error {
	if err := g.Ready(); err != nil {
		return err
	}
	z, err := newGzipWriter(w)
	defer z.giveBack()
	if err != nil {
		return err
	}
	err = g.walk(ctx, func(own *dto.MetricFamily, stored *family) error { return z.family(f, own, stored) })
	if err != nil {
		return err
	}
	return z.end()
}

// walk visits all names of one moment, in their order; own or stored may be nil.
func (g *Gateway) walk(ctx context.Context, visit func(own *dto.MetricFamily, stored *family) error) error {
	if err := g.Ready(); err != nil {
		return err
	}
	var own []*dto.MetricFamily
	if g.Own != nil {
		gathered, err := g.Own.Gather()
		if err != nil {
			g.Logger.Error("some of the gateway's own metrics could not be gathered", "err", err)
		}
		own = gathered
	}
	snap := g.index.snapshot()
	for own, stored := range byName(own, snap.visible(own)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := visit(own, stored); err != nil {
			return err
		}
	}
	return nil
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
