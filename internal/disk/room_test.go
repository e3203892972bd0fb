package disk

import (
	"errors"
	"sync"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast"
)

// crowded is a disk on which logs find no room until there is some.
type crowded struct {
	mu    sync.Mutex
	full  bool
	tried chan struct{} // closed by the first write that found no room
}

func (c *crowded) ask(op, path string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, _, isLog := parseLog(vfs.Default.PathBase(path)); !c.full || !isLog || op != opWrite {
		return nil
	}
	select {
	case <-c.tried:
	default:
		close(c.tried)
	}
	return syscall.ENOSPC
}

func (c *crowded) set(full bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.full = full
}

// pushing starts a commit to an engine whose log finds no room, and returns when it has found out.
func pushing(t *testing.T) (*Engine, *crowded, *pusher, <-chan error, Options) {
	t.Helper()
	disk := vfs.NewMem()
	disk.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30, TotalBytes: 32 << 20})
	c := &crowded{tried: make(chan struct{})}
	o := Options{Path: "/db", FS: &hooked{disk, c.ask}, Logger: quiet}
	e := opened(t, o)
	p := pushers(1)[0]
	for range 3 {
		if err := p.push(e, 100); err != nil {
			t.Fatal(err)
		}
	}
	c.set(true)
	answer := make(chan error, 1)
	go func() { answer <- p.push(e, 100) }()
	<-c.tried
	return e, c, p, answer, o
}

// A disk that runs full so suddenly that the guard has not seen it: the commit on its way waits for room,
// and is kept.
func TestLogWaitsForRoom(t *testing.T) {
	e, c, p, answer, o := pushing(t)
	select {
	case err := <-answer:
		t.Fatalf("the commit was answered without room: %v", err)
	default:
	}
	c.set(false)
	if err := <-answer; err != nil {
		t.Errorf("the commit, once there was room: %v", err)
	}
	e.space.forget()
	if s := e.Status(); s.Err != nil {
		t.Errorf("status: %v", s.Err)
	}
	if err := p.push(e, 100); err != nil {
		t.Error(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	compare(t, opened(t, o), []*pusher{p}, 100)
}

// A stop does not wait for room: what was on its way is unknown, and what was acknowledged is there.
func TestCloseDoesNotWaitForRoom(t *testing.T) {
	e, c, p, answer, o := pushing(t)
	if err := e.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-answer; !errors.Is(err, holdfast.ErrUnknown) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("the commit on its way: %v", err)
	}
	c.set(false)
	compareAtLeast(t, opened(t, o), []*pusher{p})
}
