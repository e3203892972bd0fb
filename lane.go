package holdfast

import "sync"

// change is one push or delete that waits for its turn at its key.
type change struct {
	key     Key
	push    *prepared // nil for a delete or a refused push
	refusal *Refusal  // of a push that was refused before it came here, to be noted with the group
	time    int64     // Unix nanoseconds, of a push
	evict   bool      // delete the group, but only if it never saw an accepted push
	removed bool      // whether a delete found a group
	done    chan outcome
}

func (c *change) deletes() bool { return c.push == nil && c.refusal == nil }

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
	l.mu.Lock()
	if waiting, taken := l.waiting[key]; taken {
		l.waiting[key] = append(waiting, c)
		l.mu.Unlock()
	} else {
		l.waiting[key] = nil
		l.mu.Unlock()
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

// next hands the lane of a key on, or frees it.
func (l *lanes) next(key Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch := l.waiting[key]
	if len(batch) == 0 {
		delete(l.waiting, key)
		return
	}
	l.waiting[key] = nil
	batch[0].done <- outcome{lead: batch}
}
