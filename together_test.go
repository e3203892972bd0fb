package holdfast

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

// pushed is a change that pushes text to the group of a job.
func pushed(t *testing.T, name, text string) keyBatch {
	t.Helper()
	families, err := exposition.DecodeText([]byte(text), model.LegacyValidation)
	if err != nil {
		t.Fatal(err)
	}
	p := Push{Key: job(name), Families: families, Time: time.Now()}
	ready, err := p.prepare(Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return keyBatch{p.Key, []*change{{key: p.Key, push: ready, time: ready.time}}}
}

func TestTogetherIsOneCommit(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
		done := make(chan bool)
		go func() {
			_, kept := g.together([]keyBatch{pushed(t, "b", "x 1\n"), pushed(t, "a", "x 2\n")}, true)
			done <- kept
		}()
		synctest.Wait()
		if count, _, _ := g.Groups(); len(e.committed()) != 1 || len(e.committed()[0].Guards) != 2 || count != 0 {
			t.Errorf("%d commits, %d groups before the engine answered; want 1 commit of 2 groups, none visible", len(e.committed()), count)
		}
		e.answers <- nil
		kept := <-done
		if count, _, _ := g.Groups(); !kept || count != 2 {
			t.Errorf("kept %v, %d groups, want both", kept, count)
		}
	})
}

// One that is refused takes all others with it, if so asked; and else nobody.
func TestTogetherWholeOrNot(t *testing.T) {
	for _, whole := range []bool{true, false} {
		inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
			close(e.answers)
			g.together([]keyBatch{pushed(t, "there", "# TYPE x counter\nx 1\n")}, true)
			answers, kept := g.together([]keyBatch{
				pushed(t, "good", "y 1\n"),
				pushed(t, "bad", "# TYPE x gauge\nx 1\n"),
			}, whole)
			count, _, _ := g.Groups()
			if answers[0][0] != nil || answers[1][0] == nil || kept == whole {
				t.Errorf("whole %v: answers %v, kept %v", whole, answers, kept)
			}
			want := 3 // the refused one has a failure time
			if whole {
				want = 1
			}
			if count != want {
				t.Errorf("whole %v: %d groups, want %d", whole, count, want)
			}
			if len(g.index.claims) != 0 {
				t.Errorf("whole %v: %d claims left", whole, len(g.index.claims))
			}
		})
	}
}

// Two pushes of one call that clash with each other must not wait for each other, whoever else is busy.
func TestTogetherClashesWithItself(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
		go func() { _ = g.Push(t.Context(), Push{Key: job("busy"), Time: time.Now()}) }()
		synctest.Wait()
		answers, kept := g.together([]keyBatch{
			pushed(t, "one", "# TYPE x counter\nx 1\n"),
			pushed(t, "two", "# TYPE x gauge\nx 1\n"),
		}, true)
		var refusal *Refusal
		if kept || answers[0][0] != nil || !errors.As(answers[1][0], &refusal) || refusal.Reason != "batch" {
			t.Errorf("answers %v, kept %v; want the second refused", answers, kept)
		}
		e.answers <- nil
		synctest.Wait()
	})
}

// A claim in flight elsewhere is waited for, and its outcome counts.
func TestTogetherWaits(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
		elsewhere := pushed(t, "elsewhere", "# TYPE x counter\nx 1\n")
		go g.together([]keyBatch{elsewhere}, true)
		synctest.Wait()
		done := make(chan error)
		go func() {
			answers, _ := g.together([]keyBatch{pushed(t, "a", "y 1\n"), pushed(t, "b", "# TYPE x gauge\nx 1\n")}, true)
			done <- answers[1][0]
		}()
		synctest.Wait()
		if len(e.committed()) != 1 {
			t.Fatalf("%d commits while the other claim is in flight, want its own only", len(e.committed()))
		}
		e.answers <- errors.New("broken disk")
		synctest.Wait()
		e.answers <- nil
		if err := <-done; err != nil {
			t.Errorf("refused against a claim that came to nothing: %v", err)
		}
	})
}

// Whoever holds several lanes gets them although pushes keep coming, and the pushes go on after it.
func TestTogetherAmongPushes(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
		const pushes = 20
		for i := range pushes {
			go func() { _ = g.Push(t.Context(), Push{Key: job(fmt.Sprint(i % 2)), Time: time.Now()}) }()
		}
		done := make(chan bool)
		go func() {
			_, kept := g.together([]keyBatch{pushed(t, "1", "x 1\n"), pushed(t, "0", "x 2\n")}, true)
			done <- kept
		}()
		synctest.Wait()
		close(e.answers)
		if !<-done {
			t.Error("not kept")
		}
		synctest.Wait()
		if len(g.lanes.waiting) != 0 {
			t.Errorf("%d lanes are still taken", len(g.lanes.waiting))
		}
		group := g.index.group(job("1"))
		if group == nil {
			t.Error("no group")
		}
	})
}
