package holdfast

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// counted is how often something was written.
type counted int64

func (c *counted) Write(b []byte) (int, error) {
	*c++
	return len(b), nil
}

// A scrape lets pushes go first after some pages it compresses and each piece it writes, as long as pushes come.
func TestScrapesGiveWayToPushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newTestGateway(t, nil)
		var steps atomic.Int64
		g.way.yield = func() { steps.Add(1) }
		push := func(name string) { mustPush(t, g, job(name), oneMetric("m", dto.MetricType_GAUGE)) }
		var writes counted
		stepsOf := func(c Coding) int64 {
			before := steps.Load()
			writes = 0
			if err := g.Scrape(t.Context(), &writes, ScrapeOptions{Coding: c}); err != nil {
				t.Fatal(err)
			}
			return steps.Load() - before
		}
		for i := range 2000 {
			push(fmt.Sprintf("job%04d", i))
		}
		snap := g.index.snapshot()
		pressing := int64(0)
		for _, f := range snap.names.all() {
			pressing += int64(len(f.winner().blocks.pages) / pressStep)
		}
		if n := stepsOf(Gzip); n != pressing+int64(writes) || pressing == 0 {
			t.Errorf("a scrape that was to give way %d times while compressing and after %d pieces did so %d times", pressing, writes, n)
		}
		if n := stepsOf(Identity); n != int64(writes) || n < 2 {
			t.Errorf("a scrape that wrote %d pieces gave way %d times", writes, n)
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
