package disk

import (
	"context"
	"fmt"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"holdfast"
)

// Follow implements holdfast.Engine. Nobody else commits, and an unknown outcome is settled by the next
// start, so that nothing follows the mark. An error names the damaged file where it is damage.
func (e *Engine) Follow(ctx context.Context) iter.Seq2[holdfast.Record, error] {
	return func(yield func(holdfast.Record, error) bool) {
		if err := e.enter(); err != nil {
			yield(holdfast.Record{}, err)
			return
		}
		more, err := e.load(ctx, yield)
		e.leave()
		switch {
		case err != nil:
			yield(holdfast.Record{}, err)
		case more && yield(holdfast.Record{}, nil):
			<-ctx.Done()
		}
	}
}

// load yields all records of one moment, by key. It reports whether more is wanted.
func (e *Engine) load(ctx context.Context, yield func(holdfast.Record, error) bool) (more bool, err error) {
	all, err := e.db.NewIter(&pebble.IterOptions{LowerBound: []byte{recordSpace}, UpperBound: []byte{recordSpace + 1}})
	if err != nil {
		return false, e.readError(err)
	}
	defer func() {
		if closing := all.Close(); err == nil && closing != nil {
			err = e.readError(closing)
		}
	}()
	for valid := all.First(); valid; valid = all.Next() {
		select {
		case <-ctx.Done():
			return false, nil
		case <-e.closing:
			return false, fmt.Errorf("read %s: %w: the engine is closed", e.Path, holdfast.ErrUnavailable)
		default:
		}
		stored, err := all.ValueAndErr()
		if err != nil {
			return false, e.readError(err)
		}
		revision, value, err := splitValue(stored)
		if err != nil {
			return false, e.readError(fmt.Errorf("record %q: %w", all.Key()[1:], err))
		}
		if !yield(holdfast.Record{Key: string(all.Key()[1:]), Value: value, Revision: revision}, nil) {
			return false, nil
		}
	}
	if err := all.Error(); err != nil {
		return false, e.readError(err)
	}
	return true, nil
}

// readError names the damaged file, where it is one of damage.
func (e *Engine) readError(err error) error {
	return fmt.Errorf("read storage %s: %w", e.Path, e.heard.explain(err))
}
