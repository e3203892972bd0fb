package holdfast

import (
	"fmt"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
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

// widest is the largest write that came.
type widest struct{ bytes int }

func (w *widest) Write(b []byte) (int, error) {
	w.bytes = max(w.bytes, len(b))
	return len(b), nil
}

// Pages that are joined together lie in one piece, which is sent as it lies; a page that changes leaves the
// pieces on both sides of it.
func TestJoinedPagesAreSentInOnePiece(t *testing.T) {
	g := newTestGateway(t, nil)
	for i := range 6000 {
		mustPush(t, g, job(fmt.Sprintf("job%04d", i)), oneMetric("m_of_a_family_with_a_long_name", dto.MetricType_GAUGE))
	}
	pages := func() []leaf[*exposition.Block] {
		return g.index.families["m_of_a_family_with_a_long_name"].variants[0].blocks.pages
	}
	apart := func() (n int) { // pages that do not lie behind the one before
		for i := 1; i < len(pages()); i++ {
			before, text := pages()[i-1].pressed.joined.Load(), pages()[i].pressed.joined.Load()
			if before == nil || text == nil || !follows(*before, *text) {
				n++
			}
		}
		return n
	}
	largest := func() int {
		var w widest
		if err := g.Scrape(t.Context(), &w, ScrapeOptions{}); err != nil {
			t.Fatal(err)
		}
		return w.bytes
	}
	before := largest()
	largest()
	if got, want := apart(), (len(pages())-1)/maxStretch; got != want {
		t.Errorf("%d of %d pages lie apart, want %d", got, len(pages()), want)
	}
	if after := largest(); after <= before {
		t.Errorf("the largest write had %d bytes before pages were joined, %d after", before, after)
	}
	was := apart()
	mustPush(t, g, job("job0500"), oneMetric("m_of_a_family_with_a_long_name", dto.MetricType_GAUGE))
	largest()
	if got := apart(); got != was+2 {
		t.Errorf("after one push %d pages lie apart, before it %d", got, was)
	}
}

// Texts of huge blocks do not lie together: one group that stays would hold those of all that went.
func TestHugeBlocksAreJoinedAlone(t *testing.T) {
	g := newTestGateway(t, nil)
	var body strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&body, "m{path=\"/some/label/value/%d\"} 1\n", i)
	}
	families, err := exposition.DecodeText([]byte(body.String()), model.LegacyValidation)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		mustPush(t, g, job(fmt.Sprint(i)), families)
	}
	for range 3 {
		scrapeText(t, g)
	}
	pages := g.index.families["m"].variants[0].blocks.pages
	if len(pages) != 8 {
		t.Fatalf("8 huge blocks are in %d pages", len(pages))
	}
	for i, l := range pages {
		text := l.pressed.joined.Load()
		if text == nil || len(*text) < 100_000 {
			t.Fatalf("page %d is not joined", i)
		}
		if cap(*text) > 2*len(*text) {
			t.Errorf("page %d of %d bytes holds %d", i, len(*text), cap(*text))
		}
	}
}

// What changes in the midst of a stretch is shown as it is.
func TestPageInTheMidstOfAStretchChanges(t *testing.T) {
	g := newTestGateway(t, nil)
	push := func(i, value int) {
		families, err := exposition.DecodeText(fmt.Appendf(nil, "# TYPE m gauge\nm{a=\"%0200d\"} %d\n", i, value), model.LegacyValidation)
		if err != nil {
			t.Fatal(err)
		}
		mustPush(t, g, job(fmt.Sprintf("j%04d", i)), families)
	}
	for i := range 1000 {
		push(i, 1000)
	}
	for range 3 {
		scrapeText(t, g)
	}
	for i := 100; i < 1000; i += 100 {
		push(i, 2222)
	}
	for range 3 { // before and after what changed is joined again
		text := scrapeText(t, g)
		for i := 100; i < 1000; i += 100 {
			if !strings.Contains(text, fmt.Sprintf("m{a=\"%0200d\",instance=\"\",job=\"j%04d\"} 2222\n", i, i)) {
				t.Errorf("group %d is shown as it was before", i)
			}
		}
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
