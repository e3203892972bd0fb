package holdfast

import (
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
)

// Scrapers that come at one moment compress each page once, between them.
func TestScrapersShareTheWork(t *testing.T) {
	g := newTestGateway(t, nil)
	for i := range 5000 {
		mustPush(t, g, job(fmt.Sprintf("job%04d", i)), oneMetric("m", dto.MetricType_GAUGE))
	}
	snap := g.index.snapshot()
	pages := 0
	for _, f := range snap.names.all() {
		pages += len(f.winner().blocks.pages)
	}
	for kind, c := range []Coding{Gzip, Zstd} {
		var scrapers sync.WaitGroup
		for range 8 {
			scrapers.Go(func() {
				if err := g.Scrape(t.Context(), io.Discard, ScrapeOptions{Coding: c}); err != nil {
					t.Error(err)
				}
			})
		}
		scrapers.Wait()
		if n, want := int(testutil.ToFloat64(g.meters.pressed)), (kind+1)*pages; n != want || pages < 20 {
			t.Errorf("coding %d: %d pages were compressed so far, want %d", c, n, want)
		}
	}
}
