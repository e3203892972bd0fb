package client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// ErrSpoolBusy tells that another process sends what waits, and did so for as long as there was time.
var ErrSpoolBusy = errors.New("another holdfast is sending from this spool")

// turn is the right to send from a spool, which one process at a time has.
type turn struct {
	lock    string // file
	release func() // nil while another process has it
}

const (
	firstLook   = 5 * time.Millisecond // at a lock that another process holds
	longestLook = 100 * time.Millisecond
)

// enter makes the spool's folders and takes the turn if it is free.
func (s *Spool) enter() (*turn, error) {
	if err := os.MkdirAll(s.refusedDir(), 0o700); err != nil {
		return nil, fmt.Errorf("make the spool: %w", err)
	}
	if err := s.label(); err != nil {
		return nil, err
	}
	t := &turn{lock: filepath.Join(s.dir, "lock")}
	return t, t.take()
}

// take takes the turn if it is free.
func (t *turn) take() error {
	release, err := lockSpool(t.lock)
	if errors.Is(err, errSpoolLocked) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("lock the spool: %w", err)
	}
	t.release = release
	return nil
}

func (t *turn) held() bool { return t.release != nil }

// leave gives the turn back, if it is held.
func (t *turn) leave() {
	if t.release != nil {
		t.release()
		t.release = nil
	}
}

// await returns once the turn is held, once the push of a name no longer waits, or when ctx ends. With
// the name "" it is the turn alone that counts.
func (s *Spool) await(ctx context.Context, t *turn, name string) error {
	for look := firstLook; !t.held() && (name == "" || s.waits(name)); look = min(2*look, longestLook) {
		timer := time.NewTimer(look)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		if err := t.take(); err != nil {
			return err
		}
	}
	return nil
}
