package holdfast

import (
	"context"
	"sync/atomic"
	"time"

	"holdfast/internal/exposition"
)

// kept is how much of compressed pages stands ready for the next scrape, by syntax. Each whole scrape
// counts anew what it leaves behind.
type kept struct {
	bytes  [2]atomic.Int64
	scrape [2]atomic.Int64 // when it ended, in Unix nanoseconds
}

// unusedFor is how long compressed pages are kept that nobody asks for.
const unusedFor = 10 * time.Minute

// room returns the most bytes that pages of a syntax may take, given a limit for all; 0 is no limit.
func (k *kept) room(syntax exposition.Syntax, limit int64) int64 {
	if limit == 0 {
		return 1 << 62
	}
	return limit - k.bytes[1-syntax].Load()
}

// note takes down what a scrape has left behind.
func (k *kept) note(syntax exposition.Syntax, bytes int64) {
	k.bytes[syntax].Store(bytes)
	k.scrape[syntax].Store(time.Now().UnixNano())
}

// dropUnused drops compressed pages that were not scraped for a while, until ctx ends.
func (g *Gateway) dropUnused(ctx context.Context) {
	tick := time.NewTicker(unusedFor / 10)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for syntax := range g.kept.bytes {
				last := g.kept.scrape[syntax].Load()
				if g.kept.bytes[syntax].Load() > 0 && now.Sub(time.Unix(0, last)) > unusedFor {
					g.dropPresses(exposition.Syntax(syntax))
				}
			}
		}
	}
}

// dropPresses drops the compressed pages of a syntax. A scrape that is under way makes them anew.
func (g *Gateway) dropPresses(syntax exposition.Syntax) {
	snap := g.index.snapshot()
	for _, f := range snap.names.all() {
		for i := range f.variants {
			for _, l := range f.variants[i].blocks.pages {
				l.pressed.forms[syntax].Store(nil)
			}
		}
	}
	g.kept.bytes[syntax].Store(0)
}
