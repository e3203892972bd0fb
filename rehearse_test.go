package holdfast

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// A rehearsal gets the answer of the push that follows it, whatever stands, and changes nothing.
func TestRehearsalForetellsThePush(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 5))
		for _, unchecked := range []bool{false, true} {
			g := newTestGateway(t, func(o *Options) { o.Unchecked, o.Limits = unchecked, Limits{Groups: 12} })
			types := []dto.MetricType{dto.MetricType_GAUGE, dto.MetricType_COUNTER, dto.MetricType_HISTOGRAM}
			for range 60 {
				name := []string{"m", "m_count", "n", "holdfast_n"}[r.IntN(4)]
				p := Push{
					Key: shapedKey(r.IntN(20), 3), Mode: Mode(r.IntN(4)), Families: oneMetric(name, types[r.IntN(3)]),
					Time: time.Now(), Origin: Origin{Remote: "x"},
				}
				before, masked := scrapeText(t, g), suspects(t, g)
				_, foretold := g.Rehearse(p)
				if after := scrapeText(t, g); after != before || suspects(t, g) != masked {
					t.Fatalf("the rehearsal changed the scrape from\n%s\nto\n%s", before, after)
				}
				if err := g.Push(t.Context(), p); fmt.Sprint(err) != fmt.Sprint(foretold) {
					t.Fatalf("seed %d: foretold was %v, the push got %v", seed, foretold, err)
				}
			}
		}
	}
}

// suspects counts the families that may hide something.
func suspects(t *testing.T, g *Gateway) (count int) {
	t.Helper()
	g.index.mu.Lock()
	defer g.index.mu.Unlock()
	for _, f := range g.index.families {
		if f.suspect || len(f.rivals) > 0 {
			count++
		}
	}
	return count
}

// Where only a push on its way to the engine stands against it, a rehearsal waits for the outcome.
func TestRehearsalWaitsForOutcome(t *testing.T) {
	for _, outcome := range []error{nil, ErrUnavailable} {
		inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
			pushAsync(g, job("a"), oneMetric("m", dto.MetricType_GAUGE))
			synctest.Wait()
			foretold := make(chan error, 1)
			go func() {
				_, err := g.Rehearse(Push{Key: job("b"), Families: oneMetric("m", dto.MetricType_COUNTER), Time: time.Now()})
				foretold <- err
			}()
			synctest.Wait()
			if answered(foretold) {
				t.Fatal("answered before the engine was")
			}
			e.answers <- outcome
			synctest.Wait()
			if err := <-foretold; (err != nil) != (outcome == nil) {
				t.Errorf("foretold %v, though the engine said %v", err, outcome)
			}
		})
	}
}

// Under no key a push is judged by itself alone.
func TestRehearsalWithoutKey(t *testing.T) {
	g := newTestGateway(t, nil)
	if err := g.Push(context.Background(), Push{Key: job("a"), Families: oneMetric("m", dto.MetricType_GAUGE), Time: time.Now()}); err != nil {
		t.Fatal(err)
	}
	members, err := g.Rehearse(Push{Families: oneMetric("m", dto.MetricType_COUNTER), Time: time.Now()})
	if err != nil || len(members) != 1 || members[0].Series() != 1 {
		t.Errorf("%v, %v", members, err)
	}
	if _, err := g.Rehearse(Push{Families: oneMetric("holdfast_m", dto.MetricType_COUNTER), Time: time.Now()}); err == nil {
		t.Error("a name of the gateway's own is let in")
	}
}
