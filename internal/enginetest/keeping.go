package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"holdfast"
)

func keyOrder(t *testing.T, o Options) {
	e := o.Open(t)
	keys := []string{"b", "a", "a\xfe", "a\xfex", "\xff", "\x00", "a\x00", "ab", "é"}
	revisions := map[string]holdfast.Revision{}
	for _, k := range keys {
		revisions[k] = must(t, e, only(set(k, "value of "+k)))
	}
	slices.Sort(keys)
	for _, e := range []holdfast.Engine{e, o.Reopen(t, e)} {
		var want []holdfast.Record
		for _, k := range keys {
			want = append(want, holdfast.Record{Key: k, Value: []byte("value of " + k), Revision: revisions[k]})
		}
		if e.Status().Fatal {
			continue // the one that was closed
		}
		if diff := cmp.Diff(want, All(t, e)); diff != "" {
			t.Errorf("follow (-want +got):\n%s", diff)
		}
	}
}

func restart(t *testing.T, o Options) {
	e := o.Open(t)
	a := must(t, e, under("a", 0, set("a", "1")))
	must(t, e, under("b", 0, set("b", "1"), set("b/x", "1"), set("b/y", "1")))
	a = must(t, e, under("a", a, set("a", "2")))
	must(t, e, only(gone("b/x")))
	want := map[string]string{"a": "2", "b": "1", "b/y": "1"}
	for range 3 {
		e = o.Reopen(t, e)
		if diff := cmp.Diff(want, held(t, e)); diff != "" {
			t.Fatalf("after a restart (-want +got):\n%s", diff)
		}
	}
	refuse(t, e, under("a", 0, set("a", "3")), holdfast.ErrConflict)
	refuse(t, e, under("a", a-1, set("a", "3")), holdfast.ErrConflict)
	must(t, e, under("a", a, set("a", "3")))
}

func revisionsOverRestarts(t *testing.T, o Options) {
	e := o.Open(t)
	last := must(t, e, under("a", 0, set("a", "1")))
	for i, c := range []holdfast.Commit{only(gone("a")), {Wipe: true}, only(set("b", "1"))} {
		if revision := must(t, e, c); revision <= last {
			t.Errorf("commit %d has revision %d after %d", i, revision, last)
		} else {
			last = revision
		}
		e = o.Reopen(t, e)
	}
	e = o.Reopen(t, e)
	if revision := must(t, e, only(set("c", "1"))); revision <= last {
		t.Errorf("after restarts without a commit, a commit has revision %d after %d", revision, last)
	}
}

func wipeKeepsChanges(t *testing.T, o Options) {
	e := o.Open(t)
	for i := range 100 {
		must(t, e, only(set(key(i), "old")))
	}
	must(t, e, holdfast.Commit{Wipe: true, Changes: []holdfast.Change{set(key(7), "new"), set("mark", "1")}})
	want := map[string]string{key(7): "new", "mark": "1"}
	if diff := cmp.Diff(want, held(t, e)); diff != "" {
		t.Errorf("after the wipe (-want +got):\n%s", diff)
	}
	e = o.Reopen(t, e)
	if diff := cmp.Diff(want, held(t, e)); diff != "" {
		t.Errorf("after a restart (-want +got):\n%s", diff)
	}
	must(t, e, holdfast.Commit{Wipe: true})
	if got := held(t, o.Reopen(t, e)); len(got) != 0 {
		t.Errorf("after the second wipe the engine holds %v", got)
	}
}

func largeRecords(t *testing.T, o Options) {
	e := o.Open(t)
	random := rand.NewChaCha8([32]byte{1})
	want := map[string]string{}
	for _, size := range []int{0, 1, 32 << 10, 1 << 20, 24 << 20} {
		value := make([]byte, size)
		_, _ = random.Read(value)
		k := fmt.Sprint(size)
		want[k] = string(value)
		must(t, e, under(k, 0, set(k, want[k])))
	}
	e = o.Reopen(t, e)
	got := held(t, e)
	for k, value := range want {
		if got[k] != value {
			t.Errorf("the record of %s bytes came back with %d, or others", k, len(got[k]))
		}
	}
	enormous := strings.Repeat("x", 64<<20)
	refuse(t, e, only(set("a", enormous), set("b", enormous), set("c", enormous), set("d", enormous), set("e", enormous)), holdfast.ErrTooLarge)
	if got := held(t, e); len(got) != len(want) {
		t.Errorf("a commit that was too large left something: %d records", len(got))
	}
}

