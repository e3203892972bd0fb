package disk

import (
	"context"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"holdfast"
)

// maxCommit bounds the records of one commit, in bytes.
const maxCommit = 256 << 20

// writing is a commit whose values are encoded, each behind room for its revision.
type writing struct {
	holdfast.Commit
	values []byte
	ends   []int // of each change's value in values
}

// outcome is what became of a commit.
type outcome struct {
	revision holdfast.Revision
	err      error
}

// Commit implements holdfast.Engine: it returns when the change is on disk. It waits for its turn no
// longer than ctx lasts; from then on its outcome is waited for.
func (e *Engine) Commit(ctx context.Context, c holdfast.Commit) (holdfast.Revision, error) {
	start := time.Now()
	revision, err := e.commit(ctx, c)
	e.meters.committed(time.Since(start), err)
	return revision, err
}

func (e *Engine) commit(ctx context.Context, c holdfast.Commit) (holdfast.Revision, error) {
	if err := e.enter(); err != nil {
		return 0, err
	}
	defer e.leave()
	if err := e.refusal(ctx); err != nil {
		return 0, err
	}
	w, err := encode(c)
	if err != nil {
		return 0, err
	}
	if err := e.space.admit(int64(len(w.values)), len(w.values) == 0); err != nil {
		return 0, err
	}
	if err := e.waitTurn(ctx, int64(len(w.values))); err != nil {
		return 0, err
	}
	return e.outcome(w)
}

// refusal returns why nothing is accepted now.
func (e *Engine) refusal(ctx context.Context) error {
	switch {
	case e.failure.err() != nil:
		return unavailable(e.failure.err())
	case e.reading:
		return unavailable(pebble.ErrReadOnly)
	case ctx.Err() != nil:
		return unavailable(context.Cause(ctx))
	}
	return nil
}

// encode has the values encoded. Its errors are of commits that are surely not kept.
func encode(c holdfast.Commit) (*writing, error) {
	w := &writing{Commit: c, ends: make([]int, len(c.Changes))}
	for i, change := range c.Changes {
		if change.Value != nil {
			var err error
			w.values = append(w.values, make([]byte, revisionSize)...)
			if w.values, err = change.Value.AppendBinary(w.values); err != nil {
				return nil, unavailable(fmt.Errorf("encode record %q: %w", change.Key, err))
			}
		}
		if w.ends[i] = len(w.values); w.ends[i] > maxCommit {
			return nil, fmt.Errorf("%w: more than %d bytes in one commit", holdfast.ErrTooLarge, maxCommit)
		}
	}
	return w, nil
}

// waitTurn takes the turn. While it waits, which it only does for long where Pebble can flush no more, it
// looks at the disk: that may be why.
func (e *Engine) waitTurn(ctx context.Context, size int64) error {
	select {
	case e.turn <- struct{}{}:
		return nil
	default:
	}
	look := time.NewTicker(spaceInterval)
	defer look.Stop()
	for {
		select {
		case e.turn <- struct{}{}:
			return nil
		case <-e.failure.done:
			return unavailable(e.failure.err())
		case <-ctx.Done():
			return unavailable(context.Cause(ctx))
		case <-look.C:
			if err := e.space.admit(size, size == 0); err != nil {
				return err
			}
		}
	}
}

// outcome has Pebble write the commit, passes the turn on and waits for the disk. It does so in another
// goroutine, for one that meets a failure stands still for ever.
func (e *Engine) outcome(w *writing) (holdfast.Revision, error) {
	outcomes := make(chan outcome, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				e.failure.set(fmt.Errorf("commit: %v", p))
			}
		}()
		revision, err := e.keep(w)
		outcomes <- outcome{revision, err}
	}()
	var o outcome
	select {
	case o = <-outcomes:
	case <-e.failure.done:
		select {
		case o = <-outcomes:
		default:
			o.err = unknown(e.failure.err())
		}
	}
	return o.revision, o.err
}

// keep returns once the commit is on disk. The caller has taken the turn.
func (e *Engine) keep(w *writing) (holdfast.Revision, error) {
	batch, revision, err := e.place(w)
	if err != nil {
		<-e.turn
		return 0, err
	}
	if err := e.db.ApplyNoSyncWait(batch, pebble.Sync); err != nil {
		e.failure.set(fmt.Errorf("write batch: %w", err))
		return 0, unknown(err)
	}
	e.revisions.note(w.Commit, revision)
	<-e.turn
	if err := batch.SyncWait(); err != nil {
		e.failure.set(fmt.Errorf("write log: %w", err))
		return 0, unknown(err)
	}
	e.revisions.keep(epochOf(revision))
	_ = batch.Close()
	return revision, nil
}

func unknown(err error) error { return fmt.Errorf("%w: %w", holdfast.ErrUnknown, err) }

// place checks the guards and takes the next revision. The caller has the turn.
func (e *Engine) place(w *writing) (*pebble.Batch, holdfast.Revision, error) {
	for _, guard := range w.Guards {
		held, err := e.revisions.holds(e.db, guard)
		if err != nil {
			return nil, 0, unavailable(fmt.Errorf("look up guarded record: %w", err))
		}
		if !held {
			return nil, 0, holdfast.ErrConflict
		}
	}
	batch := e.db.NewBatch()
	revision := e.revisions.next()
	if err := e.fill(batch, w, revision); err != nil {
		_ = batch.Close()
		return nil, 0, unavailable(fmt.Errorf("build batch: %w", err))
	}
	return batch, revision, nil
}

// fill lays the commit into a batch. Later operations of a batch come after earlier ones, so that changes
// survive the wipe that stands before them.
func (e *Engine) fill(batch *pebble.Batch, w *writing, revision holdfast.Revision) error {
	if w.Wipe {
		if err := batch.DeleteRange([]byte{recordSpace}, []byte{recordSpace + 1}, nil); err != nil {
			return err
		}
	}
	start := 0
	for i, change := range w.Changes {
		value := w.values[start:w.ends[i]]
		start = w.ends[i]
		key := recordKey(change.Key)
		if change.Value == nil {
			if err := batch.Delete(key, nil); err != nil {
				return err
			}
			continue
		}
		putRevision(value, revision)
		if err := batch.Set(key, value, nil); err != nil {
			return err
		}
	}
	if epoch := epochOf(revision); epoch > e.revisions.kept.Load() {
		return batch.Set([]byte{layoutKey}, layout(epoch), nil)
	}
	return nil
}
