package holdfast

import (
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"

	"holdfast/internal/exposition"
)

// pressedBytes is what compressed pages of a syntax take.
func pressedBytes(g *Gateway, syntax exposition.Syntax) int64 {
	total := 0
	snap := g.index.snapshot()
	for _, f := range snap.names.all() {
		for _, l := range f.winner().blocks.pages {
			for _, c := range []Coding{Gzip, Zstd} {
				if p := l.pressed.forms[kindOf(syntax, c)].Load(); p != nil {
					total += len(p.bytes)
				}
			}
		}
	}
	return int64(total)
}

func scrapeAll(t *testing.T, g *Gateway) {
	t.Helper()
	for _, syntax := range []exposition.Syntax{exposition.Text, exposition.Delimited} {
		for _, c := range []Coding{Gzip, Zstd} {
			if err := g.Scrape(t.Context(), io.Discard, ScrapeOptions{Format: exposition.Format{Syntax: syntax}, Coding: c}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Compressed pages stay within the limit, all syntaxes and codings together, and scrapes are what they were.
func TestCompressedPagesAreBounded(t *testing.T) {
	const limit = 6 << 10
	free, bound := newTestGateway(t, nil), newTestGateway(t, func(o *Options) { o.ScrapeBytes = limit })
	for _, g := range []*Gateway{free, bound} {
		for i := range 2000 {
			mustPush(t, g, job(fmt.Sprintf("job%d", i)), oneMetric("m", dto.MetricType_GAUGE))
		}
		for range 3 {
			scrapeAll(t, g)
		}
	}
	if n := pressedBytes(free, 0) + pressedBytes(free, 1); n < 2*limit {
		t.Fatalf("only %d bytes are kept without a limit", n)
	}
	if n := pressedBytes(bound, 0) + pressedBytes(bound, 1); n > limit || n < limit/4 {
		t.Errorf("%d bytes are kept, the limit is %d", n, limit)
	}
	for _, f := range formats() {
		compareCompressed(t, bound, f)
	}
}

func TestUnusedPagesAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newTestGateway(t, nil)
		for i := range 1000 {
			mustPush(t, g, job(fmt.Sprintf("job%d", i)), oneMetric("m", dto.MetricType_GAUGE))
		}
		scrapeAll(t, g)
		for range 4 {
			<-time.After(unusedFor / 2)
			if err := g.Scrape(t.Context(), io.Discard, ScrapeOptions{Coding: Gzip}); err != nil {
				t.Fatal(err)
			}
		}
		if text, proto := pressedBytes(g, exposition.Text), pressedBytes(g, exposition.Delimited); text == 0 || proto != 0 {
			t.Errorf("%d bytes of text and %d of protobuf are kept, want none of protobuf", text, proto)
		}
	})
}
