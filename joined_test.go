package holdfast

import (
	"fmt"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
)

// A page that stands while it is scraped again is joined, and says what it said, also for those who hold
// its blocks; a page that changed is not.
func TestPagesThatStandAreJoined(t *testing.T) {
	g := newTestGateway(t, nil)
	for i := range 1000 {
		mustPush(t, g, job(fmt.Sprintf("job%04d", i)), oneMetric("m", dto.MetricType_GAUGE))
	}
	before := scrapeText(t, g)
	mustPush(t, g, job("job0500"), oneMetric("m", dto.MetricType_GAUGE))
	for _, f := range formats() {
		compareCompressed(t, g, f)
	}
	joined, pages := 0, g.index.families["m"].variants[0].blocks.pages
	for _, l := range pages {
		if text := l.pressed.joined.Load(); text != nil && len(*text) > 0 {
			joined++
		}
	}
	if joined != len(pages) || joined < 3 {
		t.Errorf("%d of %d pages are joined", joined, len(pages))
	}
	if after := scrapeText(t, g); linesOf(after, "m{") != linesOf(before, "m{") {
		t.Error("the page differs once its blocks are joined")
	}
	mustPush(t, g, job("job0500"), oneMetric("m", dto.MetricType_GAUGE))
	g.index.snapshot()
	fresh := 0
	for _, l := range g.index.families["m"].variants[0].blocks.pages {
		if l.pressed.joined.Load() == nil {
			fresh++
		}
	}
	if fresh != 1 {
		t.Errorf("after one push %d pages are not joined, want 1", fresh)
	}
}

// linesOf returns the lines of a page that begin so.
func linesOf(page, begin string) string {
	var kept strings.Builder
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, begin) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
