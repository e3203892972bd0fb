package enginetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"holdfast"
)

func guards(t *testing.T, o Options) {
	e := o.Open(t)
	first := must(t, e, under("a", 0, set("a", "1")))
	refuse(t, e, under("a", 0, set("a", "2")), holdfast.ErrConflict)
	second := must(t, e, under("a", first, set("a", "2")))
	refuse(t, e, under("a", first, set("a", "3")), holdfast.ErrConflict)
	refuse(t, e, under("b", first, set("b", "1")), holdfast.ErrConflict)
	must(t, e, under("a", second, set("a", "3")))
}

func severalGuards(t *testing.T, o Options) {
	e := o.Open(t)
	a := must(t, e, under("a", 0, set("a", "1")))
	both := holdfast.Commit{
		Guards:  []holdfast.Guard{{Key: "a", At: a}, {Key: "b", At: 0}},
		Changes: []holdfast.Change{set("a", "2"), set("b", "2")},
	}
	at := must(t, e, both)
	refuse(t, e, both, holdfast.ErrConflict)
	both.Guards = []holdfast.Guard{{Key: "a", At: at}, {Key: "b", At: a}}
	refuse(t, e, both, holdfast.ErrConflict)
	both.Guards[1].At = at
	must(t, e, both)
}

func deletedGuard(t *testing.T, o Options) {
	e := o.Open(t)
	first := must(t, e, under("a", 0, set("a", "1")))
	must(t, e, under("a", first, gone("a")))
	refuse(t, e, under("a", first, set("a", "2")), holdfast.ErrConflict)
	again := must(t, e, under("a", 0, set("a", "2")))
	if again <= first {
		t.Errorf("the record came back at revision %d, not after %d", again, first)
	}
}

func conflictChangesNothing(t *testing.T, o Options) {
	e := o.Open(t)
	at := must(t, e, under("a", 0, set("a", "1"), set("a/x", "1")))
	refuse(t, e, under("a", at+1, set("a", "2"), gone("a/x"), set("a/y", "2")), holdfast.ErrConflict)
	must(t, e, under("a", at, set("a", "3")))
	if o.Reopen == nil {
		return
	}
	if got := held(t, e); len(got) != 2 || got["a"] != "3" || got["a/x"] != "1" {
		t.Errorf("the engine holds %v", got)
	}
}

func revisionsRise(t *testing.T, o Options) {
	e := o.Open(t)
	var last holdfast.Revision
	for i := range 50 {
		c := only(set(key(i%3), "v"))
		switch i % 10 {
		case 4:
			c = only(gone(key(i % 3)))
		case 7:
			c = holdfast.Commit{Wipe: true}
		}
		revision := must(t, e, c)
		if revision <= last {
			t.Fatalf("commit %d has revision %d after %d", i, revision, last)
		}
		last = revision
	}
}

func wipe(t *testing.T, o Options) {
	e := o.Open(t)
	at := must(t, e, under("a", 0, set("a", "1")))
	must(t, e, holdfast.Commit{Wipe: true})
	refuse(t, e, under("a", at, set("a", "2")), holdfast.ErrConflict)
	must(t, e, under("a", 0, set("a", "2")))
}

// oneOfManyWins has many change one record at once, each from the same revision.
func oneOfManyWins(t *testing.T, o Options) {
	e := o.Open(t)
	var at holdfast.Revision
	for range 20 {
		won := make(chan holdfast.Revision, 8)
		var all sync.WaitGroup
		for i := range cap(won) {
			all.Go(func() {
				revision, err := e.Commit(context.Background(), under("a", at, set("a", fmt.Sprint(i))))
				switch {
				case err == nil:
					won <- revision
				case !errors.Is(err, holdfast.ErrConflict):
					t.Errorf("commit: %v", err)
				}
			})
		}
		all.Wait()
		if len(won) != 1 {
			t.Fatalf("%d of %d commits from one revision were kept, want one", len(won), cap(won))
		}
		at = <-won
	}
}

// concurrentKeys has each of several change a record of its own, which must never conflict.
func concurrentKeys(t *testing.T, o Options) {
	e := o.Open(t)
	const clients, commits = 16, 20
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			var at holdfast.Revision
			for i := range commits {
				revision, err := e.Commit(context.Background(), under(key(client), at, set(key(client), fmt.Sprint(i))))
				if err != nil || revision <= at {
					t.Errorf("commit %d of client %d: revision %d after %d, %v", i, client, revision, at, err)
					return
				}
				at = revision
			}
		})
	}
	all.Wait()
	if o.Reopen == nil {
		return
	}
	got := held(t, o.Reopen(t, e))
	for client := range clients {
		if got[key(client)] != fmt.Sprint(commits-1) {
			t.Errorf("client %d's record is %q", client, got[key(client)])
		}
	}
}

func nothingToDo(t *testing.T, o Options) {
	e := o.Open(t)
	at := must(t, e, under("a", 0, set("a", "1")))
	must(t, e, holdfast.Commit{})
	must(t, e, under("a", at))
	must(t, e, under("b", 0))
	must(t, e, only(gone("never there")))
	must(t, e, under("a", at, set("a", "2")))
}

func lastChangeWins(t *testing.T, o Options) {
	e := o.Open(t)
	at := must(t, e, under("a", 0, set("a", "1"), gone("a"), set("a", "2")))
	refuse(t, e, under("a", 0, set("a", "3")), holdfast.ErrConflict)
	if o.Reopen != nil {
		if got := held(t, e); got["a"] != "2" {
			t.Errorf("the record is %q, want the last of its changes", got["a"])
		}
	}
	must(t, e, under("a", at, set("a", "3"), gone("a")))
	must(t, e, under("a", 0, set("a", "4")))
}
