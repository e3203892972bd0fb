package client

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// statesOf returns the states of what is kept in a spool.
func statesOf(t *testing.T, s *Spool) (states []string) {
	t.Helper()
	all, err := ListSpool(s.limits.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range all {
		states = append(states, k.State)
	}
	return states
}

func TestListSpool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := &away{gone: true, refuse: "n 0"}
		s, _ := spoolOf(t, gateway, SpoolOptions{})
		begun := time.Now()
		s.spools(t, 0)
		gateway.gone = false
		if err := s.try(t, 1); err != nil {
			t.Fatal(err)
		}
		gateway.gone = true
		s.spools(t, 22)
		if err := os.WriteFile(filepath.Join(s.refusedDir(), "torn"+damagedSuffix), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		all, err := ListSpool(s.limits.Dir)
		if err != nil || len(all) != 3 {
			t.Fatalf("%+v, %v", all, err)
		}
		waits := Kept{Gateway: DefaultURL, File: all[0].File, State: KeptWaiting, Since: all[0].Since, Bytes: 5, Mode: Add, Group: "/metrics/job/j"}
		refused := Kept{
			Gateway: DefaultURL, File: all[1].File, State: KeptRefused, Since: begun.UTC(), Bytes: 4, Mode: Add, Group: "/metrics/job/j",
			Status: 400, Reason: "judged",
		}
		if all[0] != waits || !all[1].Since.Equal(begun) {
			t.Errorf("waiting: %+v", all[0])
		}
		if all[1].Since = all[1].Since.UTC(); all[1] != refused {
			t.Errorf("refused: %+v, want %+v", all[1], refused)
		}
		if all[2].State != KeptDamaged {
			t.Errorf("damaged: %+v", all[2])
		}
	})
}

// What was refused goes again behind what waits, as new: its age has ended, since a person has judged it.
func TestRefusedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := &away{gone: true, refuse: "n 0"}
		s, _ := spoolOf(t, gateway, SpoolOptions{Age: time.Hour})
		s.spools(t, 0)
		gateway.gone = false
		if err := s.try(t, 1); err != nil {
			t.Fatal(err)
		}
		<-time.After(2 * time.Hour)
		gateway.gone, gateway.refuse, gateway.oldest = true, "", time.Second
		s.spools(t, 2)
		if n, err := s.Again(t.Context()); n != 1 || err != nil {
			t.Fatalf("%d wait again, %v", n, err)
		}
		gateway.gone = false
		if err := s.Send(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := []string{"n 1\n", "n 2\n", "n 0\n"}; !slices.Equal(gateway.arrivals, want) {
			t.Errorf("arrived %q, want %q", gateway.arrivals, want)
		}
		if left := statesOf(t, s); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
	})
}

func TestDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := &away{gone: true, refuse: "n 0"}
		s, _ := spoolOf(t, gateway, SpoolOptions{})
		s.spools(t, 0)
		gateway.gone = false
		if err := s.try(t, 1); err != nil {
			t.Fatal(err)
		}
		gateway.gone = true
		s.spools(t, 2)
		if n, err := s.Drop(t.Context(), false); n != 1 || err != nil || !slices.Equal(statesOf(t, s), []string{KeptWaiting}) {
			t.Errorf("%d dropped, %v, left %v", n, err, statesOf(t, s))
		}
		if n, err := s.Drop(t.Context(), true); n != 1 || err != nil || len(statesOf(t, s)) != 0 {
			t.Errorf("%d dropped, %v, left %v", n, err, statesOf(t, s))
		}
	})
}

// While another process sends, nothing is dropped or moved under its hands.
func TestSpoolBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := spoolOf(t, &away{gone: true}, SpoolOptions{})
		s.spools(t, 0)
		turn, err := s.enter()
		if err != nil || !turn.held() {
			t.Fatalf("the turn is not free: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, dropping := s.Drop(ctx, true)
		_, moving := s.Again(ctx)
		for _, err := range []error{dropping, moving, s.Send(ctx)} {
			if !errors.Is(err, ErrSpoolBusy) {
				t.Errorf("%v, want %v", err, ErrSpoolBusy)
			}
		}
		turn.leave()
		if states := statesOf(t, s); !slices.Equal(states, []string{KeptWaiting}) {
			t.Errorf("left: %v", states)
		}
	})
}
