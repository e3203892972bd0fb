package holdfast

import (
	"context"
	"encoding"
	"iter"
)

// Revision numbers the commits of an engine. Later commits have higher revisions; 0 is before all.
type Revision uint64

// Engine keeps records: opaque bytes under a key, each with the revision that wrote it. It knows no group.
type Engine interface {
	// Commit keeps c whole, or not at all, if every guarded key is still at its revision. When it
	// returns nil, c survives as this engine promises. Concurrent commits share one fsync. Errors:
	// ErrConflict (nothing kept: look again), ErrUnavailable (surely not kept), ErrUnknown (may be
	// kept; Follow will tell), ErrTooLarge, ErrFull.
	Commit(ctx context.Context, c Commit) (Revision, error)
	// Follow yields every record in key order, then the mark (a Record without a key), then what others
	// committed and what of our own had an unknown outcome, in revision order, until ctx ends.
	Follow(ctx context.Context) iter.Seq2[Record, error]
	Status() EngineStatus
	Close() error
}

// EngineStatus is how an engine is.
type EngineStatus struct {
	Err   error // why commits are refused now; nil while they are taken
	Fatal bool  // only a restart heals it
	Free  int64 // bytes free on its disk; 0 where that is not known
	Held  int64 // bytes of its files
}

// Commit is one change of an engine: all of it is kept, or nothing.
type Commit struct {
	Guards  []Guard
	Wipe    bool // drop every record, before Changes
	Changes []Change
}

// Guard holds a commit back unless the record under Key was last written at At; 0 means that there must
// be none. A record that is ever guarded must be guarded by each commit that changes it, so that an
// engine need not know the revisions of all others.
type Guard struct {
	Key string
	At  Revision
}

// Change writes one record, or deletes it where Value is nil. An engine that keeps nothing never asks
// for the bytes.
type Change struct {
	Key   string
	Value encoding.BinaryAppender
}

// Record is what an engine holds under a key. Value is owned by the engine and valid until the next
// step of Follow; it is nil for a record that is gone. A record without a key is the mark of Follow:
// all that was kept when it began has been yielded.
type Record struct {
	Key      string
	Value    []byte
	Revision Revision
}
