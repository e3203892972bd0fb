package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast"
	"holdfast/internal/enginetest"
)

// faults fails as fail says, while it is on.
func faults(disk vfs.FS, on *atomic.Bool, fail func(op, path string) error) vfs.FS {
	return &hooked{disk, func(op, path string) error {
		if on.Load() {
			return fail(op, path)
		}
		return nil
	}}
}

// After an fsync has failed, be it of a log, a table or a manifest, nothing more is accepted and nothing
// more is written, though the disk has healed; what is stored can be read; a restart has all that was
// acknowledged.
func TestFailedFsync(t *testing.T) {
	for _, part := range []string{".log", ".sst", "MANIFEST"} {
		t.Run(part, func(t *testing.T) {
			const size = 10 << 10
			disk := vfs.NewMem()
			disk.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30, TotalBytes: 32 << 20})
			var on atomic.Bool
			logged := &lines{}
			o := Options{Path: "/db", FS: faults(disk, &on, failing(opSync, part, syscall.EIO)), Logger: logged.logger()}
			e := opened(t, o)
			all := pushers(32)
			failAll(t, e, all, &on, size)
			on.Store(false)
			if s := e.Status(); !errors.Is(s.Err, holdfast.ErrUnavailable) || !errors.Is(s.Err, syscall.EIO) || !s.Fatal {
				t.Errorf("status: %+v", s)
			}
			before := disk.String()
			if _, err := e.Commit(context.Background(), holdfast.Commit{Wipe: true}); !errors.Is(err, holdfast.ErrUnavailable) {
				t.Errorf("commit after a failed fsync: %v", err)
			}
			if err := e.Backup(context.Background(), &strings.Builder{}); !errors.Is(err, holdfast.ErrUnavailable) {
				t.Errorf("backup after a failed fsync: %v", err)
			}
			compareAtLeast(t, e, all)
			if err := e.Close(); err != nil {
				t.Error(err)
			}
			if after := disk.String(); before != after {
				t.Errorf("something was written after the failure")
			}
			if got := logged.count(t, "storage failed"); got != 1 {
				t.Errorf("%d lines tell of the failure, want one:\n%s", got, logged)
			}
			compareAtLeast(t, opened(t, o), all)
		})
	}
}

// failAll has many commit until the storage has failed for each, and fails it on the way.
func failAll(t *testing.T, e *Engine, all []*pusher, on *atomic.Bool, size int) {
	t.Helper()
	var group sync.WaitGroup
	for i, p := range all {
		group.Go(func() {
			for n := range 2000 {
				if i == 0 && n == 5 {
					on.Store(true)
				}
				err := p.push(e, size)
				switch {
				case errors.Is(err, holdfast.ErrUnknown), errors.Is(err, holdfast.ErrUnavailable):
					return
				case err != nil:
					t.Errorf("%s: %v", p.key, err)
					return
				}
			}
			t.Errorf("%s: the storage never failed", p.key)
		})
	}
	group.Wait()
}

// compareAtLeast checks that each pusher's record is of its last acknowledged commit, or the one whose
// outcome it never learned.
func compareAtLeast(t *testing.T, e *Engine, all []*pusher) {
	t.Helper()
	stored := map[string]string{}
	for _, r := range enginetest.All(t, e) {
		stored[r.Key] = string(r.Value)
	}
	for _, p := range all {
		n := 0
		if stored[p.key] != "" {
			if _, err := fmt.Sscanf(stored[p.key][:8], "%d", &n); err != nil {
				t.Fatal(err)
			}
		}
		if n != p.acked && n != p.acked+1 {
			t.Errorf("%s: stored is commit %d, acknowledged were %d", p.key, n, p.acked)
		}
	}
}

// A disk that fails while opening: an error, not a program that stands still.
func TestFailedOpen(t *testing.T) {
	for part, op := range map[string]string{
		".log": opCreate, "MANIFEST": opSync, "MANIFEST-": opCreate, "OPTIONS": opCreate, floorsName: opSync, "marker": opCreate, "/db": opSync,
	} {
		disk := vfs.NewMem()
		var on atomic.Bool
		on.Store(true)
		if part == "OPTIONS" {
			part = ".dbtmp" // which becomes the file of options
		}
		o := Options{Path: "/db", FS: faults(disk, &on, failing(op, part, syscall.EIO)), Logger: quiet}
		if _, err := Open(o); !errors.Is(err, syscall.EIO) || errors.Is(err, errDamaged) {
			t.Errorf("%s: open says %v", part, err)
		}
		on.Store(false)
		e := opened(t, o)
		if err := pushers(1)[0].push(e, 10); err != nil {
			t.Errorf("%s: commit after a second start: %v", part, err)
		}
	}
}

// lockedBy is set for the test binary that TestSecondInstance runs.
const lockedBy = "HOLDFAST_TEST_LOCKED"

// Another program has the directory: the error says so, and nothing in it changes.
func TestSecondInstance(t *testing.T) {
	if dir := os.Getenv(lockedBy); dir != "" {
		_, err := Open(Options{Path: dir, Logger: quiet})
		fmt.Println(err)
		return
	}
	dir := t.TempDir()
	e := opened(t, Options{Path: dir})
	p := pushers(1)[0]
	if err := p.push(e, 10); err != nil {
		t.Fatal(err)
	}
	before := listing(t, dir)
	if _, err := Open(Options{Path: dir, Logger: quiet}); err == nil || !strings.Contains(err.Error(), "another holdfast seems to run") {
		t.Errorf("the same program opens it again: %v", err)
	}
	other := exec.Command(os.Args[0], "-test.run=^TestSecondInstance$")
	other.Env = append(os.Environ(), lockedBy+"="+dir)
	said, err := other.CombinedOutput()
	if err != nil || !strings.Contains(string(said), dir) || !strings.Contains(string(said), "another holdfast seems to run") {
		t.Errorf("another program says %q, %v", said, err)
	}
	if after := listing(t, dir); before != after {
		t.Errorf("the directory was\n%s\nand is\n%s", before, after)
	}
	if err := p.push(e, 10); err != nil {
		t.Errorf("the first instance cannot go on: %v", err)
	}
}

// listing tells names and sizes.
func listing(t *testing.T, dir string) string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range files {
		info, err := f.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue // the engine has removed it meanwhile
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&text, f.Name(), info.Size())
	}
	return text.String()
}

// A directory that cannot be one, or not be written: the error tells what to do. Root may write where the
// mode forbids it, so a read-only mount and a file in the place stand for it.
func TestUnwritableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	mount := tmpfs(t, 1<<20)
	if err := os.Mkdir(filepath.Join(mount, "db"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", mount, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatalf("a file system cannot be made read-only, which takes root: %v", err)
	}
	for _, path := range []string{file, filepath.Join(file, "below"), filepath.Join(mount, "db"), filepath.Join(mount, "new")} {
		for _, aside := range []bool{false, true} {
			_, err := Open(Options{Path: path, SetAside: aside, Logger: quiet})
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), writableHint) {
				t.Errorf("open %s: %v", path, err)
			}
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "text" {
		t.Errorf("the file in the place is now %q, %v", text, err)
	}
}
