package holdfast

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// plan is what a batch of changes of one group comes to.
type plan struct {
	claim     *claim // nil where nothing changes
	answers   []error
	noticed   bool            // only failure times changed: nobody waits for the engine
	waitUntil <-chan struct{} // a claim of another key stands in the way: plan again then
}

// commit carries a batch of changes of one key out: plans the group that follows, has the engine keep
// it, installs it, and answers.
func (g *Gateway) commit(key Key, batch []*change, next func()) {
	g.gate.RLock()
	p := g.plan(key, batch)
	for p.waitUntil != nil {
		g.gate.RUnlock()
		<-p.waitUntil
		g.gate.RLock()
		p = g.plan(key, batch)
	}
	finish := func() {
		g.gate.RUnlock()
		next()
	}
	switch {
	case p.claim == nil:
		p.answer(batch)
		finish()
	case p.noticed:
		g.install(p.claim)
		p.answer(batch)
		go func() {
			defer finish()
			g.keepNotice(p.claim)
		}()
	default:
		g.keep(p, batch)
		finish()
	}
}

func (p *plan) answer(batch []*change) {
	for i, c := range batch {
		c.answer(p.answers[i])
	}
}

// keep has the engine keep a claim and then installs it, or releases it and refuses what was to be
// accepted.
func (g *Gateway) keep(p plan, batch []*change) {
	revision, err := g.store(p.claim)
	if err != nil {
		g.index.mu.Lock()
		g.index.release(p.claim)
		g.index.mu.Unlock()
		for i := range p.answers {
			if p.answers[i] == nil {
				p.answers[i] = unavailable(err)
			}
		}
		p.answer(batch)
		return
	}
	if p.claim.after != nil {
		p.claim.after.revision = revision
	}
	g.install(p.claim)
	p.answer(batch)
}

// store has the engine keep a claim.
func (g *Gateway) store(c *claim) (Revision, error) {
	if c.derived() {
		return c.before.revision, nil
	}
	return g.Engine.Commit(context.Background(), c.records())
}

func (g *Gateway) install(c *claim) {
	g.index.mu.Lock()
	g.index.install(c)
	g.index.mu.Unlock()
	g.follows(c)
}

// follows tells those who watch groups of a claim that was installed.
func (g *Gateway) follows(c *claim) {
	g.failures.note(c)
	g.schedule.note(c)
}

// keepNotice has the engine keep a failure time that is already installed. That it is lost when the
// engine cannot keep it harms nobody: the refusal was answered, and the next one notes another.
func (g *Gateway) keepNotice(c *claim) {
	revision, err := g.store(c)
	if err != nil {
		if !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrFull) {
			g.Logger.Warn("failure time of a group was not stored", "group", c.key, "err", err)
		}
		return
	}
	after := *c.after
	after.revision = revision
	g.index.mu.Lock()
	defer g.index.mu.Unlock()
	g.index.groups[c.key] = &after
	g.index.order.set(g.index.epoch, c.key.canonical, &after, groupWeight, &after.place)
}

// plan applies a batch in order to the group under key and claims what comes out.
func (g *Gateway) plan(key Key, batch []*change) plan {
	before, drafts := g.draft(key, batch)
	g.index.mu.Lock()
	defer g.index.mu.Unlock()
	return g.planDrafts(key, before, batch, drafts)
}

// draft is what a push makes of the group that was there before it, or why it makes nothing.
type draft struct {
	from, to *Group
	refusal  *Refusal
}

// draft makes the groups that follow from a batch if all of it is accepted. That needs no lock: whoever
// has the lane of a key is alone to change its group.
func (g *Gateway) draft(key Key, batch []*change) (before *Group, drafts []draft) {
	before = g.index.group(key)
	drafts = make([]draft, len(batch))
	current := before
	for i, c := range batch {
		switch {
		case c.push != nil:
			drafts[i] = current.draft(c.push)
			if drafts[i].refusal == nil {
				current = drafts[i].to
			}
		case c.deletes():
			current = c.remove(current)
		}
	}
	return before, drafts
}

