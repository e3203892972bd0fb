package holdfast

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"

	"holdfast/internal/exposition"
)

func selectors(t testing.TB, texts ...string) (list []Selector) {
	t.Helper()
	for _, text := range texts {
		s, err := ParseSelector(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

// What goes is what a query lists, all of it and nothing else.
func TestRemoveWhatIsListed(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) { removeWhatIsListed(t, seed) })
	}
}

func removeWhatIsListed(t *testing.T, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 3))
	g := newTestGateway(t, nil)
	drawGroups(t, g, r, 700)
	synctest.Wait() // until groups that are overdue say so
	q := Query{Selectors: selectors(t, `{zone="eu"}`, `{job=~"Job.*1"}`), Before: time.Unix(longAgo+30, 0), Limit: 10_000}
	dry, err := g.Select(q)
	if err != nil {
		t.Fatal(err)
	}
	held := len(groupsOf(t, g))
	q.Limit = 100
	removal, err := g.Remove(q)
	if err != nil || removal.Totals != dry.Totals || len(removal.Keys) != 100 {
		t.Fatalf("removed %+v and %d keys, %v; listed were %+v", removal.Totals, len(removal.Keys), err, dry.Totals)
	}
	for i, key := range removal.Keys {
		if key != dry.Groups[i].Key() {
			t.Fatalf("group %d that went is %v, listed was %v", i, key, dry.Groups[i].Key())
		}
	}
	left := groupsOf(t, g)
	for _, listed := range dry.Groups {
		if slices.Contains(left, listed.Group) {
			t.Errorf("%v is still there", listed.Key())
		}
	}
	if len(left) != held-dry.Totals.Groups || dry.Totals.Groups == 0 {
		t.Errorf("of %d groups %d are left, %d were listed", held, len(left), dry.Totals.Groups)
	}
}

// While old groups are removed, pushes go on: what was pushed meanwhile is looked at again and stays.
func TestRemoveSparesWhatIsPushedMeanwhile(t *testing.T) {
	g := newTestGateway(t, nil)
	const groups = 4000
	key := func(i int) Key { return job(fmt.Sprintf("j%04d", i)) }
	push := func(i int, at time.Time) error {
		return g.Push(t.Context(), Push{Key: key(i), Families: oneMetric("m", dto.MetricType_GAUGE), Time: at})
	}
	old, now := time.Unix(longAgo, 0), time.Unix(longAgo+3600, 0)
	for i := range groups {
		if err := push(i, old); err != nil {
			t.Fatal(err)
		}
	}
	var pushing sync.WaitGroup
	for first := range 4 {
		pushing.Go(func() {
			for i := first; i < groups; i += 8 {
				if err := push(groups-1-i, now); err != nil {
					t.Error(err)
				}
			}
		})
	}
	removal, err := g.Remove(Query{Before: now})
	if err != nil {
		t.Fatal(err)
	}
	pushing.Wait()
	again, err := g.Remove(Query{Before: now})
	if err != nil || again.Totals.Groups != 0 {
		t.Errorf("a second time %d go, %v", again.Totals.Groups, err)
	}
	left := groupsOf(t, g)
	if len(left) != groups/2 || removal.Totals.Groups < groups/2 {
		t.Errorf("%d are left, %d went; half of %d were pushed to", len(left), removal.Totals.Groups, groups)
	}
	for _, group := range left {
		if !group.Pushed().Equal(now) {
			t.Errorf("%v is left, pushed at %v", group.Key(), group.Pushed())
		}
	}
}

// What an engine cannot forget stays, and what went before is told.
func TestRemoveTellsWhatWentBeforeAnError(t *testing.T) {
	engine := &forgetful{NewMemory(), 1}
	g := newTestGateway(t, func(o *Options) { o.Engine = engine })
	for i := range removedAtOnce + 10 {
		if err := g.Push(t.Context(), Push{Key: job(fmt.Sprintf("j%04d", i)), Families: []*exposition.Family{}, Time: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	removal, err := g.Remove(Query{Selectors: selectors(t, `{job=~"j.*"}`)})
	var refusal *Refusal
	if !errors.As(err, &refusal) || refusal.Kind != Unavailable || removal.Totals.Groups != removedAtOnce || len(groupsOf(t, g)) != 10 {
		t.Errorf("%d went, %d are left, %v", removal.Totals.Groups, len(groupsOf(t, g)), err)
	}
}

// forgetful is an engine that carries out so many commits that remove something, and no more.
type forgetful struct {
	*Memory
	commits int
}

func (e *forgetful) Commit(ctx context.Context, c Commit) (Revision, error) {
	if len(c.Changes) > 0 && c.Changes[0].Value == nil {
		if e.commits == 0 {
			return 0, ErrUnavailable
		}
		e.commits--
	}
	return e.Memory.Commit(ctx, c)
}
