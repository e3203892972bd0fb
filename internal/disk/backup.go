package disk

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

const backupPrefix = "backup-"

// Backup writes all that is stored at one moment to w, as a tar stream of plain files, while commits go
// on. Unpacked into an empty directory, it can be opened. It needs little room on the disk.
func (e *Engine) Backup(ctx context.Context, w io.Writer) (err error) {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.leave()
	if e.failure.err() != nil {
		return unavailable(e.failure.err())
	}
	dir := e.fs.PathJoin(e.Path, backupPrefix+strconv.FormatInt(time.Now().UnixNano(), 36))
	defer func() {
		if e.failure.err() != nil {
			return // the next start removes it
		}
		if removed := e.fs.FS.RemoveAll(dir); removed != nil {
			err = errors.Join(err, fmt.Errorf("remove backup directory: %w", removed))
		}
	}()
	acknowledged := e.fs.floors.snapshot()
	if err := e.checkpoint(dir); err != nil {
		return fmt.Errorf("back up %s: %w", e.Path, err)
	}
	if err := e.seal(dir, acknowledged); err != nil {
		return fmt.Errorf("back up %s: %w", e.Path, err)
	}
	names, err := e.fs.List(dir)
	if err != nil {
		return fmt.Errorf("list backup: %w", err)
	}
	slices.Sort(names)
	archive := tar.NewWriter(w)
	for _, name := range names {
		if ctx.Err() != nil {
			return fmt.Errorf("back up %s: %w", e.Path, context.Cause(ctx))
		}
		if err := archiveFile(archive, e.fs, dir, name); err != nil {
			return fmt.Errorf("back up %s: %w", name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("end backup: %w", err)
	}
	return nil
}

// checkpoint has Pebble make a directory of links to its files. Should Pebble fail in it, it never returns.
func (e *Engine) checkpoint(dir string) error {
	done := make(chan error, 1)
	go func() { done <- e.db.Checkpoint(dir, pebble.WithFlushedWAL()) }()
	select {
	case err := <-done:
		return err
	case <-e.failure.done:
		return unavailable(e.failure.err())
	}
}

// seal gives a checkpoint floors of its own, so that damage to its logs is found where it is opened. What was
// acknowledged before it was made must be in it.
func (e *Engine) seal(dir string, acknowledged *floors) error {
	fs := e.fs.FS
	if _, err := intact(fs, dir, acknowledged); err != nil {
		return err
	}
	names, err := fs.List(dir)
	if err != nil {
		return fmt.Errorf("list checkpoint: %w", err)
	}
	own := newFloors()
	if err := own.open(fs, dir); err != nil {
		return err
	}
	for _, name := range names {
		kind, number, isLog := parseLog(name)
		if !isLog {
			continue
		}
		found, err := inspect(fs, fs.PathJoin(dir, name), kind, number)
		if err == nil {
			err = own.slot(kind, number).raise(found.end)
		}
		if err != nil {
			return errors.Join(err, own.close())
		}
	}
	return own.close()
}

func archiveFile(archive *tar.Writer, fs vfs.FS, dir, name string) error {
	file, err := fs.Open(fs.PathJoin(dir, name), vfs.SequentialReadsOption)
	if err != nil {
		return err
	}
	defer file.Close()
	is, err := file.Stat()
	if err != nil {
		return err
	}
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: is.Size(), Mode: 0o644, ModTime: is.ModTime()}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.CopyN(archive, file, is.Size())
	return err
}

// dropBackups removes what a backup that was cut off has left.
func dropBackups(fs vfs.FS, dir string) error {
	names, err := fs.List(dir)
	if err != nil {
		return fmt.Errorf("list directory: %w", err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, backupPrefix) {
			if err := fs.RemoveAll(fs.PathJoin(dir, name)); err != nil {
				return fmt.Errorf("remove old backup: %w", err)
			}
		}
	}
	return nil
}
