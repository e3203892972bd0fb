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

func batchOf(t *testing.T, texts ...string) (pushes []Push) {
	t.Helper()
	for i, text := range texts {
		families, err := exposition.DecodeText([]byte(text), model.LegacyValidation)
		if err != nil {
			t.Fatal(err)
		}
		pushes = append(pushes, Push{Key: job(fmt.Sprint(i % 2)), Mode: ReplaceFamily, Families: families, Time: time.Now()})
	}
	return pushes
}

// Pushes of one key are applied in order, and all of a batch is one commit.
func TestPushAllInOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
		done := make(chan bool)
		go func() {
			_, kept := g.PushAll(batchOf(t, "x 1\n", "x 2\n", "x 3\n", "x 4\n"), false)
			done <- kept
		}()
		synctest.Wait()
		if len(e.committed()) != 1 || len(e.committed()[0].Guards) != 2 {
			t.Errorf("%d commits, want 1 of 2 groups", len(e.committed()))
		}
		e.answers <- nil
		if !<-done {
			t.Error("not kept")
		}
		for i, want := range []float64{3, 4} {
			for _, m := range g.index.group(job(fmt.Sprint(i))).Members() {
				metrics, err := m.Metrics()
				if err != nil {
					t.Fatal(err)
				}
				if m.Name == "x" && metrics[0].GetUntyped().GetValue() != want {
					t.Errorf("group %d has %v, want %v", i, metrics, want)
				}
			}
		}
	})
}

// What the engine does not keep is refused, and large batches go in several commits.
func TestPushAllNotKept(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
		texts := make([]string, pushedAtOnce+1)
		done := make(chan []error)
		go func() {
			answers, kept := g.PushAll(batchOf(t, texts...), false)
			if kept {
				t.Error("said to be kept")
			}
			done <- answers
		}()
		e.answers <- errors.New("broken disk")
		e.answers <- nil
		answers := <-done
		var refusal *Refusal
		if !errors.As(answers[0], &refusal) || refusal.Kind != Unavailable || answers[pushedAtOnce-1] == nil || answers[pushedAtOnce] != nil {
			t.Errorf("answers %v … %v", answers[0], answers[pushedAtOnce])
		}
	})
}

// A whole batch is one commit, however large.
func TestPushAllWhole(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
		close(e.answers)
		pushes := batchOf(t, make([]string, 2*pushedAtOnce)...)
		for i := range pushes {
			pushes[i].Key = job(fmt.Sprint(i))
		}
		if _, kept := g.PushAll(pushes, true); !kept || len(e.committed()) != 1 || len(e.committed()[0].Guards) != len(pushes) {
			t.Errorf("kept %v in %d commits", kept, len(e.committed()))
		}
	})
}
