package holdfast

import (
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// A scrape lets pushes go first after each page it compresses and each piece it writes, as long as pushes come.
func TestScrapesGiveWayToPushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newTestGateway(t, nil)
		var steps atomic.Int64
		g.way.yield = func() { steps.Add(1) }
		push := func(name string) { mustPush(t, g, job(name), oneMetric("m", dto.MetricType_GAUGE)) }
		stepsOf := func(c Coding) int64 {
			before := steps.Load()
			if err := g.Scrape(t.Context(), io.Discard, ScrapeOptions{Coding: c}); err != nil {
				t.Fatal(err)
			}
			return steps.Load() - before
		}
		for i := range 2000 {
			push(fmt.Sprintf("job%04d", i))
		}
		snap := g.index.snapshot()
		shown, _ := snap.names.get("m")
		pages := int64(len(shown.winner().blocks.pages))
		if n := stepsOf(Gzip); n < pages {
			t.Errorf("a scrape that compressed %d pages gave way %d times", pages, n)
		}
		if n := stepsOf(Identity); n < 2 {
			t.Errorf("a scrape of several pieces gave way %d times", n)
		}
		<-time.After(expectTime)
		if n := stepsOf(Gzip) + stepsOf(Identity); n != 0 {
			t.Errorf("scrapes gave way %d times while no push came", n)
		}
		for name, again := range map[string]func(){
			"a push":  func() { push("job0001") },
			"a batch": func() { g.PushAll([]Push{{Key: job("other"), Time: time.Now()}}, false) },
		} {
			<-time.After(expectTime)
			again()
			if n := stepsOf(Identity); n == 0 {
				t.Errorf("a scrape did not give way after %s", name)
			}
		}
	})
}
