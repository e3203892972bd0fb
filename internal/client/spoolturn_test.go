package client

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Neither a gateway that hangs nor another process that sends for ever keeps a push longer than its time.
func TestSpoolKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := &away{gone: true, batches: true}
		s, _ := spoolOf(t, gateway, SpoolOptions{})
		s.spools(t, 0)
		for i := range 19 {
			s.keeps(t, i+1)
		}
		gateway.gone, gateway.hangs = false, true
		for name, prepare := range map[string]func() (end func()){
			"a gateway that hangs": func() func() { return func() {} },
			"another process": func() func() {
				turn, err := s.enter()
				if err != nil || !turn.held() {
					t.Fatalf("the turn is not free: %v", err)
				}
				return turn.leave
			},
		} {
			end, begun := prepare(), time.Now()
			s.spools(t, 20)
			if took := time.Since(begun); took > 10*time.Second {
				t.Errorf("%s: the push took %v", name, took)
			}
			end()
		}
		gateway.hangs = false
		if err := s.try(t, 22); err != nil || len(gateway.arrivals) != 23 {
			t.Errorf("%v, %d arrived", err, len(gateway.arrivals))
		}
	})
}

// While one process sends, those that come meanwhile wait for it or for their turn, and all is delivered.
func TestSpoolSharedByProcesses(t *testing.T) {
	gateway := &away{batches: true}
	first, _ := spoolOf(t, gateway, SpoolOptions{})
	var pushes sync.WaitGroup
	for i := range 20 {
		each := *first
		pushes.Go(func() {
			if err := each.Push(t.Context(), numbered(t, i)); err != nil {
				t.Errorf("push %d: %v", i, err)
			}
		})
	}
	pushes.Wait()
	if len(gateway.arrivals) != 20 || len(gateway.keys) != 20 {
		t.Errorf("arrived %q under %d keys", gateway.arrivals, len(gateway.keys))
	}
}

// A push that another process sends, and that is refused, is told to who pushed it and waits for it; it is
// not set aside then.
func TestRefusalByAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := &away{refuse: "n 7"}
		s, _ := spoolOf(t, gateway, SpoolOptions{})
		turn, err := s.enter()
		if err != nil || !turn.held() {
			t.Fatalf("the turn is not free: %v", err)
		}
		answers := make(chan error, 2)
		for _, i := range []int{7, 8} {
			go func() { answers <- s.try(t, i) }()
		}
		synctest.Wait() // both wait for the turn
		if err := (&round{spool: s}).run(t.Context()); err != nil {
			t.Fatal(err)
		}
		told := 0
		for range 2 {
			var refused *Refused
			switch err := <-answers; {
			case errors.As(err, &refused) && refused.Status == 400:
				told++
			case err != nil:
				t.Error(err)
			}
		}
		turn.leave()
		if aside, err := s.refused(); told != 1 || len(aside) != 0 || err != nil {
			t.Errorf("%d were told, %d are set aside, %v", told, len(aside), err)
		}
	})
}
