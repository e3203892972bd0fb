package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast/internal/exposition"
)

// away is a gateway that records what arrives, and can be gone.
type away struct {
	gone     bool
	refuse   string // bodies that hold it get 400
	arrivals []string
	keys     map[string]int
}

func (a *away) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.gone {
		return nil, errors.New("connection refused")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	status := http.StatusOK
	if a.refuse != "" && strings.Contains(string(body), a.refuse) {
		status = http.StatusBadRequest
	} else {
		a.arrivals = append(a.arrivals, string(body))
		a.keys[r.Header.Get("Idempotency-Key")]++
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
}

func spoolOf(t *testing.T, gateway *away, o SpoolOptions) (*Spool, *[]string) {
	t.Helper()
	gateway.keys = map[string]int{}
	var said []string
	c, err := New(Options{Transport: gateway, Tell: func(text string) { said = append(said, text) }})
	if err != nil {
		t.Fatal(err)
	}
	o.Dir = t.TempDir()
	if o.Bytes == 0 {
		o.Bytes = 64 << 20
	}
	if o.Age == 0 {
		o.Age = 7 * 24 * time.Hour
	}
	return c.Spool(o), &said
}

func (s *Spool) try(t *testing.T, i int) (bool, error) {
	t.Helper()
	p := &Push{Mode: Add, Labels: []exposition.Label{{Name: "job", Value: "j"}}, Body: fmt.Appendf(nil, "n %d\n", i)}
	if err := p.Prepare(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return s.Push(ctx, p)
}

func TestSpoolDeliversOnceInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := &away{gone: true}
		s, _ := spoolOf(t, gateway, SpoolOptions{})
		var want []string
		for i := range 500 {
			if spooled, err := s.try(t, i); !spooled || err != nil {
				t.Fatalf("push %d: spooled %v, %v", i, spooled, err)
			}
			want = append(want, fmt.Sprintf("n %d\n", i))
		}
		gateway.gone = false
		if spooled, err := s.try(t, 500); spooled || err != nil {
			t.Fatalf("after the return: spooled %v, %v", spooled, err)
		}
		if want = append(want, "n 500\n"); !slices.Equal(gateway.arrivals, want) || len(gateway.keys) != 501 {
			t.Errorf("%d arrived under %d keys, not 501 in order", len(gateway.arrivals), len(gateway.keys))
		}
		if names, _, err := s.waiting(); len(names) != 0 || err != nil {
			t.Errorf("still waiting: %v, %v", names, err)
		}
	})
}

func TestSpoolSetsAsideWhatCannotGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := &away{gone: true, refuse: "n 1\n"}
		s, said := spoolOf(t, gateway, SpoolOptions{})
		for i := range 3 {
			if spooled, err := s.try(t, i); !spooled || err != nil {
				t.Fatalf("push %d: spooled %v, %v", i, spooled, err)
			}
		}
		names, _, err := s.waiting()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(filepath.Join(s.dir, names[0]), 30); err != nil {
			t.Fatal(err)
		}
		gateway.gone, *said = false, nil
		if spooled, err := s.try(t, 3); spooled || err != nil {
			t.Fatalf("spooled %v, %v", spooled, err)
		}
		if want := []string{"n 2\n", "n 3\n"}; !slices.Equal(gateway.arrivals, want) || len(*said) != 2 {
			t.Errorf("arrived %q, want %q; said %q", gateway.arrivals, want, *said)
		}
		if _, err := os.Stat(filepath.Join(s.dir, "refused", names[1])); err != nil {
			t.Error(err)
		}
	})
}

func TestSpoolBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := &away{gone: true}
		s, said := spoolOf(t, gateway, SpoolOptions{Bytes: 400, Age: time.Hour})
		if spooled, err := s.try(t, 0); !spooled || err != nil {
			t.Fatalf("spooled %v, %v", spooled, err)
		}
		if _, err := s.try(t, 1); !errors.Is(err, ErrSpoolFull) {
			if _, err = s.try(t, 2); !errors.Is(err, ErrSpoolFull) {
				t.Fatalf("over the bound: %v", err)
			}
		}
		<-time.After(2 * time.Hour)
		gateway.gone, *said = false, nil
		if spooled, err := s.try(t, 3); spooled || err != nil {
			t.Fatalf("spooled %v, %v", spooled, err)
		}
		if !slices.Equal(gateway.arrivals, []string{"n 3\n"}) || len(*said) == 0 {
			t.Errorf("arrived %q, said %q", gateway.arrivals, *said)
		}
	})
}
