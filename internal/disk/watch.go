package disk

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// watchedFS is the file system as Pebble sees it. It notes how far logs are on disk, and after a failed
// fsync, or a failed write of a log, it lets nothing be changed any more: what Pebble writes then would
// stand on ground that nobody knows.
type watchedFS struct {
	vfs.FS
	dir     string // whose logs have floors
	failure *failure
	floors  *floors
	synced  func(time.Duration) // told how long each fsync of a log took
}

// Unwrap returns the file system below.
func (w *watchedFS) Unwrap() vfs.FS { return w.FS }

// watch returns f as a file of w.
func (w *watchedFS) watch(f vfs.File, name string) vfs.File {
	watched := &watchedFile{File: f, fs: w, name: name}
	if kind, number, ok := parseLog(w.PathBase(name)); ok && w.PathDir(name) == w.dir {
		watched.floor = w.floors.slot(kind, number)
	}
	return watched
}

// Create implements vfs.FS.
func (w *watchedFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := w.failure.err(); err != nil {
		return nil, err
	}
	f, err := w.FS.Create(name, category)
	if err != nil {
		return nil, err
	}
	return w.watch(f, name), nil
}

// OpenReadWrite implements vfs.FS.
func (w *watchedFS) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	if err := w.failure.err(); err != nil {
		return nil, err
	}
	f, err := w.FS.OpenReadWrite(name, category, opts...)
	if err != nil {
		return nil, err
	}
	return w.watch(f, name), nil
}

// ReuseForWrite implements vfs.FS.
func (w *watchedFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := w.failure.err(); err != nil {
		return nil, err
	}
	f, err := w.FS.ReuseForWrite(oldname, newname, category)
	if err != nil {
		return nil, err
	}
	return w.watch(f, newname), nil
}

// OpenDir implements vfs.FS.
func (w *watchedFS) OpenDir(name string) (vfs.File, error) {
	f, err := w.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &watchedFile{File: f, fs: w, name: name}, nil
}

// Link implements vfs.FS.
func (w *watchedFS) Link(oldname, newname string) error {
	return w.unless(func() error { return w.FS.Link(oldname, newname) })
}

// Remove implements vfs.FS.
func (w *watchedFS) Remove(name string) error {
	return w.unless(func() error { return w.FS.Remove(name) })
}

// RemoveAll implements vfs.FS.
func (w *watchedFS) RemoveAll(name string) error {
	return w.unless(func() error { return w.FS.RemoveAll(name) })
}

// Rename implements vfs.FS.
func (w *watchedFS) Rename(oldname, newname string) error {
	return w.unless(func() error { return w.FS.Rename(oldname, newname) })
}

// unless does a change, unless the storage has failed. The change's own error is returned as it is, since
// Pebble asks what kind it is.
func (w *watchedFS) unless(change func() error) error {
	if err := w.failure.err(); err != nil {
		return err
	}
	return change()
}

// watchedFile is a file, or a directory, that Pebble writes. One goroutine writes it at a time.
type watchedFile struct {
	vfs.File
	fs      *watchedFS
	name    string
	floor   *floor       // nil where the file is no log
	written atomic.Int64 // bytes
}

// Write implements vfs.File.
func (f *watchedFile) Write(p []byte) (int, error) {
	if err := f.fs.failure.err(); err != nil {
		return 0, err
	}
	n, err := f.File.Write(p)
	f.written.Add(int64(n))
	if err != nil && (f.floor != nil || !errors.Is(err, syscall.ENOSPC)) {
		f.fs.failure.set(fmt.Errorf("write %s: %w", f.name, err))
	}
	return n, err
}

// Sync implements vfs.File.
func (f *watchedFile) Sync() error { return f.sync(f.File.Sync) }

// SyncData implements vfs.File.
func (f *watchedFile) SyncData() error { return f.sync(f.File.SyncData) }

// SyncTo implements vfs.File.
func (f *watchedFile) SyncTo(length int64) (full bool, err error) {
	if err := f.fs.failure.err(); err != nil {
		return false, err
	}
	if full, err = f.File.SyncTo(length); err != nil {
		f.failed(err)
	}
	return full, err
}

func (f *watchedFile) sync(sync func() error) error {
	if err := f.fs.failure.err(); err != nil {
		return err
	}
	written, start := f.written.Load(), time.Now()
	if err := sync(); err != nil {
		f.failed(err)
		return err
	}
	if f.floor == nil {
		return nil
	}
	f.fs.synced(time.Since(start))
	if err := f.floor.raise(written); err != nil {
		f.fs.failure.set(fmt.Errorf("note how far %s is on disk: %w", f.name, err))
		return err
	}
	return nil
}

// failed latches a failed fsync. A table that did not fit is no failure: Pebble writes it anew, and what
// it holds is still in the log.
func (f *watchedFile) failed(err error) {
	if f.floor != nil || !errors.Is(err, syscall.ENOSPC) {
		f.fs.failure.set(fmt.Errorf("fsync %s: %w", f.name, err))
	}
}
