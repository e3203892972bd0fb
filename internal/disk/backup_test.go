package disk

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"holdfast"
	"holdfast/internal/enginetest"
)

// unpack restores a backup, as tar would.
func unpack(t *testing.T, backup io.Reader) string {
	t.Helper()
	dir := t.TempDir()
	archive := tar.NewReader(backup)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, header.Name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Backups are made while commits go on. Each holds all that was acknowledged before it began, every
// commit whole, and a guard that held then holds in it.
func TestBackup(t *testing.T) {
	e := opened(t, Options{Path: t.TempDir()})
	p := pushers(1)[0]
	both := func(n int) holdfast.Commit {
		v := value{n, 5000}
		return holdfast.Commit{Changes: []holdfast.Change{{Key: "one", Value: v}, {Key: "two", Value: v}}}
	}
	stop := make(chan struct{})
	var commits sync.WaitGroup
	commits.Go(func() {
		for n := 1; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := e.Commit(context.Background(), both(n)); err != nil {
				t.Errorf("commit %d: %v", n, err)
				return
			}
		}
	})
	for range 5 {
		for range 20 {
			if err := p.push(e, 500); err != nil {
				t.Fatal(err)
			}
		}
		var backup bytes.Buffer
		if err := e.Backup(t.Context(), &backup); err != nil {
			t.Fatal(err)
		}
		restored := opened(t, Options{Path: unpack(t, &backup)})
		values := map[string]string{}
		for _, r := range enginetest.All(t, restored) {
			values[r.Key] = string(r.Value)
		}
		if values["one"] != values["two"] {
			t.Error("a commit is in the backup by half")
		}
		compare(t, restored, []*pusher{p}, 500)
		again := *p
		if err := again.push(restored, 500); err != nil {
			t.Errorf("commit to the restored engine: %v", err)
		}
	}
	close(stop)
	commits.Wait()
	if left := listing(t, e.Path); strings.Contains(left, backupPrefix) {
		t.Errorf("backups left something:\n%s", left)
	}
}

// A backup whose reader goes away ends with its error, and one that a crash cut off is removed.
func TestBackupCutOff(t *testing.T) {
	o := Options{Path: t.TempDir()}
	e := opened(t, o)
	if err := pushers(1)[0].push(e, 500); err != nil {
		t.Fatal(err)
	}
	gone := errors.New("the reader is gone")
	reader, writer := io.Pipe()
	if err := reader.CloseWithError(gone); err != nil {
		t.Fatal(err)
	}
	if err := e.Backup(t.Context(), writer); !errors.Is(err, gone) {
		t.Errorf("backup to nobody: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Backup(ctx, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled backup: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.Backup(t.Context(), io.Discard); !errors.Is(err, holdfast.ErrUnavailable) {
		t.Errorf("backup of a closed engine: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(o.Path, backupPrefix+"old"), 0o755); err != nil {
		t.Fatal(err)
	}
	e = opened(t, o)
	if left := listing(t, e.Path); strings.Contains(left, backupPrefix) {
		t.Errorf("an old backup is still there:\n%s", left)
	}
}

// What is opened to be read only refuses commits and changes no file, be it closed in good order or not.
func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenReadOnly(filepath.Join(dir, "none"), quiet); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("open what is not there: %v", err)
	}
	e := opened(t, Options{Path: dir})
	all := pushers(20)
	for _, p := range all {
		if err := p.push(e, 500); err != nil {
			t.Fatal(err)
		}
	}
	var stopped string // a copy from the midst of things
	for round := range 2 {
		path := dir
		if round == 0 {
			stopped = copyDirectory(t, dir)
			path = stopped
		} else if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		before := listing(t, path)
		reader, err := OpenReadOnly(path, quiet)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, reader, all, 500)
		if err := all[0].push(reader, 500); !errors.Is(err, holdfast.ErrUnavailable) {
			t.Errorf("commit: %v", err)
		}
		if s := reader.Status(); s.Err == nil {
			t.Error("it says that it takes commits")
		}
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
		if after := listing(t, path); before != after {
			t.Errorf("round %d: the directory was\n%s\nand is\n%s", round, before, after)
		}
	}
}

func copyDirectory(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(filepath.Join(to, "copy"), os.DirFS(from)); err != nil {
		t.Fatal(fmt.Errorf("copy %s: %w", from, err))
	}
	return filepath.Join(to, "copy")
}
