package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"holdfast"
	"holdfast/internal/enginetest"
)

// tmpfs mounts a file system of so many bytes and unmounts it when t ends.
func tmpfs(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprint("size=", size)); err != nil {
		t.Fatalf("a small file system cannot be mounted, which takes root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// pusher commits numbered values to one key and remembers what was acknowledged.
type pusher struct {
	key   string
	at    holdfast.Revision
	acked int
}

func (p *pusher) push(e *Engine, size int) error {
	v := value{p.acked + 1, size}
	at, err := e.Commit(context.Background(), holdfast.Commit{
		Guards:  []holdfast.Guard{{Key: p.key, At: p.at}},
		Changes: []holdfast.Change{{Key: p.key, Value: v}},
	})
	if err == nil {
		p.at, p.acked = at, p.acked+1
	}
	return err
}

func pushers(count int) []*pusher {
	all := make([]*pusher, count)
	for i := range all {
		all[i] = &pusher{key: fmt.Sprintf("key-%04d", i)}
	}
	return all
}

// compare checks that each pusher's last acknowledged value is stored.
func compare(t *testing.T, e *Engine, all []*pusher, size int) {
	t.Helper()
	stored := map[string]string{}
	for _, r := range enginetest.All(t, e) {
		stored[r.Key] = string(r.Value)
	}
	for _, p := range all {
		want, _ := value{p.acked, size}.AppendBinary(nil)
		if p.acked > 0 && stored[p.key] != string(want) {
			t.Errorf("%s: the value of acknowledged commit %d is not there", p.key, p.acked)
		}
	}
}

// On a real file system that runs full, by us and then by others, commits are refused before Pebble sees
// it, what was acknowledged can be read, and commits are accepted as soon as there is room, without a
// restart.
func TestFullDisk(t *testing.T) {
	const size = 48 << 10
	mount := tmpfs(t, 96<<20)
	logged := &lines{}
	registry := prometheus.NewRegistry()
	o := Options{Path: filepath.Join(mount, "db"), Logger: logged.logger(), Registry: registry}
	e := opened(t, o)
	all := pushers(600)
	for _, p := range all[:100] {
		if err := p.push(e, size); err != nil {
			t.Fatalf("on an empty disk: %v", err)
		}
	}
	for round := range 3 {
		blocker := filepath.Join(mount, "others")
		fillDisk(t, blocker)
		refused := 0
		var group sync.WaitGroup
		var mu sync.Mutex
		for _, p := range all {
			group.Go(func() {
				err := p.push(e, size)
				mu.Lock()
				defer mu.Unlock()
				if errors.Is(err, holdfast.ErrFull) {
					refused++
				} else if err != nil {
					t.Errorf("%s: %v", p.key, err)
				}
			})
		}
		group.Wait()
		if refused == 0 {
			t.Errorf("round %d: nothing was refused on a full disk", round)
		}
		if s := e.Status(); !errors.Is(s.Err, holdfast.ErrFull) || s.Fatal {
			t.Errorf("round %d: status on a full disk is %+v", round, s)
		}
		compare(t, e, all, size)
		if err := os.Remove(blocker); err != nil {
			t.Fatal(err)
		}
		e.space.forget()
		if s := e.Status(); s.Err != nil || s.Free < int64(e.space.memTable) || s.Held == 0 {
			t.Errorf("round %d: status after room was made: %+v", round, s)
		}
		for _, p := range all[:50] {
			if err := p.push(e, size); err != nil {
				t.Fatalf("round %d: after room was made: %v", round, err)
			}
		}
		compare(t, e, all, size)
	}
	if full, room := logged.count(t, "storage is full"), logged.count(t, "has room again"); full != 3 || room != 3 {
		t.Errorf("%d lines of a full disk and %d of room, want three each:\n%s", full, room, logged)
	}
	if got := testutil.ToFloat64(e.meters.refusals.WithLabelValues("full")); got < 3 {
		t.Errorf("%v refusals were counted", got)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	compare(t, opened(t, o), all, size)
}

// forget has the next look at the disk be taken at once.
func (s *space) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checked = s.checked.Add(-spaceInterval)
}

// fillDisk writes a file until nothing fits any more.
func fillDisk(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 1<<20); len(block) > 0; {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			block = block[:len(block)/2]
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// A start on a full disk: the ballast is given up for it; where that is not enough, it says so at once.
func TestStartOnFullDisk(t *testing.T) {
	const size = 8 << 10
	mount := tmpfs(t, 64<<20)
	o := Options{Path: filepath.Join(mount, "db"), Logger: quiet}
	e := opened(t, o)
	all := pushers(100)
	for _, p := range all {
		if err := p.push(e, size); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	fillDisk(t, filepath.Join(mount, "others"))
	e = opened(t, o)
	compare(t, e, all, size)
	fillDisk(t, filepath.Join(mount, "more"))
	e.space.forget()
	if s := e.Status(); !errors.Is(s.Err, holdfast.ErrFull) {
		t.Errorf("status on a full disk: %v", s.Err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(o.Path, ballastName)); err != nil {
		t.Fatal(err)
	}
	fillDisk(t, filepath.Join(mount, "most"))
	before := listing(t, o.Path)
	if _, err := Open(o); !errors.Is(err, holdfast.ErrFull) || !strings.Contains(err.Error(), "make room") {
		t.Errorf("open without any room: %v", err)
	}
	if after := listing(t, o.Path); before != after {
		t.Errorf("the directory was\n%s\nand is\n%s", before, after)
	}
	if err := errors.Join(os.Remove(filepath.Join(mount, "others")), os.Remove(filepath.Join(mount, "more")), os.Remove(filepath.Join(mount, "most"))); err != nil {
		t.Fatal(err)
	}
	e = opened(t, o)
	compare(t, e, all, size)
	if err := all[0].push(e, size); err != nil {
		t.Error(err)
	}
}

// The free space is looked at no more often than needed, and each turn is told once.
func TestSpaceIsBelievedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const total, much = 512 << 20, 400 << 20
		disk := vfs.NewMem()
		if err := disk.MkdirAll("/db", 0o755); err != nil {
			t.Fatal(err)
		}
		logged := &lines{}
		disk.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: much, TotalBytes: total})
		s := newSpace(disk, Options{Path: "/db", Logger: logged.logger(), MinFree: 1 << 20})
		ask := func(size int64, frees bool, wantFull bool) {
			t.Helper()
			if err := s.admit(size, frees); errors.Is(err, holdfast.ErrFull) != wantFull {
				t.Errorf("a commit of %d bytes, freeing %v: %v", size, frees, err)
			}
		}
		ask(1, false, false)
		disk.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: uint64(s.reserve()) - 1, TotalBytes: total})
		ask(1, false, false)
		s.forget()
		ask(1, false, true)
		ask(0, true, false)
		disk.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: uint64(s.reserve()) + 100, TotalBytes: total})
		ask(1, false, true)
		s.forget()
		ask(1, false, false)
		ask(51, false, true)
		disk.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 0, TotalBytes: total})
		ask(s.memTable, true, true) // so much that the last look is too old
		s.release()
		disk.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: uint64(s.reserve()+s.ballast) - 1, TotalBytes: total})
		s.forget()
		ask(0, false, true)
		disk.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: uint64(s.reserve()+s.ballast) + 1, TotalBytes: total})
		s.forget()
		ask(0, false, false)
		if full, room := logged.count(t, "is full"), logged.count(t, "room again"); full != 2 || room != 2 {
			t.Errorf("%d and %d lines, want two each:\n%s", full, room, logged)
		}
	})
}
