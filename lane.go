package holdfast

import (
	"slices"
	"sync"
)

// change is one push or delete that waits for its turn at its key.
type change struct {
	key       Key
	push      *prepared         // nil for a delete or a refused push
	refusal   *Refusal          // of a push that was refused before it came here, to be noted with the group
	time      int64             // Unix nanoseconds, of a push
	repeat    repeat            // of a push with an idempotency key
	firstSent int64             // nanoseconds ago, of a push that may have been accepted then; 0 for now
	from      Origin            // of a push
	only      func(*Group) bool // delete the group only if this says so; nil for whatever it is
	tick      bool              // change the group as the time that has passed demands
	removed   bool              // whether a delete found a group, or a tick found that it has expired
	rehearsed bool              // find the answer to a push and leave no trace
	holds     bool              // wants the lane for itself, see lanes.hold
	done      chan outcome
}

func (c *change) deletes() bool { return c.push == nil && c.refusal == nil }

// remove returns what a delete leaves of a group.
func (c *change) remove(g *Group) *Group {
	switch {
	case g == nil || c.only != nil && !c.only(g):
		return g
	case c.tick:
		following := g.tick(c.time)
		c.removed = following == nil || following.left != g.left
		return following
	}
	c.removed = true
	return nil
}

// outcome is what a waiting change is told: its answer, or that it is its turn to lead.
type outcome struct {
	err  error
	lead []*change
}

func (c *change) answer(err error) { c.done <- outcome{err: err} }

// lanes keeps one batch of changes in flight for each key. Who comes first leads: it carries its batch
// out and then hands what has gathered meanwhile to the first that waited.
type lanes struct {
	mu      sync.Mutex
	waiting map[Key][]*change // a key that is here is taken
}

// do has c carried out in its turn, by commit, and returns its answer. Commit answers each change of its
// batch, and calls next when it is done with the key, which may be later than it returns.
func (l *lanes) do(c *change, commit func(key Key, batch []*change, next func())) error {
	key := c.key
	c.done = make(chan outcome, 2)
	if l.enter(c) {
		c.done <- outcome{lead: []*change{c}}
	}
	for {
		o := <-c.done
		if o.lead == nil {
			return o.err
		}
		commit(key, o.lead, func() { l.next(key) })
	}
}

// hold waits until the lane of a key is free and takes it, until next. Whoever holds several takes them
// in key order, so that no two wait for each other.
func (l *lanes) hold(key Key) {
	c := &change{key: key, holds: true, done: make(chan outcome, 1)}
	if !l.enter(c) {
		<-c.done
	}
}

// enter takes the lane of a change's key and reports true, or has the change wait there.
func (l *lanes) enter(c *change) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	waiting, taken := l.waiting[c.key]
	if taken {
		waiting = append(waiting, c)
	}
	l.waiting[c.key] = waiting
	return !taken
}

// next hands the lane of a key on, or frees it. Who holds a lane shares it with nobody.
func (l *lanes) next(key Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	waiting := l.waiting[key]
	if len(waiting) == 0 {
		delete(l.waiting, key)
		return
	}
	end := slices.IndexFunc(waiting, func(c *change) bool { return c.holds })
	switch end {
	case -1:
		end = len(waiting)
	case 0:
		end = 1
	}
	l.waiting[key] = slices.Clone(waiting[end:])
	waiting[0].done <- outcome{lead: waiting[:end]}
}
