//go:build !race

package holdfast

import (
	"fmt"
	"io"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

// TestAllocationsOfAScrape defends that a scrape takes memory by the page that changed and by the family,
// never by what stands. The race
// detector makes pools forget, so it is not built with that.
func TestAllocationsOfAScrape(t *testing.T) {
	g := newTestGateway(t, nil)
	push := func(n int) {
		for i := range n {
			mustPush(t, g, job(fmt.Sprintf("job%05d", i)), oneMetric("m", dto.MetricType_GAUGE))
		}
	}
	measure := func(c Coding) float64 {
		o := ScrapeOptions{Format: exposition.Format{Escaping: model.UnderscoreEscaping}, Coding: c}
		scrape := func() {
			if err := g.Scrape(t.Context(), io.Discard, o); err != nil {
				t.Fatal(err)
			}
		}
		for range patience + 2 {
			scrape()
		}
		return testing.AllocsPerRun(20, scrape)
	}
	push(500)
	few := [...]float64{measure(Identity), measure(Gzip), measure(Zstd)}
	push(4000)
	many := [...]float64{measure(Identity), measure(Gzip), measure(Zstd)}
	for i := range few {
		if pages := len(g.index.families["m"].variants[0].blocks.pages); many[i]-few[i] > 5 || pages < 10 {
			t.Errorf("coding %d: %.0f allocations a scrape of %d pages, %.0f of an eighth of them", i, many[i], pages, few[i])
		}
	}
}
