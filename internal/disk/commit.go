package disk

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"holdfast"
)

// maxCommit bounds the records of one commit, in bytes.
const maxCommit = 256 << 20

// writing is a commit whose values are encoded, each behind room for its revision. It is lent by the
// engine, and given back by who called Commit once it is answered.
type writing struct {
	holdfast.Commit
	values []byte
	ends   []int // of each change's value in values
	key    []byte

	taken atomic.Bool // by the committer, or by who gave it up before
	done  chan outcome
	look  *time.Timer // stopped while nobody waits
}

// keptValues is the bytes above which the memory of values is not kept for another commit.
const keptValues = 1 << 20

func newWriting() *writing {
	w := &writing{done: make(chan outcome, 1), look: time.NewTimer(time.Hour)}
	w.look.Stop()
	return w
}

// clear makes w ready for another commit.
func (w *writing) clear() {
	w.Commit, w.values, w.ends = holdfast.Commit{}, w.values[:0], w.ends[:0]
	if cap(w.values) > keptValues {
		w.values = nil
	}
	w.taken.Store(false)
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
	w := e.writings.Get().(*writing)
	w.Commit = c
	size, err := w.encode()
	if err == nil {
		err = e.space.admit(size, size == 0)
	}
	o, answered := outcome{err: err}, err != nil
	if !answered {
		e.committer.add(w)
		o, answered = e.await(ctx, w, size)
	}
	if answered {
		w.clear()
		e.writings.Put(w)
	}
	return o.revision, o.err
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

// encode has the values encoded and returns their size in bytes. Its errors are of commits that are surely
// not kept.
func (w *writing) encode() (int64, error) {
	for _, change := range w.Changes {
		if change.Value != nil {
			var err error
			var room [revisionSize]byte
			w.values = append(w.values, room[:]...)
			if w.values, err = change.Value.AppendBinary(w.values); err != nil {
				return 0, unavailable(fmt.Errorf("encode record %q: %w", change.Key, err))
			}
		}
		if len(w.values) > maxCommit {
			return 0, fmt.Errorf("%w: more than %d bytes in one commit", holdfast.ErrTooLarge, maxCommit)
		}
		w.ends = append(w.ends, len(w.values))
	}
	return int64(len(w.values)), nil
}

// await returns the outcome of a commit that was added, and whether it was answered: if not, the committer
// may hold it for ever. While it waits for its turn, which it only does for long where Pebble can flush no
// more, it looks at the disk: that may be why.
func (e *Engine) await(ctx context.Context, w *writing, size int64) (o outcome, answered bool) {
	w.look.Reset(spaceInterval)
	defer w.look.Stop()
	failed, given := e.failure.done, ctx.Done()
	for {
		var refusal error
		select {
		case o := <-w.done:
			return o, true
		case <-failed:
			if !w.taken.CompareAndSwap(false, true) {
				return e.afterFailure(w), false
			}
			return outcome{err: unavailable(e.failure.err())}, false
		case <-given:
			refusal, given = unavailable(context.Cause(ctx)), nil
		case <-w.look.C:
			w.look.Reset(spaceInterval)
			refusal = e.space.admit(size, size == 0)
		}
		if refusal != nil && w.taken.CompareAndSwap(false, true) {
			return outcome{err: refusal}, false
		}
	}
}

// afterFailure is the outcome of a commit that was on its way when the storage failed.
func (e *Engine) afterFailure(w *writing) outcome {
	select {
	case o := <-w.done:
		return o
	default:
		return outcome{err: unknown(e.failure.err())}
	}
}

func unknown(err error) error { return fmt.Errorf("%w: %w", holdfast.ErrUnknown, err) }

// place checks the guards, takes the next revision and lays the commit into a batch of Pebble. It returns
// errUnsettled where a guard can be judged only after the batch is written.
func (e *Engine) place(batch *pebble.Batch, w *writing) (holdfast.Revision, error) {
	stored := &lookup{db: e.db, many: len(w.Guards) > 1}
	defer stored.close()
	for _, guard := range w.Guards {
		held, err := e.revisions.holds(stored, guard)
		switch {
		case errors.Is(err, errUnsettled):
			return 0, err
		case err != nil:
			return 0, unavailable(fmt.Errorf("look up guarded record: %w", err))
		case !held:
			return 0, holdfast.ErrConflict
		}
	}
	revision := e.revisions.next()
	if err := e.fill(batch, w, revision); err != nil {
		return 0, fmt.Errorf("%w: %w", errBatch, err)
	}
	e.revisions.note(w.Commit, revision)
	return revision, nil
}

// fill lays the commit into a batch, which copies it. Later operations of a batch come after earlier ones,
// so that changes survive the wipe that stands before them. Errors are of a batch that is of no use.
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
		w.key = append(append(w.key[:0], recordSpace), change.Key...)
		if change.Value == nil {
			if err := batch.Delete(w.key, nil); err != nil {
				return err
			}
			continue
		}
		putRevision(value, revision)
		if err := batch.Set(w.key, value, nil); err != nil {
			return err
		}
	}
	if epoch := epochOf(revision); epoch > e.revisions.kept.Load() {
		return batch.Set([]byte{layoutKey}, layout(epoch), nil)
	}
	return nil
}
