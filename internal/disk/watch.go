package disk

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// watchedFS is the file system as Pebble sees it. It notes how far logs are on disk. Where an fsync fails,
// or another change that must not, it sets the failure and does not return: whatever Pebble does next
// would stand on ground that nobody knows, and some errors of a log end the whole program. So everything
// that may change a file is called by goroutines that may stand still for ever. A log that finds no room
// waits for it.
type watchedFS struct {
	vfs.FS
	dir     string // whose logs have floors
	failure *failure
	floors  *floors
	closing <-chan struct{}     // ends the wait for room
	ending  atomic.Bool         // Pebble is closing: it takes any error, and nobody waits for an answer
	synced  func(time.Duration) // told how long each fsync of a log took
}

// Unwrap returns the file system below.
func (w *watchedFS) Unwrap() vfs.FS { return w.FS }

// Lock implements vfs.FS: the engine has locked the directory already.
func (w *watchedFS) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

// Create implements vfs.FS.
func (w *watchedFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return w.open(name, func() (vfs.File, error) { return w.FS.Create(name, category) })
}

// OpenReadWrite implements vfs.FS.
func (w *watchedFS) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return w.open(name, func() (vfs.File, error) { return w.FS.OpenReadWrite(name, category, opts...) })
}

// ReuseForWrite implements vfs.FS.
func (w *watchedFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return w.open(newname, func() (vfs.File, error) { return w.FS.ReuseForWrite(oldname, newname, category) })
}

// OpenDir implements vfs.FS.
func (w *watchedFS) OpenDir(name string) (vfs.File, error) {
	f, err := w.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &watchedFile{File: f, fs: w, name: name}, nil
}

// open opens a file for writing.
func (w *watchedFS) open(name string, open func() (vfs.File, error)) (f vfs.File, err error) {
	kind, number, isLog := parseLog(w.PathBase(name))
	err = w.change(name, isLog, func() error {
		f, err = open()
		return err
	})
	if err != nil {
		return nil, err
	}
	watched := &watchedFile{File: f, fs: w, name: name, isLog: isLog}
	if isLog && w.PathDir(name) == w.dir {
		watched.floor = w.floors.slot(kind, number)
	}
	return watched, nil
}

// Link implements vfs.FS.
func (w *watchedFS) Link(oldname, newname string) error {
	w.proceed()
	return w.FS.Link(oldname, newname)
}

// Remove implements vfs.FS.
func (w *watchedFS) Remove(name string) error {
	w.proceed()
	return w.FS.Remove(name)
}

// RemoveAll implements vfs.FS.
func (w *watchedFS) RemoveAll(name string) error {
	w.proceed()
	return w.FS.RemoveAll(name)
}

// Rename implements vfs.FS.
func (w *watchedFS) Rename(oldname, newname string) error {
	w.proceed()
	return w.FS.Rename(oldname, newname)
}

// proceed returns only while the storage has not failed.
func (w *watchedFS) proceed() {
	if w.failure.err() != nil {
		select {}
	}
}

// fail sets the failure and does not return.
func (w *watchedFS) fail(doing, name string, err error) {
	w.failure.set(fmt.Errorf("%s %s: %w", doing, name, err))
	w.proceed()
}

// change changes a file. An error that may pass is returned, for Pebble tries again later; but a log tries
// again here, for Pebble would not.
func (w *watchedFS) change(name string, isLog bool, change func() error) error {
	w.proceed()
	err := change()
	for isLog && passing(err) && !w.ending.Load() {
		pause := time.NewTimer(spaceInterval)
		select {
		case <-pause.C:
			err = change()
		case <-w.closing:
			w.fail("write", name, err)
		}
		w.proceed()
	}
	if err != nil && !passing(err) {
		w.fail("write", name, err)
	}
	return err
}

// passing reports whether an error is of something that there may be more of later.
func passing(err error) bool {
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// watchedFile is a file, or a directory, that Pebble writes. One goroutine writes it at a time.
type watchedFile struct {
	vfs.File
	fs      *watchedFS
	name    string
	isLog   bool
	floor   *floor       // nil where none is kept
	written atomic.Int64 // bytes
}

// Write implements vfs.File.
func (f *watchedFile) Write(p []byte) (written int, err error) {
	err = f.fs.change(f.name, f.isLog, func() error {
		n, err := f.File.Write(p[written:])
		written += n
		return err
	})
	f.written.Add(int64(written))
	return written, err
}

// Sync implements vfs.File.
func (f *watchedFile) Sync() error { return f.sync(f.File.Sync) }

// SyncData implements vfs.File.
func (f *watchedFile) SyncData() error { return f.sync(f.File.SyncData) }

// SyncTo implements vfs.File.
func (f *watchedFile) SyncTo(length int64) (full bool, err error) {
	f.fs.proceed()
	full, err = f.File.SyncTo(length)
	return full, f.judge(err)
}

func (f *watchedFile) sync(sync func() error) error {
	f.fs.proceed()
	written, start := f.written.Load(), time.Now()
	if err := f.judge(sync()); err != nil || !f.isLog {
		return err
	}
	f.fs.synced(time.Since(start))
	if f.floor == nil {
		return nil
	}
	if err := f.floor.raise(written); err != nil {
		f.fs.fail("note how far there is on disk of", f.name, err)
	}
	return nil
}

// judge does not return from a failed fsync, but of a table that did not fit: Pebble writes it anew, and
// what it holds is still in the log.
func (f *watchedFile) judge(err error) error {
	if err != nil && (f.isLog || !passing(err)) {
		f.fs.fail("fsync", f.name, err)
	}
	return err
}
