package disk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast"
)

// Open opens the engine in a directory, which is made where it is missing. Its errors say what to do;
// after one of them nothing in the directory has changed. A directory that is damaged is one, unless
// SetAside is set: then everything stored is read first, and a damaged directory is renamed.
func Open(o Options) (*Engine, error) {
	e, err := open(o, false)
	if err == nil && o.SetAside {
		if err = e.readAll(); err != nil {
			err = errors.Join(err, e.Close())
		}
	}
	if !o.SetAside || !errors.Is(err, errDamaged) {
		return e, err
	}
	if err := setAside(o, err); err != nil {
		return nil, err
	}
	return open(o, false)
}

// OpenReadOnly opens the engine of a program that is not running, to be followed. Commits are refused.
func OpenReadOnly(path string, logger *slog.Logger) (*Engine, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open storage: %w", err)
	}
	return open(Options{Path: path, Logger: logger}, true)
}

func open(o Options, reading bool) (*Engine, error) {
	base := o.FS
	if base == nil {
		base = vfs.Default
		path, err := filepath.Abs(o.Path) // locks are by name
		if err != nil {
			return nil, fmt.Errorf("open storage: %w", err)
		}
		o.Path = path
	}
	e := &Engine{
		Options: o, reading: reading, failure: newFailure(o.Logger), meters: newMeters(),
		closing: make(chan struct{}),
	}
	e.committer, e.writings.New = newCommitter(e), func() any { return newWriting() }
	if err := e.lockDirectory(base); err != nil {
		return nil, err
	}
	if err := e.start(base); err != nil {
		return nil, errors.Join(err, e.giveUp())
	}
	if !reading {
		e.space.begin()
	}
	go e.committer.run()
	if err := e.meters.register(e); err != nil {
		return nil, errors.Join(fmt.Errorf("register instruments of storage: %w", err), e.Close())
	}
	return e, nil
}

// lockDirectory makes the directory and keeps others out of it.
func (e *Engine) lockDirectory(base vfs.FS) error {
	if !e.reading {
		if err := makeDirectory(base, e.Path); err != nil {
			return fmt.Errorf("make storage directory %s: %w (%s)", e.Path, err, writableHint)
		}
	}
	lock, err := base.Lock(base.PathJoin(e.Path, "LOCK")) // where Pebble would lock it, too
	switch {
	case err == nil:
		e.lock = lock
		return nil
	case errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("storage directory %s is not writable: %w (%s)", e.Path, err, writableHint)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: %w: make room on the disk of %s", holdfast.ErrFull, err, e.Path)
	default:
		return fmt.Errorf("storage directory %s is locked, another holdfast seems to run on it: %w (stop it, or give another --storage.path)", e.Path, err)
	}
}

// giveUp releases what was opened before opening failed.
func (e *Engine) giveUp() error {
	switch {
	case e.failure.err() != nil:
		return e.abandon()
	case e.db != nil:
		return errors.Join(e.db.Close(), e.fs.floors.close(), e.lock.Close())
	case e.fs != nil:
		return errors.Join(e.fs.floors.close(), e.lock.Close())
	}
	return e.lock.Close()
}

const writableHint = "give another --storage.path, or --storage.engine=memory"

// makeDirectory makes a directory and its parents, and what names them durable.
func makeDirectory(fs vfs.FS, path string) error {
	if is, err := fs.Stat(path); err == nil {
		if !is.IsDir() {
			return syscall.ENOTDIR
		}
		return nil
	}
	parent := fs.PathDir(path)
	if parent != path {
		if err := makeDirectory(fs, parent); err != nil {
			return err
		}
	}
	if err := fs.MkdirAll(path, 0o755); err != nil {
		return err
	}
	return syncDirectory(fs, parent)
}

func syncDirectory(fs vfs.FS, path string) error {
	dir, err := fs.OpenDir(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// start checks the locked directory and has Pebble open it.
func (e *Engine) start(base vfs.FS) (err error) {
	e.space = newSpace(base, e.Options)
	floors, err := readFloors(base, e.Path)
	if err != nil {
		return fmt.Errorf("open storage %s: %w", e.Path, err)
	}
	tails, err := intact(base, e.Path, floors)
	if err != nil {
		return fmt.Errorf("open storage: %w", err)
	}
	for _, tail := range tails {
		e.Logger.Warn("a write that was cut off is dropped from the end of a file, it was not acknowledged", "file", tail.path, "kept", tail.bytes)
	}
	if !e.reading {
		if err := e.makeReady(base, floors); err != nil {
			return fmt.Errorf("open storage %s: %w", e.Path, err)
		}
	}
	e.fs = &watchedFS{
		FS: vfs.OnDiskFull(base, e.space.release), dir: e.Path, failure: e.failure, floors: floors, closing: e.closing,
		synced: func(took time.Duration) { e.meters.fsyncs.Observe(took.Seconds()) },
	}
	return e.openPebble()
}

// makeReady prepares what stands beside Pebble's files.
func (e *Engine) makeReady(base vfs.FS, floors *floors) error {
	if err := dropBackups(base, e.Path); err != nil {
		return err
	}
	logs, err := sizeOfLogs(base, e.Path)
	if err != nil {
		return err
	}
	if err := e.space.prepare(logs); err != nil {
		return err
	}
	return floors.open(base, e.Path)
}

// openPebble has Pebble open the directory, in a goroutine of its own: should it give up, it never returns.
func (e *Engine) openPebble() error {
	e.heard = &listener{logger: e.Logger, failure: e.failure}
	opened := make(chan error, 1)
	go func() {
		defer func() {
			// Pebble calls impossible what a damaged log may make it read.
			if p := recover(); p != nil {
				opened <- fmt.Errorf("%w: %v", errDamaged, p)
			}
		}()
		tuning := tuned(e, e.heard)
		tuning.EnsureDefaults()
		if err := readableOptions(e.fs, e.Path, tuning); err != nil {
			opened <- err
			return
		}
		db, err := pebble.Open(e.Path, tuning)
		e.db = db
		opened <- err
	}()
	var err error
	select {
	case err = <-opened:
	case <-e.failure.done:
		return fmt.Errorf("open storage %s: %w", e.Path, e.failure.err())
	}
	if err != nil {
		return fmt.Errorf("open storage %s: %w", e.Path, e.heard.judge(err))
	}
	if err := e.revisions.load(e.db); err != nil {
		return fmt.Errorf("open storage %s: %w", e.Path, e.heard.explain(err))
	}
	return nil
}

// readAll reads everything that is stored, for what damage there is.
func (e *Engine) readAll() error {
	_, err := e.load(context.Background(), func(holdfast.Record, error) bool { return true })
	return err
}

// setAside renames a damaged directory.
func setAside(o Options, damage error) error {
	fs := o.FS
	if fs == nil {
		fs = vfs.Default
	}
	aside := o.Path + ".damaged-" + time.Now().UTC().Format("20060102T150405.000Z")
	if err := fs.Rename(o.Path, aside); err != nil {
		return fmt.Errorf("set damaged storage aside: %w", errors.Join(err, damage))
	}
	if err := syncDirectory(fs, fs.PathDir(aside)); err != nil {
		return fmt.Errorf("set damaged storage aside: %w", errors.Join(err, damage))
	}
	o.Logger.Error("STORAGE IS DAMAGED AND WAS SET ASIDE: starting empty, all that was stored is in the renamed directory",
		"path", o.Path, "aside", aside, "err", damage)
	return nil
}
