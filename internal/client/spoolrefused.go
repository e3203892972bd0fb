package client

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// refusal is a push that was set aside, and why.
type refusal struct {
	Push
	Refused Refused
	At      time.Time
}

// damagedSuffix ends the names of files that cannot be read as pushes.
const damagedSuffix = ".damaged"

func (s *Spool) refusedDir() string { return filepath.Join(s.dir, "refused") }

// setAside moves a push to those that were refused. Killed between the two steps, it is sent again, and
// refused again.
func (s *Spool) setAside(q queued, why *Refused) error {
	content, err := spoolFile(refusal{*q.Push, *why, time.Now()})
	if err != nil {
		return err
	}
	aside := filepath.Join(s.refusedDir(), q.name)
	if err := writeDurably(aside, content); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(s.dir, q.name)); err != nil {
		return fmt.Errorf("set a refused push aside: %w", err)
	}
	first, _, _ := strings.Cut(why.Error(), "\n")
	s.client.tell(fmt.Sprintf("refused for good, and set aside in %s: the push for %s of %s: %s",
		aside, q.group(), q.Made.Format(time.DateTime), first))
	s.trimRefused()
	return nil
}

func (s *Spool) setDamagedAside(name string, why error) error {
	aside := filepath.Join(s.refusedDir(), name+damagedSuffix)
	if err := os.Rename(filepath.Join(s.dir, name), aside); err != nil {
		return fmt.Errorf("set a damaged push aside: %w", err)
	}
	s.client.tell(fmt.Sprintf("damaged, and set aside: %s: %v", aside, why))
	return nil
}

// refusalElsewhere returns the *Refused of a push that another process sent, nil if it was taken. Its
// sender hears of it now, so it need not be set aside any more.
func (s *Spool) refusalElsewhere(name string) error {
	file := filepath.Join(s.refusedDir(), name)
	var found refusal
	if readSpoolFile(file, &found) != nil {
		return nil
	}
	_ = os.Remove(file) // it is dropped when it is old
	return &found.Refused
}

// trimRefused drops the oldest of what was set aside while it is too much or too old. What cannot be
// dropped is dropped another time.
func (s *Spool) trimRefused() {
	files, err := os.ReadDir(s.refusedDir())
	if err != nil {
		return
	}
	var size int64
	infos := make([]os.FileInfo, 0, len(files))
	for _, f := range files {
		if info, err := f.Info(); err == nil && !strings.HasPrefix(f.Name(), unfinishedPrefix) {
			infos, size = append(infos, info), size+onDisk(info.Size())
		}
	}
	for _, info := range infos { // by name, so the oldest first
		old := time.Since(info.ModTime()) > s.limits.Age
		if !old && size <= s.limits.Bytes {
			continue
		}
		name := filepath.Join(s.refusedDir(), info.Name())
		var found refusal
		what := "a push"
		if readSpoolFile(name, &found) == nil {
			what = "the push for " + found.group()
		}
		if err := os.Remove(name); err == nil {
			size -= onDisk(info.Size())
			s.client.tell(fmt.Sprintf("dropped from what was set aside as refused, since it is too old or too much: %s", what))
		}
	}
}
