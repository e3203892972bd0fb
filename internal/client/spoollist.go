package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Kept is a push that a spool keeps.
type Kept struct {
	Gateway string    `json:"gateway"` // URL, without a user
	File    string    `json:"file"`
	State   string    `json:"state"` // one of the constants below
	Since   time.Time `json:"since"` // when it was pushed
	Bytes   int       `json:"bytes"` // of its body
	Mode    string    `json:"mode"`
	Group   string    `json:"group"` // as a path, "/metrics/job/…"
	Status  int       `json:"status,omitempty"`
	Reason  string    `json:"reason,omitempty"` // why it was refused, in several lines
}

// The states of what a spool keeps.
const (
	KeptWaiting = "waiting"
	KeptRefused = "refused"
	KeptDamaged = "damaged"
)

// ListSpool returns what is kept in a directory for all gateways, what waits before what was refused, each
// the oldest first. A directory that is not there keeps nothing.
func ListSpool(dir string) ([]Kept, error) {
	folders, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the spool: %w", err)
	}
	var all []Kept
	for _, folder := range folders {
		s := &Spool{dir: filepath.Join(dir, folder.Name())}
		gateway, err := os.ReadFile(filepath.Join(s.dir, labelFile))
		if err != nil {
			continue // it is none of ours
		}
		kept, err := s.list(string(bytes.TrimSpace(gateway)))
		if err != nil {
			return nil, err
		}
		all = append(all, kept...)
	}
	return all, nil
}

func (s *Spool) list(gateway string) (all []Kept, err error) {
	for _, dir := range []string{s.dir, s.refusedDir()} {
		files, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read the spool: %w", err)
		}
		for _, f := range files {
			file := filepath.Join(dir, f.Name())
			switch {
			case strings.HasSuffix(file, damagedSuffix):
				all = append(all, Kept{Gateway: gateway, File: file, State: KeptDamaged})
			case strings.HasSuffix(file, waitingSuffix):
				var r refusal
				if err := readSpoolFile(file, &r); errors.Is(err, fs.ErrNotExist) {
					continue // delivered meanwhile
				} else if err != nil {
					r.Refused.Text = err.Error()
				}
				all = append(all, r.kept(gateway, file, dir == s.dir))
			}
		}
	}
	return all, nil
}

func (r *refusal) kept(gateway, file string, waits bool) Kept {
	k := Kept{
		Gateway: gateway, File: file, State: KeptWaiting, Since: r.Made, Bytes: len(r.Body), Mode: r.Mode, Group: r.group(),
		Status: r.Refused.Status, Reason: r.Refused.Text,
	}
	if !waits {
		k.State = KeptRefused
	}
	return k
}

// Again has all that was refused wait once more, behind what waits already, and returns how many that is.
func (s *Spool) Again(ctx context.Context) (count int, err error) {
	err = s.alone(ctx, func() error {
		names, err := pushFiles(s.refusedDir())
		if err != nil {
			return err
		}
		for _, name := range names {
			_, key, _ := strings.Cut(strings.TrimSuffix(name, waitingSuffix), "-")
			last, err := s.lastName()
			if err != nil {
				return err
			}
			if err := os.Rename(filepath.Join(s.refusedDir(), name), filepath.Join(s.dir, nameBehind(last, key))); err != nil {
				return fmt.Errorf("have a refused push wait again: %w", err)
			}
			count++
		}
		return nil
	})
	return count, err
}

// Drop removes what was refused or is damaged, and what waits too if that is asked for. It returns how
// many files that is.
func (s *Spool) Drop(ctx context.Context, waiting bool) (count int, err error) {
	err = s.alone(ctx, func() error {
		all, err := s.list("")
		if err != nil {
			return err
		}
		for _, k := range all {
			if k.State == KeptWaiting && !waiting {
				continue
			}
			if err := os.Remove(k.File); err != nil {
				return fmt.Errorf("drop from the spool: %w", err)
			}
			count++
		}
		return nil
	})
	return count, err
}

// alone does something in the turn to send.
func (s *Spool) alone(ctx context.Context, do func() error) error {
	turn, err := s.enter()
	if err != nil {
		return err
	}
	defer turn.leave()
	if err := s.await(ctx, turn, ""); err != nil {
		return err
	}
	if !turn.held() {
		return ErrSpoolBusy
	}
	return do()
}
