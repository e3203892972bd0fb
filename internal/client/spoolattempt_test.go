package client

import (
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// What was carried out while its answer got lost counts once: it is sent again under its key and with its
// age, in the same order, however often.
func TestSpoolAfterLostAnswers(t *testing.T) {
	for _, batches := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			gateway := &away{gone: true, batches: batches}
			s, _ := spoolOf(t, gateway, SpoolOptions{})
			for i := range 20 {
				s.spools(t, i)
			}
			gateway.gone, gateway.spare, gateway.mute = false, 1, 1000
			s.spools(t, 20)
			lost := len(gateway.requests)
			gateway.gone = true
			<-time.After(time.Minute)
			s.spools(t, 21)
			gateway.gone, gateway.mute = false, 0
			if err := s.try(t, 22); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(gateway.arrivals, bodies(0, 22)) {
				t.Errorf("arrived %q", gateway.arrivals)
			}
			if seconds, err := strconv.Atoi(gateway.ages[lost]); err != nil || seconds < 60 || seconds > 120 {
				t.Errorf("age of the repetition is %q", gateway.ages[lost])
			}
			if gateway.ages[0] != "" || gateway.ages[len(gateway.ages)-1] != "" {
				t.Errorf("ages %q: the first and the last push were sent once", gateway.ages)
			}
		})
	}
}

// Nobody knows any more whether an old push counted: it is set aside, where a person decides.
func TestSpoolDoesNotCountTwiceAfterTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := &away{oldest: 5 * time.Minute}
		s, _ := spoolOf(t, gateway, SpoolOptions{})
		gateway.mute = 1000
		s.spools(t, 0)
		clear(gateway.keys)
		gateway.mute = 0
		<-time.After(time.Hour)
		if err := s.try(t, 1); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(gateway.arrivals, bodies(0, 1)) {
			t.Errorf("arrived %q", gateway.arrivals)
		}
		aside, err := s.refused()
		if err != nil || len(aside) != 1 || aside[0].Refused.Status != 409 {
			t.Errorf("set aside: %+v, %v", aside, err)
		}
	})
}

// Killed after sending and before the answer, nothing of that was noted but the attempt itself.
func TestSpoolRemembersAnAttemptThatWasCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := &away{gone: true}
		s, _ := spoolOf(t, gateway, SpoolOptions{})
		s.spools(t, 0)
		before, err := s.readAttempt()
		if err != nil || before != (attempt{}) {
			t.Fatalf("attempt %+v, %v, though nothing can have arrived", before, err)
		}
		names, err := s.waiting()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.noteAttempt(attempt{Through: names[0], Since: time.Now()}); err != nil {
			t.Fatal(err)
		}
		<-time.After(90 * time.Second)
		s.spools(t, 1)
		gateway.gone = false
		if err := s.try(t, 2); err != nil {
			t.Fatal(err)
		}
		if seconds, err := strconv.Atoi(gateway.ages[0]); err != nil || seconds < 90 || seconds > 110 || gateway.ages[1] != "" {
			t.Errorf("ages %q, want that of the push that was cut off, and no other", gateway.ages)
		}
	})
}

// An attempt that cannot be read may have been any time ago.
func TestSpoolWithADamagedAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := &away{gone: true, oldest: 5 * time.Minute}
		s, _ := spoolOf(t, gateway, SpoolOptions{})
		s.spools(t, 0)
		if err := writeDurably(filepath.Join(s.dir, "attempt"), []byte("torn")); err != nil {
			t.Fatal(err)
		}
		gateway.gone = false
		// The new push was there too when the attempt was read, so nobody knows.
		var refused *Refused
		if err := s.try(t, 1); !errors.As(err, &refused) || len(gateway.arrivals) != 0 {
			t.Errorf("%v, arrived %q", err, gateway.arrivals)
		}
		if err := s.try(t, 2); err != nil || !slices.Equal(gateway.arrivals, bodies(2, 2)) {
			t.Errorf("%v, arrived %q", err, gateway.arrivals)
		}
	})
}

// A gateway that lets nobody in has taken nothing: once it does, however late, there is no doubt.
func TestSpoolForAGatewayThatLetsNobodyIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := &away{gone: true, batches: true, oldest: 5 * time.Minute}
		s, _ := spoolOf(t, gateway, SpoolOptions{})
		s.spools(t, 0)
		gateway.gone, gateway.shut = false, true
		s.spools(t, 1)
		<-time.After(time.Hour)
		gateway.shut = false
		if err := s.try(t, 2); err != nil || !slices.Equal(gateway.arrivals, bodies(0, 2)) {
			t.Errorf("%v, arrived %q", err, gateway.arrivals)
		}
		// The next one arrives, and the attempt that follows for want of an answer is shut out.
		gateway.gone = true
		s.spools(t, 3)
		gateway.gone, gateway.spare, gateway.mute, gateway.shuts = false, 0, 1, true
		s.spools(t, 4)
		clear(gateway.keys)
		gateway.shut, gateway.shuts = false, false
		<-time.After(time.Hour)
		if err := s.try(t, 5); err != nil || !slices.Equal(gateway.arrivals, bodies(0, 5)) {
			t.Errorf("%v, arrived %q", err, gateway.arrivals)
		}
		if aside, err := s.refused(); err != nil || len(aside) != 1 || aside[0].Refused.Status != 409 {
			t.Errorf("set aside: %+v, %v", aside, err)
		}
	})
}
