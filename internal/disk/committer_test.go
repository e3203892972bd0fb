package disk

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast"
	"holdfast/internal/enginetest"
)

// slow is a disk whose logs are synced only when told so.
type slow struct {
	mu   sync.Mutex
	on   bool
	asks chan struct{} // gets one for each sync that begins
	goOn chan struct{} // lets one go on
}

func (s *slow) ask(op, path string) error {
	s.mu.Lock()
	on := s.on
	s.mu.Unlock()
	if _, _, isLog := parseLog(vfs.Default.PathBase(path)); on && isLog && op == opSync && strings.HasSuffix(path, ".log") {
		s.asks <- struct{}{}
		<-s.goOn
	}
	return nil
}

func (s *slow) set(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on = on
}

// Commits that gather while another is being synced become one batch with one fsync, and are judged in
// their order, each against what those before it have changed.
func TestGatheredCommits(t *testing.T) {
	disk := &slow{asks: make(chan struct{}), goOn: make(chan struct{})}
	e := opened(t, Options{Path: "/db", FS: &hooked{vfs.NewMem(), disk.ask}})
	put := func(key, text string) holdfast.Change { return holdfast.Change{Key: key, Value: random(text)} }
	first, err := e.Commit(context.Background(), holdfast.Commit{Changes: []holdfast.Change{put("a", "old")}, Guards: []holdfast.Guard{{Key: "a"}}})
	if err != nil {
		t.Fatal(err)
	}
	disk.set(true)
	answers := make([]chan error, 0, 8)
	commit := func(c holdfast.Commit) {
		t.Helper()
		answer, before := make(chan error, 1), e.committer.waiting()
		go func() {
			_, err := e.Commit(context.Background(), c)
			answer <- err
		}()
		if answers = append(answers, answer); len(answers) == 1 {
			<-disk.asks // it is on its way
			return
		}
		for e.committer.waiting() == before {
			runtime.Gosched()
		}
	}
	guard := func(key string, at holdfast.Revision) []holdfast.Guard { return []holdfast.Guard{{Key: key, At: at}} }
	commit(holdfast.Commit{Changes: []holdfast.Change{put("x", "1")}})
	commit(holdfast.Commit{Guards: guard("a", first), Changes: []holdfast.Change{{Key: "a"}}})        // removes it
	commit(holdfast.Commit{Guards: guard("a", first), Changes: []holdfast.Change{put("a", "stale")}}) // conflict: it is gone
	commit(holdfast.Commit{Guards: guard("a", 0), Changes: []holdfast.Change{put("a", "new")}})
	commit(holdfast.Commit{Guards: guard("a", 0), Changes: []holdfast.Change{put("a", "late")}}) // conflict: it is there
	commit(holdfast.Commit{Wipe: true, Changes: []holdfast.Change{put("b", "after")}})
	commit(holdfast.Commit{Guards: guard("a", 0), Changes: []holdfast.Change{put("a", "last")}})
	disk.set(false)
	disk.goOn <- struct{}{}
	for i, wantConflict := range []bool{false, false, true, false, true, false, false} {
		if err := <-answers[i]; errors.Is(err, holdfast.ErrConflict) != wantConflict || !wantConflict && err != nil {
			t.Errorf("commit %d: %v", i, err)
		}
	}
	stored := map[string]string{}
	for _, r := range enginetest.All(t, e) {
		stored[r.Key] = string(r.Value)
	}
	if len(stored) != 2 || stored["a"] != "last" || stored["b"] != "after" {
		t.Errorf("stored is %q", stored)
	}
}

// A hundred commits that waited for one fsync share the next one.
func TestGatheredCommitsShareOneSync(t *testing.T) {
	disk := &slow{asks: make(chan struct{}), goOn: make(chan struct{})}
	e := opened(t, Options{Path: "/db", FS: &hooked{vfs.NewMem(), disk.ask}})
	disk.set(true)
	var all sync.WaitGroup
	push := func(p *pusher) {
		all.Go(func() {
			if err := p.push(e, 100); err != nil {
				t.Error(err)
			}
		})
	}
	many := pushers(101)
	push(many[0])
	<-disk.asks
	for _, p := range many[1:] {
		push(p)
	}
	for e.committer.waiting() < 100 {
		runtime.Gosched()
	}
	disk.goOn <- struct{}{}
	<-disk.asks
	disk.goOn <- struct{}{}
	all.Wait() // a third fsync would never be let go on
	disk.set(false)
}