func (g *Group) draft(p *prepared) draft {
	following, refusal := g.next(p)
	return draft{g, following, refusal}
}

// planDrafts is plan with mu held.
func (g *Gateway) planDrafts(key Key, before *Group, batch []*change, drafts []draft) plan {
	x, shape := g.index, &keyShape{key: key}
	if before != nil {
		shape.key = before.key // one copy of a key is enough
	}
	p := plan{answers: make([]error, len(batch)), noticed: true}
	after := before
	var accepted []acceptance
	for i, c := range batch {
		if c.repeat != (repeat{}) && (x.repeats.knows(c.repeat, c.time) || c.among(accepted)) {
			continue
		}
		if c.deletes() {
			left := c.remove(after)
			p.noticed = p.noticed && left == after
			after = left
			continue
		}
		following, err, wait := g.follow(shape, before, after, c, drafts[i])
		if wait {
			p.waitUntil = x.settlement()
			return p
		}
		p.answers[i] = err
		p.noticed = p.noticed && err != nil
		after = following
		if err == nil && c.repeat != (repeat{}) && x.repeats.window > 0 {
			accepted = append(accepted, acceptance{c.repeat, c.time})
		}
	}
	if after != before || len(accepted) > 0 {
		p.claim = x.reserve(shape, before, after)
		p.claim.accepted = accepted
		p.claim.forgotten = x.repeats.forget(time.Now().UnixNano())
	}
	return p
}

// follow applies one push to a group, of which before is what the index holds, and d was made of it in
// advance. It returns the group that follows and the refusal, if any; or that a claim in flight has to
// be waited for.
func (g *Gateway) follow(shape *keyShape, before, current *Group, c *change, d draft) (following *Group, refused error, wait bool) {
	refusal := c.refusal
	if refusal == nil {
		if d.from != current {
			d = current.draft(c.push)
		}
		v := verdict{refusal: d.refusal}
		if v.refusal == nil && c.repeat != (repeat{}) {
			v.refusal = cmp.Or(g.index.repeats.doubtful(c), g.index.repeats.full())
		}
		if v.refusal == nil {
			v = g.judge(shape, before, d.to)
		}
		if v.wait {
			return nil, nil, true
		}
		if v.clash && !c.rehearsed {
			g.index.suspect(shape, d.to)
		}
		if v.refusal == nil {
			return d.to, nil, false
		}
		refusal = v.refusal
	}
	// Once a second is enough, unless a success has hidden the last failure.
	noted := current != nil && current.failed > current.pushed && c.time-current.failed < int64(failureInterval)
	if !refusal.Kind.noted() || noted {
		return current, refusal, false
	}
	return g.notice(shape, before, current, c, refusal)
}

// notice lays the time of a refused push into its group.
func (g *Gateway) notice(shape *keyShape, before, current *Group, c *change, refusal *Refusal) (*Group, error, bool) {
	failed := current.fail(c.key, c.time, newFailure(refusal, c.from))
	if before != nil {
		return failed, refusal, false
	}
	if limit := g.Limits.Groups; limit > 0 && int64(len(g.index.groups)) >= limit {
		return current, refusal, false
	}
	// A new key: its time metrics must not equal those of another group.
	v := g.index.check(shape, nil, failed)
	switch {
	case v.wait:
		return nil, nil, true
	case v.refusal != nil:
		return current, v.refusal, false
	}
	return failed, refusal, false
}

// judge checks the group that a push would make against the limits and all other groups.
func (g *Gateway) judge(shape *keyShape, before, following *Group) verdict {
	x := g.index
	groups := len(x.groups) + x.claimedGroups - g.failures.count()
	if err := g.Limits.checkGrowth(before, following, groups, x.series+x.claimedSeries); err != nil {
		return verdict{refusal: err.(*Refusal)}
	}
	v := x.check(shape, before, following)
	if g.Options.Unchecked && v.refusal != nil && v.refusal.Kind == Inconsistent && !v.refusal.within {
		return verdict{clash: true}
	}
	return v
}
