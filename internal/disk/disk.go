// Package disk is the durable engine on one machine: it keeps records in a directory, by Pebble. What it
// has acknowledged survives the end of the program, of the machine's power and a full disk; damage to its
// files is found and named, never passed on. It knows records, not what is in them.
//
// A commit is encoded by its caller and waits for the committer, which takes all that wait, checks their
// guards in order, gives each the next revision, and has Pebble write them as one batch with one fsync;
// meanwhile the next ones gather. watchedFS stands between Pebble and the file system: it sees each fsync, notes
// how far logs are on disk (floors), and lets nothing more be written after one has failed. What Pebble
// does not find out at the start, intact does: it compares the logs with the floors.
package disk

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
)

// Options is what an Engine is opened with. Only Path and Logger are required.
type Options struct {
	Path     string                // directory; made where it is missing
	SetAside bool                  // rename a damaged directory and start with an empty one
	MinFree  int64                 // bytes to leave free on the disk besides what the engine needs itself
	Logger   *slog.Logger          // gets a line for each change of state
	Registry prometheus.Registerer // for the engine's instruments; nil for nowhere
	FS       vfs.FS                // nil for the operating system's
}

// Engine implements holdfast.Engine. Its methods may be called concurrently.
type Engine struct {
	Options
	db      *pebble.DB
	lock    io.Closer
	fs      *watchedFS
	failure *failure
	space   *space
	meters  *meters
	heard   *listener
	reading bool // opened by OpenReadOnly

	committer *committer
	writings  sync.Pool // of *writing, for commits of this engine
	revisions revisions // owned by the committer's goroutine

	mu      sync.Mutex
	closing chan struct{} // closed by Close
	closed  bool
	users   sync.WaitGroup // calls that use db
}

var _ holdfast.Engine = (*Engine)(nil)

// enter lets a call use db until it leaves. The error is ErrUnavailable, once the engine is closed.
func (e *Engine) enter() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return fmt.Errorf("%w: the engine is closed", holdfast.ErrUnavailable)
	}
	e.users.Add(1)
	return nil
}

func (e *Engine) leave() { e.users.Done() }

// Status implements holdfast.Engine. A full disk is looked at anew, so that it heals without a commit.
func (e *Engine) Status() holdfast.EngineStatus {
	if err := e.enter(); err != nil {
		return holdfast.EngineStatus{Err: err, Fatal: true}
	}
	defer e.leave()
	status := holdfast.EngineStatus{Held: e.held(), Free: e.space.left()}
	switch {
	case e.failure.err() != nil:
		status.Err, status.Fatal = unavailable(e.failure.err()), true
	case e.reading:
		status.Err, status.Fatal = unavailable(pebble.ErrReadOnly), true
	default:
		status.Err = e.space.admit(0, false)
		status.Free = e.space.left()
	}
	return status
}

// Close flushes and releases the directory. It waits for commits on their way, and for a Follow that is
// still reading what is stored, which ends at its next step.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	close(e.closing)
	e.mu.Unlock()
	e.users.Wait()
	e.committer.stop()
	e.meters.unregister(e.Registry)
	closed := make(chan error, 1)
	go func() { closed <- e.closePebble() }()
	select {
	case err := <-closed:
		if err = errors.Join(err, e.fs.floors.close(), e.lock.Close()); err != nil {
			return fmt.Errorf("close storage %s: %w", e.Path, err)
		}
		return nil
	case <-e.failure.done:
		return e.abandon()
	}
}

// abandon gives the directory back without Pebble, of which some goroutines stand still since the failure.
// The file system lets none of them write any more.
func (e *Engine) abandon() error {
	return errors.Join(e.fs.floors.close(), e.lock.Close())
}

// closePebble moves all records from the log into tables, so that the next start need not read the log,
// and closes.
func (e *Engine) closePebble() error {
	if !e.reading && !e.space.full() {
		flushed, err := e.db.AsyncFlush()
		if err != nil {
			return fmt.Errorf("flush: %w", err)
		}
		patience := time.NewTimer(flushPatience)
		defer patience.Stop()
		select {
		case <-flushed:
		case <-patience.C:
			e.Logger.Warn("storage was not flushed in time before closing, the next start reads its log")
		}
	}
	e.fs.ending.Store(true)
	err := e.db.Close()
	if passing(err) {
		e.Logger.Warn("storage was closed without the mark that ends its log, for the disk is full", "err", err)
		return nil
	}
	return err
}

func unavailable(err error) error { return fmt.Errorf("%w: %w", holdfast.ErrUnavailable, err) }
