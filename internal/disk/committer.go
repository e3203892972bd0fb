package disk

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"holdfast"
)

// committer writes commits in the order in which they came: all that wait at one moment as one batch of
// Pebble, with one fsync. While that is on its way, the next ones gather. It has one goroutine, which
// stands still for ever once the storage has failed.
type committer struct {
	engine *Engine
	mu     sync.Mutex
	queue  []*writing
	woken  chan struct{} // has a token while there may be something in the queue

	// Of its goroutine:
	taken  []*writing // out of the queue, in order
	next   int        // the first of them that is not placed
	placed []*writing // in the batch that is being written
	given  []holdfast.Revision
}

// errBatch is of a batch that cannot be written.
var errBatch = errors.New("build batch")

// maxBatch is how many bytes of values one batch gathers: a few of them fit a memtable.
const maxBatch = 2 << 20

func newCommitter(e *Engine) *committer {
	return &committer{engine: e, woken: make(chan struct{}, 1)}
}

// add has a commit written in its turn.
func (c *committer) add(w *writing) {
	c.mu.Lock()
	c.queue = append(c.queue, w)
	c.mu.Unlock()
	select {
	case c.woken <- struct{}{}:
	default:
	}
}

// take moves what waits out of the queue, and reports whether there is something to be placed.
func (c *committer) take() bool {
	if c.next < len(c.taken) {
		return true
	}
	clear(c.taken)
	c.next = 0
	c.mu.Lock()
	c.taken, c.queue = c.queue, c.taken[:0]
	c.mu.Unlock()
	c.taken = slices.DeleteFunc(c.taken, func(w *writing) bool { return !w.taken.CompareAndSwap(false, true) })
	return len(c.taken) > 0
}

// run writes what is added until stop.
func (c *committer) run() {
	defer func() {
		// Pebble panics where it cannot go on.
		if p := recover(); p != nil {
			c.engine.failure.set(fmt.Errorf("commit: %v", p))
		}
	}()
	for range c.woken {
		for c.await(); c.take(); c.await() {
			c.round()
		}
	}
}

// await lets those who are about to add a commit go first, as long as that brings more: on busy
// processors a larger batch saves more time than it costs, and on idle ones nothing is waited for.
func (c *committer) await() {
	for before, waiting := -1, c.waiting(); waiting > before; {
		runtime.Gosched()
		before, waiting = waiting, c.waiting()
	}
}

// waiting returns how many commits are in the queue.
func (c *committer) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue)
}

// stop ends run. Nothing is added any more.
func (c *committer) stop() { close(c.woken) }

// round writes a batch of what was taken and answers.
func (c *committer) round() {
	e := c.engine
	batch := e.db.NewBatch()
	err := c.gather(batch)
	e.revisions.settle()
	if err != nil {
		_ = batch.Close()
		c.answer(unavailable(err))
		return
	}
	if len(c.placed) == 0 {
		_ = batch.Close()
		return
	}
	if err := batch.Commit(pebble.Sync); err != nil {
		e.failure.set(fmt.Errorf("write batch: %w", err))
		c.answer(unknown(err))
		return
	}
	e.revisions.keep(epochOf(c.given[len(c.given)-1]))
	c.answer(nil)
	_ = batch.Close()
}

// gather places commits until the batch is large enough, or the next one has to wait for what is in it.
// Those that are refused are answered.
func (c *committer) gather(batch *pebble.Batch) error {
	c.placed, c.given = c.placed[:0], c.given[:0]
	for size := 0; c.next < len(c.taken) && size <= maxBatch; c.next++ {
		w := c.taken[c.next]
		revision, err := c.engine.place(batch, w)
		switch {
		case errors.Is(err, errUnsettled):
			return nil
		case errors.Is(err, errBatch):
			c.placed, c.given = append(c.placed, w), append(c.given, 0)
			c.next++
			return err
		case err != nil:
			w.done <- outcome{err: err}
			continue
		}
		c.placed, c.given = append(c.placed, w), append(c.given, revision)
		size += len(w.values)
	}
	return nil
}

// answer tells all that were placed what became of them.
func (c *committer) answer(err error) {
	for i, w := range c.placed {
		if err != nil {
			w.done <- outcome{err: err}
			continue
		}
		w.done <- outcome{revision: c.given[i]}
	}
	clear(c.placed)
}
