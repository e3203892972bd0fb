package holdfast

import (
	"container/heap"
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// schedule lists the groups that change by themselves, by when they do so next: they expire, or become
// overdue. One heap and one goroutine serve all of them.
type schedule struct {
	mu    sync.Mutex
	order appointments
	at    map[Key]*appointment
	woken chan struct{} // has a token when the first appointment has changed
}

// appointment is when a group changes next.
type appointment struct {
	key   Key
	time  int64 // Unix nanoseconds
	place int   // in the heap
}

func (s *schedule) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.order, s.at = nil, map[Key]*appointment{}
	if s.woken == nil {
		s.woken = make(chan struct{}, 1)
	}
}

// note follows a change that was installed.
func (s *schedule) note(c *claim) {
	if c.before.due() == 0 && c.after.due() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(c.key, c.after.due())
	if len(s.order) > 0 && s.order[0].key == c.key {
		select {
		case s.woken <- struct{}{}:
		default:
		}
	}
}

// set makes, moves or, where time is 0, drops the appointment of a key. mu is held.
func (s *schedule) set(key Key, time int64) {
	a := s.at[key]
	switch {
	case a == nil && time != 0:
		a = &appointment{key: key, time: time}
		s.at[key] = a
		heap.Push(&s.order, a)
	case a != nil && time != 0:
		a.time = time
		heap.Fix(&s.order, a.place)
	case a != nil:
		heap.Remove(&s.order, a.place)
		delete(s.at, key)
	}
}

// due returns up to limit appointments that are due, of which there is at least one where wait is 0; else
// how long to wait for the next. They stay until the change is noted.
func (s *schedule) due(now int64, limit int) (due []appointment, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.order) == 0 {
		return nil, idle
	}
	if wait = time.Duration(s.order[0].time - now); wait > 0 {
		return nil, min(wait, idle)
	}
	return s.order.until(now, limit), 0
}

// idle is the longest wait: should the wall clock jump, nobody is later than this.
const idle = time.Minute

// appointments is a heap by time.
type appointments []*appointment

// until returns up to limit appointments whose time has come: the top of the heap, level by level.
func (h appointments) until(now int64, limit int) (due []appointment) {
	for next := []int{0}; len(next) > 0 && len(due) < limit; next = next[1:] {
		at := next[0]
		if at >= len(h) || h[at].time > now {
			continue
		}
		due = append(due, *h[at])
		next = append(next, 2*at+1, 2*at+2)
	}
	return due
}

func (h appointments) Len() int           { return len(h) }
func (h appointments) Less(i, j int) bool { return h[i].time < h[j].time }

func (h appointments) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push implements heap.Interface.
func (h *appointments) Push(x any) {
	a := x.(*appointment)
	a.place = len(*h)
	*h = append(*h, a)
}

// Pop implements heap.Interface.
func (h *appointments) Pop() any {
	last := len(*h) - 1
	a := (*h)[last]
	*h = (*h)[:last]
	return a
}

// restartGrace is how long a group at least stays after a start if its time ran out while the gateway
// was down, and nobody could renew it; less if its own time to live is less. A rule may say otherwise.
const restartGrace = 5 * time.Minute

// fillSchedule lists the groups that an engine had stored, before anybody can see them.
func (g *Gateway) fillSchedule(now time.Time) {
	grace := restartGrace
	if rules := g.rules.Load(); rules != nil && rules.RestartGrace != nil {
		grace = *rules.RestartGrace
	}
	g.index.mu.Lock()
	defer g.index.mu.Unlock()
	for key, group := range g.index.groups {
		if at := group.expires(); at != 0 && at <= now.UnixNano() {
			group.grace = now.UnixNano() + min(int64(grace), group.ttl)
		}
		g.schedule.note(&claim{key: key, after: group})
	}
}

const (
	changedAtOnce = 1000    // groups at most that change by themselves in one commit
	foundAtOnce   = 100_000 // and that are found due at once, to be changed in the order of their keys
)

// whenDue calls act after a first wait, then whenever the wait that it returned is over or a token tells
// that something may be due earlier, until ctx ends.
func whenDue(ctx context.Context, first time.Duration, woken <-chan struct{}, act func(ctx context.Context) time.Duration) {
	timer := time.NewTimer(first)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-woken:
		}
		timer.Reset(act(ctx))
	}
}

// carryOut changes the groups that are due and returns how long to wait until something else may be.
func (g *Gateway) carryOut(ctx context.Context) time.Duration {
	for ctx.Err() == nil {
		due, wait := g.schedule.due(time.Now().UnixNano(), foundAtOnce)
		if wait > 0 {
			return wait
		}
		// Groups of neighbouring keys stand side by side in pages and in the engine: in that order, many
		// take half the time.
		slices.SortFunc(due, func(a, b appointment) int { return strings.Compare(a.key.canonical, b.key.canonical) })
		for some := range slices.Chunk(due, changedAtOnce) {
			if ctx.Err() != nil {
				break
			}
			if !g.tickAll(some) {
				return failureInterval // the engine is away; look again soon
			}
		}
	}
	return idle
}

// tickAll changes groups as the time that has passed demands, as one commit, and reports whether it is
// kept. A group that was pushed to since it was found due stays as it is.
func (g *Gateway) tickAll(due []appointment) bool {
	now := time.Now().UnixNano()
	ticks := make([]change, len(due))
	batches := make([]keyBatch, len(due))
	for i, a := range due {
		ticks[i] = change{key: a.key, tick: true, time: now}
		batches[i] = keyBatch{a.key, []*change{&ticks[i]}}
	}
	if _, kept := g.together(batches, false); !kept {
		return false
	}
	g.countExpired(due, ticks)
	return true
}

// countExpired counts the groups of a round that have expired.
func (g *Gateway) countExpired(due []appointment, ticks []change) {
	now := time.Now()
	for i, tick := range ticks {
		if tick.removed {
			g.meters.expired.Inc()
			g.meters.expiryLag.Set(now.Sub(time.Unix(0, due[i].time)).Seconds())
		}
	}
}
