package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// SpoolOptions tells where what could not be delivered waits, and how much of it.
type SpoolOptions struct {
	Dir   string        // shared by all gateways; made when needed
	Bytes int64         // most that waits for one gateway, in blocks of 4 KiB; as much again of what it refused is kept
	Age   time.Duration // what waited longer, or was refused longer ago, is dropped, with a warning
}

// Spool keeps on disk, in order, what one gateway has not taken yet. Any number of processes may use it
// at once, and each may be killed at any time.
//
// A push is a file from before it is first sent until it was answered. One process at a time sends, the
// oldest first; it notes on disk what it is about to send, so that whoever sends the same again knows
// since when the gateway may have it.
type Spool struct {
	client *Client
	limits SpoolOptions
	dir    string
}

// ErrSpoolFull tells that a push was neither delivered nor kept.
var ErrSpoolFull = errors.New("the spool is full: the push is neither delivered nor kept")

// Spool returns the spool of c's gateway. The directory's name tells nobody a password.
func (c *Client) Spool(o SpoolOptions) *Spool {
	sum := sha256.Sum256([]byte(c.public()))
	return &Spool{client: c, limits: o, dir: filepath.Join(o.Dir, hex.EncodeToString(sum[:8]))}
}

// public returns the gateway's URL without its user.
func (c *Client) public() string {
	where := *c.base
	where.User = nil
	return strings.TrimSuffix(where.String(), "/")
}

// Spooled is why a push waits on disk, where it is safe, and is not delivered yet.
type Spooled struct {
	Dir string // of the spool
	Err error  // what came of the last attempt
}

// Error tells where the push waits, and why.
func (s *Spooled) Error() string {
	return fmt.Sprintf("not delivered yet, the push waits in %s: %v", s.Dir, s.Err)
}

// Unwrap returns what came of the last attempt.
func (s *Spooled) Unwrap() error { return s.Err }

// Push delivers what waits and then p, which is prepared, in order. Errors are *Spooled, *Refused,
// ErrSpoolFull, and those of the disk and of Client.Push where p could not be kept.
func (s *Spool) Push(ctx context.Context, p *Push) error {
	turn, err := s.enter()
	if err != nil {
		return s.pushAlone(ctx, p, err)
	}
	defer turn.leave()
	name, err := s.keep(p)
	if err != nil {
		return s.pushUnkept(ctx, turn, p, err)
	}
	if err := s.await(ctx, turn, name); err != nil {
		return &Spooled{s.limits.Dir, err}
	}
	if !turn.held() && s.waits(name) {
		return &Spooled{s.limits.Dir, ErrSpoolBusy}
	}
	sending := round{spool: s, own: name}
	if turn.held() {
		err = sending.run(ctx)
	}
	switch {
	case s.waits(name):
		return &Spooled{s.limits.Dir, err}
	case sending.answer != nil:
		return sending.answer
	}
	return s.refusalElsewhere(name)
}

// pushUnkept delivers p after all that waits, when it could not be kept for a reason.
func (s *Spool) pushUnkept(ctx context.Context, turn *turn, p *Push, reason error) error {
	if err := s.await(ctx, turn, ""); err != nil || !turn.held() {
		return errors.Join(reason, err)
	}
	if err := (&round{spool: s}).run(ctx); err != nil {
		return fmt.Errorf("%w; %w", reason, err)
	}
	return s.pushAlone(ctx, p, reason)
}

// pushAlone delivers p without the spool, which is of no use for a reason.
func (s *Spool) pushAlone(ctx context.Context, p *Push, reason error) error {
	err := s.client.Push(ctx, p)
	var lost *Undelivered
	if errors.As(err, &lost) {
		return fmt.Errorf("%w; %w", reason, err)
	}
	if err == nil && !errors.Is(reason, ErrSpoolFull) {
		s.client.tell(fmt.Sprintf("delivered, but the spool is of no use: %v", reason))
	}
	return err
}

// Send delivers what waits, as far as ctx allows. Errors are *Undelivered, *Refused where the gateway lets
// nobody in, ErrSpoolBusy, and those of the disk.
func (s *Spool) Send(ctx context.Context) error {
	return s.alone(ctx, func() error { return (&round{spool: s}).run(ctx) })
}

// Waiting returns how many pushes wait.
func (s *Spool) Waiting() (int, error) {
	names, err := s.waiting()
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	return len(names), err
}
