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

// A scrape lets pushes go first after each piece it writes, as long as pushes come.
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
		for c, least := range map[Coding]int64{Identity: 2, Gzip: 1} {
			if n := stepsOf(c); n != int64(writes) || n < least {
				t.Errorf("coding %d: a scrape that wrote %d pieces gave way %d times", c, writes, n)
			}
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
