package disk

import (
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// hooked is a file system that asks before it creates, writes or syncs a file, or syncs a directory, and
// fails with what it is told. Pebble's errorfs does not ask for logs that are used again.
type hooked struct {
	vfs.FS
	ask func(op, path string) error
}

const (
	opCreate = "create"
	opWrite  = "write"
	opSync   = "sync"
)

// failing returns an error for one operation on files whose path contains part.
func failing(op, part string, err error) func(string, string) error {
	return func(is, path string) error {
		if is == op && strings.Contains(path, part) {
			return err
		}
		return nil
	}
}

func (h *hooked) wrap(f vfs.File, err error, path string) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &hookedFile{f, h, path}, nil
}

func (h *hooked) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := h.ask(opCreate, name); err != nil {
		return nil, err
	}
	f, err := h.FS.Create(name, c)
	return h.wrap(f, err, name)
}

func (h *hooked) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := h.FS.OpenReadWrite(name, c, opts...)
	return h.wrap(f, err, name)
}

// ReuseForWrite does in two steps what MemFS does under a lock that it takes twice: a CrashClone that comes
// between them would stand still with it for ever.
func (h *hooked) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := h.FS.Rename(oldname, newname); err != nil {
		return nil, err
	}
	f, err := h.FS.OpenReadWrite(newname, c)
	return h.wrap(f, err, newname)
}

func (h *hooked) OpenDir(name string) (vfs.File, error) {
	f, err := h.FS.OpenDir(name)
	return h.wrap(f, err, name)
}

type hookedFile struct {
	vfs.File
	fs   *hooked
	path string
}

func (f *hookedFile) Write(p []byte) (int, error) {
	if err := f.fs.ask(opWrite, f.path); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func (f *hookedFile) Sync() error {
	if err := f.fs.ask(opSync, f.path); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *hookedFile) SyncData() error {
	if err := f.fs.ask(opSync, f.path); err != nil {
		return err
	}
	return f.File.SyncData()
}
