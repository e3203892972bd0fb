package disk

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
)

// failure is set once, by what only a restart heals: after a failed fsync nobody knows what is on disk.
type failure struct {
	logger *slog.Logger
	once   sync.Once
	cause  atomic.Pointer[error]
	done   chan struct{} // closed when it is set
}

func newFailure(logger *slog.Logger) *failure {
	return &failure{logger: logger, done: make(chan struct{})}
}

// set records the first cause, and logs it.
func (f *failure) set(cause error) {
	f.once.Do(func() {
		cause = fmt.Errorf("storage failed, only a restart heals it: %w", cause)
		f.cause.Store(&cause)
		// Who is told of the failure finds it in the log.
		f.logger.Error("storage failed: nothing more is accepted until a restart", "err", cause)
		close(f.done)
	})
}

// err returns the cause, nil while there is none.
func (f *failure) err() error {
	if cause := f.cause.Load(); cause != nil {
		return *cause
	}
	return nil
}
