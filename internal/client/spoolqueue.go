package client

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// waitingSuffix ends the names of pushes that wait, which begin with when they came, in nanoseconds.
const waitingSuffix = ".push"

// waiting returns the names of what waits, oldest first.
func (s *Spool) waiting() ([]string, error) { return pushFiles(s.dir) }

func pushFiles(dir string) (names []string, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the spool: %w", err)
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), waitingSuffix) {
			names = append(names, f.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// bytes returns how much waits, as a disk counts.
func (s *Spool) bytes() (size int64, err error) {
	names, err := s.waiting()
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		info, err := os.Lstat(filepath.Join(s.dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // delivered by another since
		}
		if err != nil {
			return 0, fmt.Errorf("read the spool: %w", err)
		}
		size += onDisk(info.Size())
	}
	return size, nil
}

// onDisk returns how much room a file takes, which also bounds how many small ones there are.
func onDisk(size int64) int64 {
	const block = 4 << 10
	return (size + block - 1) / block * block
}

// waits reports whether the push of a name has not been answered yet.
func (s *Spool) waits(name string) bool {
	_, err := os.Lstat(filepath.Join(s.dir, name))
	return !errors.Is(err, os.ErrNotExist)
}

// keep writes p behind all that waits, and returns its name.
func (s *Spool) keep(p *Push) (string, error) {
	size, err := s.bytes()
	if err != nil {
		return "", err
	}
	content, err := spoolFile(p)
	if err != nil {
		return "", err
	}
	if own := onDisk(int64(len(content))); size+own > s.limits.Bytes {
		return "", fmt.Errorf("%w (%d bytes wait in %s, this push takes %d, most is %d)", ErrSpoolFull, size, s.dir, own, s.limits.Bytes)
	}
	last, err := s.lastName()
	if err != nil {
		return "", err
	}
	name := nameBehind(last, p.Once)
	return name, writeDurably(filepath.Join(s.dir, name), content)
}

// lastName returns the greatest name of what waits or may have been sent.
func (s *Spool) lastName() (string, error) {
	names, err := s.waiting()
	if err != nil {
		return "", err
	}
	before, err := s.readAttempt()
	if err != nil {
		return "", err
	}
	return slices.Max(append(names, before.Through)), nil
}

// nameBehind makes a name that is greater than the last one, though the clock may have been set back.
func nameBehind(last, key string) string {
	at := time.Now().UnixNano()
	if n, ok := nameTime(last); ok {
		at = max(at, n+1)
	}
	return fmt.Sprintf("%020d-%s%s", at, key, waitingSuffix)
}

// nameTime returns when a push came, in Unix nanoseconds.
func nameTime(name string) (at int64, ok bool) {
	_, err := fmt.Sscanf(name, "%d-", &at)
	return at, err == nil
}

// read returns the push of a name, or nil if it cannot be sent: what cannot be read is set aside, what
// waited too long is dropped.
func (s *Spool) read(name string) (*Push, error) {
	file := filepath.Join(s.dir, name)
	p := &Push{}
	err := readSpoolFile(file, p)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, nil
	case errors.Is(err, errDamaged):
		return nil, s.setDamagedAside(name, err)
	case err != nil:
		return nil, err
	}
	came, ok := nameTime(name)
	if age := time.Since(time.Unix(0, came)); ok && age > s.limits.Age {
		s.client.tell(fmt.Sprintf("dropped from the spool: a push for %s that waited %s", p.group(), age.Round(time.Second)))
		if err := os.Remove(file); err != nil {
			return nil, fmt.Errorf("drop what waited too long: %w", err)
		}
		return nil, nil
	}
	return p, nil
}

// group names the group of a push for people.
func (p *Push) group() string {
	path, err := Path(p.Labels)
	if err != nil {
		return "an unknown group"
	}
	return path
}

// attempt tells that all pushes up to a name may have arrived since a time, though no answer is known.
type attempt struct {
	Through string
	Since   time.Time
}

func (a attempt) covers(name string) bool { return name <= a.Through }

// unknown reports whether nothing is known of an attempt, but what it may have been at most.
func (a attempt) unknown() bool { return a.Since.Equal(time.Unix(0, 0)) }

func (s *Spool) attemptFile() string { return filepath.Join(s.dir, "attempt") }

// noteAttempt keeps a on disk, in the place of the one before.
func (s *Spool) noteAttempt(a attempt) error {
	content, err := spoolFile(a)
	if err != nil {
		return err
	}
	return writeDurably(s.attemptFile(), content)
}

// readAttempt returns the last attempt that was noted. Of one that cannot be read nothing is known, so
// all that waits may have arrived, long ago.
func (s *Spool) readAttempt() (a attempt, err error) {
	err = readSpoolFile(s.attemptFile(), &a)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return attempt{}, nil
	case errors.Is(err, errDamaged):
		names, err := s.waiting()
		if err != nil || len(names) == 0 {
			return attempt{}, err
		}
		return attempt{Through: names[len(names)-1], Since: time.Unix(0, 0)}, nil
	}
	return a, err
}

// labelFile tells whose spool a folder is.
const labelFile = "gateway"

// label writes the gateway's URL into the spool's folder, once.
func (s *Spool) label() error {
	name := filepath.Join(s.dir, labelFile)
	if _, err := os.Lstat(name); err == nil {
		return nil
	}
	return writeDurably(name, []byte(s.client.public()+"\n"))
}
