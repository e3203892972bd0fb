package disk

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// retryPause is how long Pebble is held back after a flush or a compaction that failed. It would try
// again at once, and for ever.
const retryPause = 100 * time.Millisecond

// listener hears what Pebble tells.
type listener struct {
	logger  *slog.Logger
	failure *failure

	mu      sync.Mutex
	damaged string // path of the file that was found damaged last
	last    string // the background error that was logged last
}

// Infof implements pebble.Logger: what Pebble does in good order is not told.
func (l *listener) Infof(string, ...any) {}

// Errorf implements pebble.Logger.
func (l *listener) Errorf(format string, args ...any) {
	l.logger.Debug("storage reports", "err", fmt.Sprintf(format, args...))
}

// Fatalf implements pebble.Logger. It must not return: Pebble would go on as if nothing were wrong. The
// program goes on, since what is in memory can still be scraped.
func (l *listener) Fatalf(format string, args ...any) {
	l.failure.set(fmt.Errorf(format, args...))
	select {}
}

// events returns what Pebble is to call.
func (l *listener) events() *pebble.EventListener {
	return &pebble.EventListener{BackgroundError: l.background, DataCorruption: l.corruption}
}

// background slows Pebble down, and stops it once the storage has failed. Each error is logged once.
func (l *listener) background(err error) {
	if l.failure.err() != nil {
		select {}
	}
	l.mu.Lock()
	said := l.last == err.Error()
	l.last = err.Error()
	l.mu.Unlock()
	if !said {
		l.logger.Error("storage could not rewrite its files, it tries again", "err", err)
	}
	pause := time.NewTimer(retryPause)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-l.failure.done:
	}
}

func (l *listener) corruption(info pebble.DataCorruptionInfo) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.damaged = info.Path
}

// explain adds the name of the damaged file to an error of reading, where it is one of damage.
func (l *listener) explain(err error) error {
	l.mu.Lock()
	path := l.damaged
	l.mu.Unlock()
	switch {
	case !pebble.IsCorruptionError(err):
		return err
	case path == "" || strings.Contains(err.Error(), path):
		return fmt.Errorf("%w: %w", errDamaged, err)
	default:
		return fmt.Errorf("%w file %s: %w", errDamaged, path, err)
	}
}

// judge tells damage from other errors of opening. Pebble marks only some of it as such: of what is left,
// the system's own errors are no damage, but for a file that is missing.
func (l *listener) judge(err error) error {
	var system syscall.Errno
	switch {
	case errors.Is(err, errDamaged):
		return err
	case pebble.IsCorruptionError(err):
		return l.explain(err)
	case errors.As(err, &system) && system != syscall.ENOENT:
		return err
	}
	return fmt.Errorf("%w: %w", errDamaged, err)
}
