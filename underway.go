package holdfast

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// errCut ends a scrape that held memory for a client that did not read.
var errCut = errors.New("scrape was cut, since its client reads nothing and others wait")

// A scrape that has waited for its client for stallTime stalls. A new one leaves at most maxStalled of
// them, so that clients that do not read pin no more snapshots than that.
const (
	stallTime  = 5 * time.Second
	maxStalled = 4
)

// underway is a scrape that is being written.
type underway struct {
	io.Writer
	cut   func()       // makes a write that waits fail
	since atomic.Int64 // Unix nanoseconds since when a write waits; 0: none does
	gone  atomic.Bool  // it was cut
}

// Write notes how long the client takes.
func (u *underway) Write(b []byte) (int, error) {
	if u.gone.Load() {
		return 0, errCut
	}
	u.since.Store(time.Now().UnixNano())
	n, err := u.Writer.Write(b)
	u.since.Store(0)
	if u.gone.Load() {
		return n, errCut
	}
	return n, err
}

func (u *underway) stalls(now time.Time) bool {
	since := u.since.Load()
	return since != 0 && now.Sub(time.Unix(0, since)) >= stallTime
}

// scrapes are those that are under way, the oldest first.
type scrapes struct {
	mu  sync.Mutex
	all []*underway
}

// begin adds a scrape. If too many stall, the oldest of those are cut.
func (s *scrapes) begin(u *underway) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	var stalled []*underway
	for _, other := range s.all {
		if other.stalls(now) && !other.gone.Load() {
			stalled = append(stalled, other)
		}
	}
	for _, oldest := range stalled[:max(0, len(stalled)-maxStalled+1)] {
		oldest.gone.Store(true)
		if oldest.cut != nil {
			oldest.cut()
		}
	}
	s.all = append(s.all, u)
}

func (s *scrapes) end(u *underway) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = slices.DeleteFunc(s.all, func(other *underway) bool { return other == u })
}

// rooms are buffers in which small writes of a scrape gather: as much is sent at once as makes a call into
// the system cheap beside it.
var rooms = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 64<<10) }}
