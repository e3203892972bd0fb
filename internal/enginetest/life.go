package enginetest

import (
	"context"
	"testing"

	"holdfast"
)

func closed(t *testing.T, o Options) {
	e := o.Open(t)
	must(t, e, only(set("a", "1")))
	if err := e.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	refuse(t, e, only(set("a", "2")), holdfast.ErrUnavailable)
	if s := e.Status(); s.Err == nil || !s.Fatal {
		t.Errorf("a closed engine says %+v", s)
	}
	if err := e.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
}

func markComes(t *testing.T, o Options) {
	e := o.Open(t)
	must(t, e, only(set("a", "1")))
	ctx, cancel := context.WithCancel(context.Background())
	marks := 0
	for r, err := range e.Follow(ctx) {
		if err != nil {
			t.Fatalf("follow: %v", err)
		}
		if r.Key == "" {
			marks++
			if len(r.Value) != 0 {
				t.Errorf("the mark has a value: %q", r.Value)
			}
			cancel()
		}
	}
	cancel()
	if marks != 1 {
		t.Errorf("%d marks, want one", marks)
	}
}

func status(t *testing.T, o Options) {
	e := o.Open(t)
	if s := e.Status(); s.Err != nil || s.Fatal {
		t.Errorf("an engine in good order says %+v", s)
	}
	must(t, e, only(set("a", "1")))
}

func leftEarly(t *testing.T, o Options) {
	e := o.Open(t)
	for i := range 10 {
		must(t, e, only(set(key(i), "v")))
	}
	for r, err := range e.Follow(t.Context()) {
		if err != nil || r.Key != key(0) {
			t.Fatalf("follow begins with %q, %v", r.Key, err)
		}
		break
	}
	ctx, cancel := context.WithCancel(context.Background())
	read := 0
	for r, err := range e.Follow(ctx) {
		if err != nil || r.Key == "" {
			t.Fatalf("follow of an ended context goes on to %q, %v", r.Key, err)
		}
		if read++; read == 3 {
			cancel()
		}
	}
	cancel()
	if read != 3 {
		t.Errorf("follow yielded %d records, want 3", read)
	}
	if got := held(t, o.Reopen(t, e)); len(got) != 10 {
		t.Errorf("the engine holds %v", got)
	}
}
