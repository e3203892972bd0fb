package holdfast

import (
	"context"
	"sync/atomic"
	"time"
)

// kept is how much of compressed pages stands ready for the next scrape, by kind. Each whole scrape counts
// anew what it leaves behind.
type kept struct {
	bytes  [pressKinds]atomic.Int64
	scrape [pressKinds]atomic.Int64 // when it ended, in Unix nanoseconds
}

// unusedFor is how long compressed pages are kept that nobody asks for.
const unusedFor = 10 * time.Minute

// room returns the most bytes that pages of a kind may take, given a limit for all; 0 is no limit.
func (k *kept) room(kind int, limit int64) int64 {
	if limit == 0 {
		return 1 << 62
	}
	for other := range k.bytes {
		if other != kind {
			limit -= k.bytes[other].Load()
		}
	}
	return limit
}

// note takes down what a scrape has left behind.
func (k *kept) note(kind int, bytes int64) {
	k.bytes[kind].Store(bytes)
	k.scrape[kind].Store(time.Now().UnixNano())
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
			for kind := range g.kept.bytes {
				last := g.kept.scrape[kind].Load()
				if g.kept.bytes[kind].Load() > 0 && now.Sub(time.Unix(0, last)) > unusedFor {
					g.dropPresses(kind)
				}
			}
		}
	}
}

// dropPresses drops the compressed pages of a kind. A scrape that is under way makes them anew.
func (g *Gateway) dropPresses(kind int) {
	snap := g.index.snapshot()
	for _, f := range snap.names.all() {
		for i := range f.variants {
			for _, l := range f.variants[i].blocks.pages {
				l.pressed.forms[kind].Store(nil)
			}
		}
	}
	g.kept.bytes[kind].Store(0)
}
