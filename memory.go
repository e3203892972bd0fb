package holdfast

import (
	"context"
	"iter"
	"sync"
)

// Memory is the engine that keeps nothing: a restart starts empty.
type Memory struct {
	mu       sync.Mutex
	at       map[string]Revision // of the guarded records
	revision Revision
	closed   bool
}

// NewMemory makes an engine that keeps nothing but the revisions of guarded records.
func NewMemory() *Memory { return &Memory{at: map[string]Revision{}} }

// Commit implements Engine. Its only errors are ErrConflict and, once closed, ErrUnavailable.
func (m *Memory) Commit(_ context.Context, c Commit) (Revision, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return 0, ErrUnavailable
	}
	for _, g := range c.Guards {
		if m.at[g.Key] != g.At {
			return 0, ErrConflict
		}
	}
	m.revision++
	if c.Wipe {
		clear(m.at)
	}
	guarded := make(map[string]bool, len(c.Guards))
	for _, g := range c.Guards {
		guarded[g.Key] = true
	}
	for _, ch := range c.Changes {
		switch {
		case !guarded[ch.Key]:
		case ch.Value == nil:
			delete(m.at, ch.Key)
		default:
			m.at[ch.Key] = m.revision
		}
	}
	return m.revision, nil
}

// Follow implements Engine: there is nothing to load and nobody else commits.
func (m *Memory) Follow(ctx context.Context) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if yield(Record{}, nil) {
			<-ctx.Done()
		}
	}
}

// Status implements Engine.
func (m *Memory) Status() EngineStatus {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return EngineStatus{Err: ErrUnavailable, Fatal: true}
	}
	return EngineStatus{}
}

// Close implements Engine.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}
