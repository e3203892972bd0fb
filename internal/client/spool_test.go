package client

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSpoolDeliversOnceInOrder(t *testing.T) {
	for _, c := range []struct {
		batches    bool
		last, most int // pushes before the last, and requests
	}{
		{true, 250, 3},  // one alone, and two batches
		{false, 30, 32}, // one more tells that there are no batches
	} {
		synctest.Test(t, func(t *testing.T) {
			gateway := &away{gone: true, batches: c.batches}
			s, _ := spoolOf(t, gateway, SpoolOptions{})
			last := c.last
			s.spools(t, 0)
			for i := range last - 1 {
				s.keeps(t, i+1)
			}
			gateway.gone = false
			if err := s.try(t, last); err != nil {
				t.Fatalf("after the return: %v", err)
			}
			if !slices.Equal(gateway.arrivals, bodies(0, last)) || len(gateway.keys) != last+1 {
				t.Errorf("%d arrived under %d keys, not %d in order", len(gateway.arrivals), len(gateway.keys), last+1)
			}
			if len(gateway.requests) > c.most {
				t.Errorf("%d requests, want at most %d", len(gateway.requests), c.most)
			}
			if i := slices.IndexFunc(gateway.ages, func(age string) bool { return age != "" }); i >= 0 {
				t.Errorf("request %d has the age %q, though nothing was sent before", i, gateway.ages[i])
			}
			if n, err := s.Waiting(); n != 0 || err != nil {
				t.Errorf("still waiting: %d, %v", n, err)
			}
		})
	}
}

// What is refused does not hold up what is behind it, and is told to who pushed it, if somebody is there.
func TestSpoolSetsAsideWhatCannotGo(t *testing.T) {
	for _, batches := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			gateway := &away{gone: true, refuse: "7", batches: batches}
			s, said := spoolOf(t, gateway, SpoolOptions{})
			for i := range 10 {
				s.spools(t, i)
			}
			names, err := s.waiting()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(filepath.Join(s.dir, names[0]), 30); err != nil {
				t.Fatal(err)
			}
			gateway.gone, *said = false, nil
			var refused *Refused
			if err := s.try(t, 77); !errors.As(err, &refused) || refused.Status != 400 {
				t.Fatalf("own push: %v, want its refusal", err)
			}
			if want := append(bodies(1, 6), bodies(8, 9)...); !slices.Equal(gateway.arrivals, want) {
				t.Errorf("arrived %q, want %q", gateway.arrivals, want)
			}
			if len(*said) != 2 || !strings.Contains((*said)[0], "damaged, and set aside") || !strings.Contains((*said)[1], "refused for good") {
				t.Errorf("said %q", *said)
			}
			aside, err := s.refused()
			if err != nil || len(aside) != 1 || string(aside[0].Body) != "n 7\n" || aside[0].Refused.Status != 400 {
				t.Errorf("set aside: %+v, %v", aside, err)
			}
		})
	}
}

func TestSpoolBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := &away{gone: true}
		s, said := spoolOf(t, gateway, SpoolOptions{Bytes: 5000, Age: time.Hour})
		s.spools(t, 0)
		full := s.try(t, 1)
		var lost *Undelivered
		if !errors.Is(full, ErrSpoolFull) || !errors.As(full, &lost) {
			t.Fatalf("over the bound: %v", full)
		}
		<-time.After(2 * time.Hour)
		gateway.gone, *said = false, nil
		if err := s.try(t, 3); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(gateway.arrivals, bodies(3, 3)) || len(*said) == 0 || !strings.Contains((*said)[0], "dropped from the spool") {
			t.Errorf("arrived %q, said %q", gateway.arrivals, *said)
		}
	})
}

// Too much or too old, what was refused goes too, and is told.
func TestRefusedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := &away{gone: true, refuse: "n"}
		s, said := spoolOf(t, gateway, SpoolOptions{})
		for i := range 4 {
			s.spools(t, i)
		}
		size, err := s.bytes()
		if err != nil {
			t.Fatal(err)
		}
		gateway.gone, *said, s.limits.Bytes = false, nil, size-1
		if err := s.try(t, 4); err == nil {
			t.Fatal("accepted")
		}
		aside, err := s.refused()
		if err != nil || len(aside) == 0 || len(aside) > 3 || string(aside[len(aside)-1].Body) != "n 3\n" {
			t.Errorf("set aside: %d, %v; want the newest", len(aside), err)
		}
		dropped := slices.ContainsFunc(*said, func(text string) bool { return strings.HasPrefix(text, "dropped from what was set aside") })
		if !dropped || len(*said) != 8-len(aside) {
			t.Errorf("said %q", *said)
		}
		for _, r := range aside {
			files, err := filepath.Glob(filepath.Join(s.refusedDir(), "*-"+r.Once+waitingSuffix))
			if err != nil || len(files) != 1 {
				t.Fatalf("%v, %v", files, err)
			}
			if err := os.Chtimes(files[0], time.Time{}, time.Now().Add(-s.limits.Age-1)); err != nil {
				t.Fatal(err)
			}
		}
		s.trimRefused()
		if aside, err := s.refused(); err != nil || len(aside) != 0 {
			t.Errorf("too old, and still set aside: %d, %v", len(aside), err)
		}
	})
}

// Where the spool cannot be used or is too small for a push, a gateway that is there gets it all the same.
func TestPushWithoutItsSpool(t *testing.T) {
	gateway := &away{}
	s, said := spoolOf(t, gateway, SpoolOptions{Bytes: 10})
	if err := s.try(t, 0); err != nil || len(*said) != 0 {
		t.Errorf("larger than the spool: %v, said %q", err, *said)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.dir = filepath.Join(file, "no directory")
	if err := s.try(t, 1); err != nil || len(*said) != 1 {
		t.Errorf("spool out of use: %v, said %q", err, *said)
	}
	if !slices.Equal(gateway.arrivals, bodies(0, 1)) {
		t.Errorf("arrived %q", gateway.arrivals)
	}
}
