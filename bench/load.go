package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// tally is what one round of one target came to.
type tally struct {
	ops       int
	bytes     int64 // of bodies that were received
	elapsed   time.Duration
	cpu       time.Duration // of the target
	latencies []time.Duration
}

func (t *tally) rate() float64 { return float64(t.ops) / t.elapsed.Seconds() }

// cpuEach is the CPU time of the target for one operation.
func (t *tally) cpuEach() time.Duration { return t.cpu / time.Duration(max(1, t.ops)) }

// at returns the latency that a part of all operations stayed below, 0 to 1.
func (t *tally) at(part float64) time.Duration {
	if len(t.latencies) == 0 {
		return 0
	}
	slices.Sort(t.latencies)
	return t.latencies[min(len(t.latencies)-1, int(part*float64(len(t.latencies))))]
}

// maxOps bounds a round whatever its duration.
const maxOps = 2_000_000

// pushLoad is a load of pushes to random keys of a target.
type pushLoad struct {
	shape    shape
	protobuf bool
	clients  int
	duration time.Duration
	inOrder  int     // above zero: push the keys below it once each, in order, and ignore duration
	rate     float64 // above zero: open loop, so many pushes a second, however long each takes
}

// run carries the load out. It fails at the first push that is not accepted.
func (l pushLoad) run(ctx context.Context, t *target) (tally, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	before, err := t.cpu()
	if err != nil {
		return tally{}, err
	}
	var (
		next    atomic.Int64
		clients sync.WaitGroup
		own     = make([]tally, l.clients)
		begun   = time.Now()
	)
	for i := range l.clients {
		clients.Go(func() {
			if err := l.client(ctx, t, &own[i], begun, &next, uint64(i)); err != nil {
				stop(err)
			}
		})
	}
	clients.Wait()
	if err := context.Cause(ctx); err != nil {
		return tally{}, fmt.Errorf("push to %s: %w", t.name, err)
	}
	total := tally{elapsed: time.Since(begun)}
	for _, o := range own {
		total.ops += o.ops
		total.latencies = append(total.latencies, o.latencies...)
	}
	after, err := t.cpu()
	total.cpu = after - before
	return total, err
}

func (l pushLoad) client(ctx context.Context, t *target, own *tally, begun time.Time, next *atomic.Int64, seed uint64) error {
	c, err := dial(ctx, t.address, 4<<10)
	if err != nil {
		return err
	}
	defer c.Close()
	request := newPushRequest(l.shape, l.protobuf, uint64(begun.UnixNano())+seed)
	for ctx.Err() == nil {
		n := int(next.Add(1)) - 1
		sent := time.Now()
		if l.over(n, sent.Sub(begun)) {
			return nil
		}
		if l.rate > 0 {
			var within bool
			if sent, within = l.awaitTurn(n, begun); !within {
				return nil
			}
		}
		aimed := request.aimAny
		if l.inOrder > 0 {
			aimed = func(int) []byte { return request.aim(n) }
		}
		r, err := c.ask(aimed(t.keys), nil)
		if err != nil {
			return err
		}
		if r.status != 200 && r.status != 202 {
			return fmt.Errorf("status %d", r.status)
		}
		own.ops++
		own.latencies = append(own.latencies, time.Since(sent))
	}
	return nil
}

// awaitTurn waits until the n-th push of an open loop is due and returns the moment from which it counts;
// false where the load is over by then.
func (l pushLoad) awaitTurn(n int, begun time.Time) (time.Time, bool) {
	due := begun.Add(time.Duration(float64(n) / l.rate * float64(time.Second)))
	wait := time.Until(due)
	if wait <= 0 {
		return due, due.Sub(begun) < l.duration // it had to wait for a free client
	}
	if due.Sub(begun) >= l.duration {
		return due, false
	}
	time.Sleep(wait)
	return time.Now(), true // that a timer fires late is no fault of the target
}

// over reports whether the n-th push is one too many.
func (l pushLoad) over(n int, since time.Duration) bool {
	if l.inOrder > 0 {
		return n >= l.inOrder
	}
	return n >= maxOps || l.rate == 0 && since >= l.duration
}

// fill stores a group under each key below count and lets later pushes fall on them.
func fill(ctx context.Context, t *target, s shape, count int, protobuf bool) error {
	t.keys = count
	_, err := pushLoad{shape: s, protobuf: protobuf, clients: 16, inOrder: count}.run(ctx, t)
	return err
}
