package holdfast

import (
	"cmp"
	"container/list"
	"context"
	"slices"
	"sync"
	"time"
)

// failures lists the groups that never saw an accepted push, by their last failure, oldest first. Any
// client can make such groups by mistake, so their number and age are bounded.
type failures struct {
	mu    sync.Mutex
	order *list.List // of failure
	at    map[Key]*list.Element
	woken chan struct{} // has a token when the list began to hold something
}

type failure struct {
	key  Key
	time int64 // Unix nanoseconds
}

func (f *failures) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.order, f.at = list.New(), map[Key]*list.Element{}
	if f.woken == nil {
		f.woken = make(chan struct{}, 1)
	}
}

// fill lists the groups that an engine had stored.
func (f *failures) fill(x *index) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var failed []*Group
	for _, group := range x.order.all() {
		if group.pushed == 0 {
			failed = append(failed, group)
		}
	}
	slices.SortStableFunc(failed, func(a, b *Group) int { return cmp.Compare(a.failed, b.failed) })
	for _, group := range failed {
		f.note(&claim{key: group.key, after: group})
	}
}

// note follows a change that was installed.
func (f *failures) note(c *claim) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.at[c.key]; e != nil {
		f.order.Remove(e)
		delete(f.at, c.key)
	}
	if c.after == nil || c.after.pushed != 0 {
		return
	}
	f.at[c.key] = f.order.PushBack(failure{c.key, c.after.failed})
	select {
	case f.woken <- struct{}{}:
	default:
	}
}

func (f *failures) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.order.Len()
}

// oldest returns the failure that is to leave next.
func (f *failures) oldest() (failure, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if front := f.order.Front(); front != nil {
		return front.Value.(failure), true
	}
	return failure{}, false
}

// trimFailures removes the oldest groups without an accepted push until no more than the limit are left.
func (g *Gateway) trimFailures() {
	for limit := g.Limits.FailedGroups; limit > 0 && int64(g.failures.count()) > limit; {
		oldest, found := g.failures.oldest()
		if !found {
			return
		}
		removed, err := g.evict(oldest.key)
		if err != nil {
			return
		}
		if removed {
			g.meters.limitRefusals.WithLabelValues("failed-groups").Inc()
		}
	}
}

// evict removes a group unless it saw an accepted push meanwhile, and reports whether it was there.
func (g *Gateway) evict(key Key) (removed bool, err error) {
	c := &change{key: key, only: func(g *Group) bool { return g.pushed == 0 }}
	err = g.lanes.do(c, g.commit)
	return c.removed && err == nil, err
}

// evictExpired evicts the groups without an accepted push whose last failure is too old, and returns how
// long to wait until something else may be.
func (g *Gateway) evictExpired(context.Context) time.Duration {
	ttl := g.Limits.FailedGroupTTL
	for {
		oldest, found := g.failures.oldest()
		if !found {
			return ttl
		}
		if wait := time.Until(time.Unix(0, oldest.time).Add(ttl)); wait > 0 {
			return wait
		}
		if _, err := g.evict(oldest.key); err != nil {
			return failureInterval // the engine is away; look again soon
		}
	}
}