func anyBytes(t *testing.T, o Options) {
	e := o.Open(t)
	random := rand.NewChaCha8([32]byte{2})
	want := map[string]string{}
	for i := range 200 {
		k, value := make([]byte, 1+i%70), make([]byte, i)
		_, _ = random.Read(k)
		_, _ = random.Read(value)
		want[string(k)] = string(value)
		must(t, e, under(string(k), 0, set(string(k), string(value))))
	}
	if diff := cmp.Diff(want, held(t, o.Reopen(t, e))); diff != "" {
		t.Errorf("after a restart (-want +got):\n%s", diff)
	}
}

// oneMoment has commits go on while follow reads: it shows all that was kept before, each commit whole.
func oneMoment(t *testing.T, o Options) {
	e := o.Open(t)
	const keys = 200
	all := func(value string) holdfast.Commit {
		var c holdfast.Commit
		for i := range keys {
			c.Changes = append(c.Changes, set(key(i), value))
		}
		return c
	}
	must(t, e, all("0"))
	seen := map[string]int{}
	read := 0
	for r, err := range e.Follow(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Key == "" {
			break
		}
		seen[string(r.Value)]++
		if read++; read <= 5 {
			must(t, e, all(fmt.Sprint(read)))
		}
	}
	if len(seen) != 1 || read != keys {
		t.Errorf("follow shows values of several commits: %v", seen)
	}
	if got := held(t, e); got[key(0)] != "5" || got[key(keys-1)] != "5" {
		t.Errorf("then the engine holds %q, %q", got[key(0)], got[key(keys-1)])
	}
}

func canceled(t *testing.T, o Options) {
	e := o.Open(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := e.Commit(ctx, only(set("a", "1"))); !errors.Is(err, holdfast.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("commit: %v, want %v because of %v", err, holdfast.ErrUnavailable, context.Canceled)
	}
	if got := held(t, o.Reopen(t, e)); len(got) != 0 {
		t.Errorf("the engine holds %v", got)
	}
}

// broken is a value that cannot be encoded.
type broken struct{}

var errBroken = errors.New("broken value")

// AppendBinary implements encoding.BinaryAppender.
func (broken) AppendBinary(b []byte) ([]byte, error) { return append(b, "half"...), errBroken }

func notEncoded(t *testing.T, o Options) {
	e := o.Open(t)
	at := must(t, e, under("a", 0, set("a", "1")))
	c := under("a", at, set("a", "2"), holdfast.Change{Key: "b", Value: broken{}})
	if _, err := e.Commit(context.Background(), c); !errors.Is(err, holdfast.ErrUnavailable) || !errors.Is(err, errBroken) {
		t.Errorf("commit: %v, want %v because of %v", err, holdfast.ErrUnavailable, errBroken)
	}
	must(t, e, under("a", at, set("a", "3")))
	if got := held(t, e); len(got) != 1 || got["a"] != "3" {
		t.Errorf("the engine holds %v", got)
	}
}

func manyCommits(t *testing.T, o Options) {
	e := o.Open(t)
	want := map[string]string{}
	for i := range 300 {
		k := key(i % 40)
		if i%7 == 0 {
			must(t, e, only(gone(k)))
			delete(want, k)
			continue
		}
		want[k] = string(bytes.Repeat([]byte{byte('a' + i%26)}, i))
		must(t, e, only(set(k, want[k])))
	}
	if diff := cmp.Diff(want, held(t, o.Reopen(t, e))); diff != "" {
		t.Errorf("after a restart (-want +got):\n%s", diff)
	}
}
