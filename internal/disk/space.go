package disk

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast"
)

const (
	ballastName   = "BALLAST"
	ballastMax    = 64 << 20 // bytes
	ballastShare  = 8        // of a disk, at most one part in so many
	memTableMax   = 16 << 20 // bytes
	memTableMin   = 1 << 20
	memTableShare = 32 // as ballastShare
	memTablesFree = 3  // sizes of a memtable to keep free: two tables being flushed and a new log
	// spaceInterval is how long the free space of a moment is believed.
	spaceInterval = 200 * time.Millisecond
)

// space refuses commits before the disk is full, for Pebble does not survive a full disk. For what it
// does not see coming, there is a ballast: a file that is given up when Pebble finds no room, and made
// anew when there is.
type space struct {
	fs      vfs.FS // not watched: a ballast that cannot be written is no failure
	dir     string
	logger  *slog.Logger
	minFree int64
	now     func() time.Time

	memTable int64 // bytes, fitting the disk
	ballast  int64 // bytes, the same; 0 where the file system does not tell its size

	mu       sync.Mutex
	held     bool      // the ballast is there
	checked  time.Time // when free was looked at
	free     int64     // bytes then
	admitted int64     // bytes of commits since
	refusing error     // the last answer
}

// newSpace fits the sizes to the disk.
func newSpace(fs vfs.FS, o Options) *space {
	s := &space{fs: fs, dir: o.Path, logger: o.Logger, minFree: o.MinFree, now: time.Now, memTable: memTableMax}
	usage, err := fs.GetDiskUsage(o.Path)
	if err != nil || usage.TotalBytes == 0 {
		return s
	}
	s.memTable = min(memTableMax, max(memTableMin, int64(usage.TotalBytes)/memTableShare))
	s.ballast = min(ballastMax, int64(usage.TotalBytes)/ballastShare)
	return s
}

func (s *space) ballastPath() string { return s.fs.PathJoin(s.dir, ballastName) }

// reserve is what has to be free, in bytes, besides the ballast.
func (s *space) reserve() int64 { return s.minFree + memTablesFree*s.memTable }

// prepare makes room for opening, which has to write what the logs hold into tables.
func (s *space) prepare(logs int64) error {
	if s.ballast == 0 {
		return nil
	}
	if err := s.drop(); err != nil {
		return err
	}
	usage, err := s.fs.GetDiskUsage(s.dir)
	if err != nil {
		return fmt.Errorf("look at free space: %w", err)
	}
	if need := logs + s.memTable; int64(usage.AvailBytes) < need {
		return fmt.Errorf("%w: opening %s needs %d bytes of free disk, there are %d: make room on this disk",
			holdfast.ErrFull, s.dir, need, usage.AvailBytes)
	}
	return nil
}

// begin looks at the disk for the first time.
func (s *space) begin() {
	if s.ballast == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checked = s.now()
	s.look()
}

// admit returns nil where there is room for a commit of so many bytes, else ErrFull. What frees, such as
// a wipe, is given some of the reserve.
func (s *space) admit(size int64, frees bool) error {
	if s.ballast == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.admitted += size
	if now := s.now(); now.Sub(s.checked) >= spaceInterval || s.admitted > s.memTable/2 {
		s.checked, s.admitted = now, size
		s.look()
	}
	need := s.reserve() + 2*size
	if !s.held {
		need += s.ballast
	}
	if frees {
		need /= 2
	}
	if s.free < need {
		return fmt.Errorf("%w: %d bytes are free on the disk of %s, %d have to be", holdfast.ErrFull, s.free, s.dir, need)
	}
	return nil
}

// look reads the free space, makes the ballast anew where there is room for it, and logs a change.
func (s *space) look() {
	usage, err := s.fs.GetDiskUsage(s.dir)
	if err != nil {
		s.logger.Warn("free disk space cannot be read", "path", s.dir, "err", err)
		return
	}
	s.free = int64(usage.AvailBytes)
	if !s.held && s.free >= s.reserve()+s.ballast {
		if err := s.fill(); err != nil {
			s.logger.Warn("ballast file cannot be made", "path", s.ballastPath(), "err", err)
		} else {
			s.held = true
			s.free -= s.ballast
		}
	}
	s.turn()
}

// turn logs when the disk becomes full, and when it no longer is.
func (s *space) turn() {
	full := s.free < s.reserve() || !s.held
	switch {
	case full && s.refusing == nil:
		s.refusing = holdfast.ErrFull
		s.logger.Warn("storage is full: nothing is accepted until there is room", "path", s.dir, "free", s.free, "needed", s.reserve())
	case !full && s.refusing != nil:
		s.refusing = nil
		s.logger.Info("storage has room again", "path", s.dir, "free", s.free)
	}
}

// release gives the ballast up. Pebble's file system calls it when it has found no room.
func (s *space) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.drop(); err != nil {
		s.logger.Warn("ballast file cannot be removed", "path", s.ballastPath(), "err", err)
	}
	s.checked = s.now()
	s.free = 0
	s.turn()
}

// full reports whether commits were refused when last looked at.
func (s *space) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refusing != nil
}

// left returns the free bytes of the last look.
func (s *space) left() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.free
}

func (s *space) drop() error {
	s.held = false
	if err := s.fs.Remove(s.ballastPath()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove ballast: %w", err)
	}
	return nil
}

// fill makes the ballast. Where the file system cannot set space aside, it is written.
func (s *space) fill() (err error) {
	file, err := s.fs.Create(s.ballastPath(), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			_ = s.fs.Remove(s.ballastPath())
		}
	}()
	if err := file.Preallocate(0, s.ballast); err == nil {
		return nil
	}
	block := make([]byte, 1<<20)
	for left := s.ballast; left > 0; left -= int64(len(block)) {
		if _, err := file.Write(block[:min(left, int64(len(block)))]); err != nil {
			return err
		}
	}
	return file.Sync()
}
