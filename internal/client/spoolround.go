package client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Most that one request takes from a spool. A gateway's limits allow at least this by default.
const (
	chunkPushes = 200
	chunkBytes  = 1 << 20
)

// round sends what waits in a spool, by one who has the turn.
type round struct {
	spool  *Spool
	own    string // file of the push whose sender waits for the answer; "" for none
	answer error  // *Refused, once own was refused
	single bool   // the gateway knows no batches
	begun  bool   // the gateway has answered; before, there is no use in reading much, nor in sending it
}

// queued is a push that waits, and its file.
type queued struct {
	name string
	*Push
}

// run sends until nothing waits, or the push whose sender waits was answered. It returns why it stopped
// before.
func (r *round) run(ctx context.Context) error {
	r.spool.sweep()
	r.spool.trimRefused()
	for r.own == "" || r.spool.waits(r.own) {
		names, err := r.spool.waiting()
		if err != nil || len(names) == 0 {
			return err
		}
		attempt, err := r.spool.readAttempt()
		if err == nil && attempt.unknown() {
			err = r.spool.noteAttempt(attempt)
		}
		if err != nil {
			return err
		}
		chunk, err := r.chunk(names, attempt)
		if err != nil {
			return err
		}
		if len(chunk) == 0 {
			continue // what was there is set aside or too old
		}
		if err := r.deliver(ctx, chunk, attempt); err != nil {
			return err
		}
	}
	return nil
}

// chunk reads the first of the pushes that wait: those that may go together, and either all were sent
// before or none.
func (r *round) chunk(names []string, before attempt) (chunk []queued, err error) {
	size, most := 0, 1
	if r.begun {
		most = chunkPushes
	}
	for _, name := range names {
		if len(chunk) > 0 && before.covers(chunk[0].name) != before.covers(name) {
			break
		}
		p, err := r.spool.read(name)
		if err != nil {
			return nil, err
		}
		if p == nil {
			continue
		}
		line := p.batchable()
		size += len(p.Body)
		if len(chunk) > 0 && (!line || size > chunkBytes) {
			break
		}
		if chunk = append(chunk, queued{name, p}); !line || len(chunk) == most {
			break
		}
	}
	return chunk, nil
}

// deliver sends a chunk, having noted on disk that it does.
func (r *round) deliver(ctx context.Context, chunk []queued, before attempt) error {
	fresh := !before.covers(chunk[0].name)
	var firstSent time.Time
	if fresh {
		if err := r.spool.noteAttempt(attempt{Through: chunk[len(chunk)-1].name, Since: time.Now()}); err != nil {
			return err
		}
	} else {
		firstSent = before.Since
	}
	err := r.send(ctx, chunk, firstSent)
	r.begun = true
	if fresh && surelyNot(err) {
		return errors.Join(err, r.spool.noteAttempt(attempt{}))
	}
	return err
}

// surelyNot reports whether an error tells that nothing it speaks of has arrived.
func surelyNot(err error) bool {
	var lost *Undelivered
	var refused *Refused
	switch {
	case errors.As(err, &lost):
		return !lost.Doubtful
	case errors.As(err, &refused):
		return !refused.Doubtful && refused.Status < 500
	}
	return false
}

// send sends pushes in order, together where that works: a batch is kept whole or not at all, so that
// none of its lines overtakes one that has to be sent again.
func (r *round) send(ctx context.Context, pushes []queued, firstSent time.Time) error {
	if len(pushes) == 1 || r.single {
		for _, q := range pushes {
			if err := r.sendOne(ctx, q, firstSent); err != nil {
				return err
			}
		}
		return nil
	}
	begun := time.Now()
	atFault, err := r.spool.client.pushBatch(ctx, pushes, firstSent)
	var refused *Refused
	switch {
	case err == nil:
		return r.delivered(pushes)
	case !errors.As(err, &refused) || !setsAside(refused.Status):
		return err
	}
	if refused.Doubtful && firstSent.IsZero() {
		firstSent = begun
	}
	if len(atFault) == 0 {
		// It takes no batch, or not one as large as this.
		r.single = true
		return r.send(ctx, pushes, firstSent)
	}
	start := 0
	for _, at := range append(atFault, len(pushes)) {
		if start < at {
			if err := r.send(ctx, pushes[start:at], firstSent); err != nil {
				return err
			}
		}
		if at < len(pushes) {
			// Alone, it may be taken, or get a clearer answer.
			if err := r.sendOne(ctx, pushes[at], firstSent); err != nil {
				return err
			}
		}
		start = at + 1
	}
	return nil
}

func (r *round) sendOne(ctx context.Context, q queued, firstSent time.Time) error {
	err := r.spool.client.pushAgain(ctx, q.Push, firstSent)
	var refused *Refused
	switch {
	case err == nil:
		return r.delivered([]queued{q})
	case !errors.As(err, &refused) || refused.Status >= 500:
		return err
	case q.name == r.own:
		r.answer = err
		return r.delivered([]queued{q})
	case setsAside(refused.Status):
		return r.spool.setAside(q, refused)
	}
	return err
}

// delivered takes pushes out of the spool. Should a power cut bring them back, the noted attempt tells.
func (r *round) delivered(pushes []queued) error {
	for _, q := range pushes {
		if err := os.Remove(filepath.Join(r.spool.dir, q.name)); err != nil {
			return fmt.Errorf("take a push out of the spool: %w", err)
		}
	}
	return nil
}

// setsAside tells if a refusal is the push's own fault; credentials can be mended, and the push then goes.
func setsAside(status int) bool {
	switch status {
	case 401, 403, 407, 408:
		return false
	}
	return status/100 == 4
}
