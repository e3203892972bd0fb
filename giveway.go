package holdfast

import (
	"io"
	"sync/atomic"
	"time"
)

// giveWay lets pushes, which need a processor for a moment, go before scrapes, which keep one busy for
// milliseconds. Without it a push waits until the system takes the processor away from a scrape, however short
// the pieces are in which the scrape is written.
type giveWay struct {
	pushed atomic.Int64 // Unix nanoseconds of the latest push
	yield  func()       // lets threads that wait for this one's processor run first
}

// expectTime is how long after a push another one is expected. Where none is, scrapes do not give way: to do so
// takes them longer, above all where their client runs on the same machine.
const expectTime = time.Second

// note is told of each push.
func (w *giveWay) note(now time.Time) { w.pushed.Store(now.UnixNano()) }

// step is called by a scrape after each piece that it writes.
func (w *giveWay) step() {
	if time.Since(time.Unix(0, w.pushed.Load())) < expectTime {
		w.yield()
	}
}

// courteous steps after each write.
type courteous struct {
	io.Writer
	way *giveWay
}

func (c courteous) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	c.way.step()
	return n, err
}
