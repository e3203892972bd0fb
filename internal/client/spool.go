package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// SpoolOptions tells where what could not be delivered waits, and how much of it.
type SpoolOptions struct {
	Dir   string        // shared by all gateways; made when needed
	Bytes int64         // most that waits for one gateway, as files
	Age   time.Duration // what waited longer is dropped, with a warning
}

// Spool keeps on disk, in order, what one gateway did not take.
type Spool struct {
	client *Client
	limits SpoolOptions
	dir    string
}

// Suffixes of a spool's files; what has another one is not replayed.
const (
	waitingSuffix = ".push"
	damagedSuffix = ".damaged"
)

// ErrSpoolFull tells that a push was neither delivered nor kept.
var ErrSpoolFull = errors.New("the spool is full: the push is neither delivered nor kept")

// Spool returns the spool of c's gateway. The directory's name tells nobody a password.
func (c *Client) Spool(o SpoolOptions) *Spool {
	where := *c.base
	where.User = nil
	sum := sha256.Sum256([]byte(strings.TrimSuffix(where.String(), "/")))
	return &Spool{client: c, limits: o, dir: filepath.Join(o.Dir, hex.EncodeToString(sum[:8]))}
}

// Push delivers what waits and then p, which is prepared, in order. Spooled tells that p waits on disk
// instead. Errors are those of Client.Push other than *Undelivered, ErrSpoolFull, and those of the disk.
func (s *Spool) Push(ctx context.Context, p *Push) (spooled bool, err error) {
	if err := os.MkdirAll(filepath.Join(s.dir, "refused"), 0o700); err != nil {
		return false, fmt.Errorf("make the spool: %w", err)
	}
	release, err := lockSpool(filepath.Join(s.dir, "lock"))
	if errors.Is(err, errSpoolLocked) {
		return true, s.keep(p) // who has the lock replays; p must not overtake
	}
	if err != nil {
		return false, fmt.Errorf("lock the spool: %w", err)
	}
	defer release()
	if err := s.replay(ctx); err != nil {
		s.client.tell(fmt.Sprintf("what waits in the spool is not delivered yet: %v", err))
		return true, s.keep(p)
	}
	err = s.client.Push(ctx, p)
	var lost *Undelivered
	if errors.As(err, &lost) {
		return true, s.keep(p)
	}
	return false, err
}

// replay sends what waits, oldest first, and returns why it stopped before the end.
func (s *Spool) replay(ctx context.Context) error {
	for {
		names, _, err := s.waiting()
		if err != nil || len(names) == 0 {
			return err
		}
		for _, name := range names {
			if err := s.replayOne(ctx, name); err != nil {
				return err
			}
		}
	}
}

func (s *Spool) replayOne(ctx context.Context, name string) error {
	file := filepath.Join(s.dir, name)
	p, err := readSpooled(file)
	if errors.Is(err, errDamaged) {
		s.client.tell(fmt.Sprintf("set aside in the spool: %s%s: %v", file, damagedSuffix, err))
		return os.Rename(file, file+damagedSuffix)
	}
	if err != nil {
		return err
	}
	if age := time.Since(p.Made); age > s.limits.Age {
		s.client.tell(fmt.Sprintf("dropped from the spool: a push for %s that waited %s", labelText(p), age.Round(time.Second)))
		return os.Remove(file)
	}
	err = s.client.Push(ctx, p)
	var refused *Refused
	if errors.As(err, &refused) && setsAside(refused.Status) {
		aside := filepath.Join(s.dir, "refused", name)
		s.client.tell(fmt.Sprintf("set aside in the spool: %s: %v", aside, err))
		return os.Rename(file, aside)
	}
	if err != nil {
		return err
	}
	return os.Remove(file)
}

// setsAside tells if a refusal is the push's own fault; credentials can be mended, and the push then goes.
func setsAside(status int) bool { return status/100 == 4 && status != 401 && status != 403 }

func labelText(p *Push) string {
	path, err := Path(p.Labels)
	if err != nil {
		return "an unknown group"
	}
	return path
}

// waiting returns the names of what waits, oldest first, and its bytes.
func (s *Spool) waiting() (names []string, size int64, err error) {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, 0, fmt.Errorf("read the spool: %w", err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), waitingSuffix) {
			continue
		}
		info, err := f.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue // delivered by another since
		}
		if err != nil {
			return nil, 0, fmt.Errorf("read the spool: %w", err)
		}
		names, size = append(names, f.Name()), size+info.Size()
	}
	slices.Sort(names)
	return names, size, nil
}

// keep writes p behind all that waits.
func (s *Spool) keep(p *Push) error {
	names, size, err := s.waiting()
	if err != nil {
		return err
	}
	content, err := p.spooled()
	if err != nil {
		return err
	}
	if size+int64(len(content)) > s.limits.Bytes {
		return fmt.Errorf("%w (%d bytes wait in %s, most is %d)", ErrSpoolFull, size, s.dir, s.limits.Bytes)
	}
	at := time.Now().UnixNano()
	if len(names) > 0 {
		var last int64
		if _, err := fmt.Sscanf(names[len(names)-1], "%d-", &last); err == nil {
			at = max(at, last+1) // the clock may have been set back
		}
	}
	name := filepath.Join(s.dir, fmt.Sprintf("%020d-%s%s", at, p.Once, waitingSuffix))
	return writeDurably(name, content)
}
