package holdfast

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// sleeper is a client that reads nothing until it is cut or let go.
type sleeper struct{ free chan struct{} }

func (c sleeper) Write(b []byte) (int, error) {
	<-c.free
	return len(b), nil
}

// Clients that do not read hold at most four scrapes: a further scrape cuts the oldest of them, and only
// those that stall.
func TestStalledScrapesAreCut(t *testing.T) {
	g := newTestGateway(t, nil)
	mustPush(t, g, job("a"), oneMetric("m", dto.MetricType_GAUGE))
	synctest.Test(t, func(t *testing.T) {
		results := make(chan string, 6)
		clients := make([]sleeper, 6)
		for i := range clients {
			clients[i] = sleeper{make(chan struct{})}
			go func() {
				err := g.Scrape(t.Context(), clients[i], ScrapeOptions{Cut: func() { close(clients[i].free) }})
				results <- fmt.Sprintf("%d:%v", i, errors.Is(err, errCut))
			}()
			synctest.Wait()
			if i < len(clients)-1 {
				<-time.After(stallTime)
			}
		}
		if len(results) != 2 {
			t.Errorf("%d scrapes were cut, want 2", len(results))
		}
		// Pushes and quick scrapes do not wait for the others.
		mustPush(t, g, job("b"), oneMetric("m", dto.MetricType_GAUGE))
		if err := g.Scrape(t.Context(), io.Discard, ScrapeOptions{}); err != nil {
			t.Error(err)
		}
		for _, c := range clients[2:] {
			close(c.free)
		}
		synctest.Wait()
		close(results)
		ended := slices.Sorted(func(yield func(string) bool) {
			for result := range results {
				if !yield(result) {
					return
				}
			}
		})
		if want := "[0:true 1:true 2:false 3:false 4:false 5:false]"; fmt.Sprint(ended) != want {
			t.Errorf("ended are %v, want %s", ended, want)
		}
	})
	if len(g.scrapes.all) != 0 {
		t.Errorf("%d scrapes are still under way", len(g.scrapes.all))
	}
}
