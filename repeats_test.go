package holdfast

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

// pushOnce pushes text with an idempotency key.
func pushOnce(t *testing.T, g *Gateway, name, idempotencyKey, text string) error {
	t.Helper()
	families, err := exposition.DecodeText([]byte(text), model.LegacyValidation)
	if err != nil {
		t.Fatal(err)
	}
	return g.Push(t.Context(), Push{Key: job(name), Families: families, Time: time.Now(), IdempotencyKey: idempotencyKey})
}

func TestRepeatChangesNothing(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, _ *heldEngine) {
		accept(t, pushOnce(t, g, "a", "k", "x 1\n"))
		accept(t, pushOnce(t, g, "a", "other", "x 2\n"))
		accept(t, pushOnce(t, g, "a", "k", "x 1\n"))
		if got := scraped(t, g, "x{"); !strings.HasSuffix(got, " 2\n") {
			t.Errorf("got %q, want the repeat without effect", got)
		}
		accept(t, pushOnce(t, g, "b", "k", "x 1\n"))
		if got := scraped(t, g, `job="b"`); got == "" {
			t.Error("the same idempotency key at another grouping key was taken for a repeat")
		}
		accept(t, g.Delete(t.Context(), job("a")))
		accept(t, pushOnce(t, g, "a", "k", "x 1\n"))
		if got := scraped(t, g, `job="a"`); got != "" {
			t.Errorf("a late repeat brought back what was deleted: %q", got)
		}
		advance(time.Minute)
		accept(t, pushOnce(t, g, "a", "k", "x 1\n"))
		if got := scraped(t, g, `x{instance="",job="a"}`); !strings.HasSuffix(got, " 1\n") {
			t.Errorf("after the window: got %q, want a new push", got)
		}
	})
}

// What was refused is judged anew.
func TestRepeatOfARefusedPush(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, _ *heldEngine) {
		accept(t, pushText(t, g, "there", ReplaceGroup, "", "# TYPE x counter\nx 1\n"))
		if pushOnce(t, g, "a", "k", "# TYPE x gauge\nx 1\n") == nil {
			t.Fatal("a clash was accepted")
		}
		accept(t, g.Delete(t.Context(), job("there")))
		accept(t, pushOnce(t, g, "a", "k", "# TYPE x gauge\nx 1\n"))
		if got := scraped(t, g, "x{"); got == "" {
			t.Error("the repeat of a refused push was not applied")
		}
	})
}

// A push that the engine did not keep is not remembered, whoever waited behind it.
func TestRepeatOfALostPush(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
		answers := make(chan error, 3)
		for range 3 {
			go func() { answers <- pushOnce(t, g, "a", "k", "x 1\n") }()
		}
		e.answers <- errors.New("broken disk")
		if err := <-answers; err == nil {
			t.Error("accepted by a broken disk")
		}
		e.answers <- nil
		for range 2 {
			accept(t, <-answers)
		}
		if len(e.committed()) != 2 {
			t.Errorf("%d commits, want the second to hold one push and its repeat", len(e.committed()))
		}
	})
}

func TestRepeatsAreLimited(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, _ *heldEngine) {
		g.index.repeats.limit = 2
		accept(t, pushOnce(t, g, "a", "1", "x 1\n"))
		accept(t, pushOnce(t, g, "a", "2", "x 2\n"))
		var refusal *Refusal
		if err := pushOnce(t, g, "a", "3", "x 3\n"); !errors.As(err, &refusal) || refusal.Kind != TooMany {
			t.Errorf("got %v, want too many", err)
		}
		accept(t, pushOnce(t, g, "a", "1", "x 1\n"))
		advance(time.Minute)
		accept(t, pushOnce(t, g, "a", "", "x 4\n"))
		accept(t, pushOnce(t, g, "a", "3", "x 3\n"))
	})
}

// What is remembered survives a restart, and what is forgotten leaves the engine.
func TestRepeatsAreKept(t *testing.T) {
	engine := newKeeper()
	change := func(o *Options) { o.Engine, o.IdempotencyWindow = engine, time.Hour }
	g := newTestGateway(t, change)
	now := time.Now()
	push := func(g *Gateway, key string, at time.Time) {
		t.Helper()
		accept(t, g.Push(t.Context(), Push{Key: job("a"), Mode: ReplaceFamily, Time: at, IdempotencyKey: key}))
	}
	for i := range 10 {
		push(g, fmt.Sprint("old", i), now.Add(-2*time.Hour))
	}
	push(g, "new", now)
	again := newTestGateway(t, change)
	if !again.index.repeats.knows(newRepeat(job("a"), "new"), now.UnixNano()) {
		t.Error("a push is forgotten after a restart")
	}
	for range 10 {
		push(again, "", now)
	}
	kept := 0
	for key := range engine.records {
		if strings.HasPrefix(key, repeatPrefix) {
			kept++
		}
	}
	if kept != 1 || len(again.index.repeats.order) != 1 || len(again.index.repeats.accepted) != 1 {
		t.Errorf("%d records are kept, want that of the new push alone", kept)
	}
}

// What may have been added before, and is or soon will be forgotten, is not added again. Other modes lay
// the same once more, which harms nobody.
func TestDoubtfulPushIsNotAdded(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, _ *heldEngine) {
		push := func(mode Mode, name, key string, firstSent time.Duration) error {
			families, err := exposition.DecodeText([]byte("# TYPE n counter\nn 1\n"), model.LegacyValidation)
			if err != nil {
				t.Fatal(err)
			}
			return g.Push(t.Context(), Push{Key: job(name), Mode: mode, Families: families, Time: time.Now(), IdempotencyKey: key, FirstSent: firstSent})
		}
		window := time.Duration(g.index.repeats.window)
		accept(t, push(Add, "a", "1", 0))
		accept(t, push(Add, "a", "2", window/2-1))
		var refusal *Refusal
		if err := push(Add, "a", "3", window/2); !errors.As(err, &refusal) || refusal.Kind != Doubtful || refusal.Hint == "" {
			t.Errorf("got %v, want doubt", err)
		}
		accept(t, push(Add, "a", "1", window)) // known, so there is no doubt
		accept(t, push(Add, "a", "", window))  // nobody can tell, and nobody asked
		accept(t, push(ReplaceFamily, "b", "3", window))
		if got := scraped(t, g, `n{instance="",job="a"}`); !strings.HasSuffix(got, " 3\n") {
			t.Errorf("got %q, want 3 pushes added", got)
		}
		if got := scraped(t, g, failureTimeName+`{instance="",job="a"}`); !strings.HasSuffix(got, " 0\n") {
			t.Errorf("doubt left a failure time: %s", got)
		}
	})
}
