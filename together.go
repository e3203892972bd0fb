package holdfast

import (
	"context"
	"slices"
	"strings"
)

// keyBatch is changes of one key, in order.
type keyBatch struct {
	key     Key
	changes []*change
}

// together carries batches of different keys out as one commit of the engine, and installs them at once.
// If whole, all changes are kept or none: one that is refused stands against all others. It returns the
// answer to each change of each batch, and whether what was accepted is kept.
func (g *Gateway) together(batches []keyBatch, whole bool) (answers [][]error, kept bool) {
	inOrder := slices.SortedFunc(slices.Values(batches), func(a, b keyBatch) int { return strings.Compare(a.key.canonical, b.key.canonical) })
	for _, b := range inOrder {
		g.lanes.hold(b.key)
	}
	defer func() {
		for _, b := range inOrder {
			g.lanes.next(b.key)
		}
	}()
	plans, keep := g.planTogether(batches, whole)
	defer g.gate.RUnlock()
	var claims []*claim
	for _, p := range plans {
		answers = append(answers, p.answers)
		if p.claim != nil {
			claims = append(claims, p.claim)
		}
	}
	if !keep || len(claims) == 0 {
		return answers, keep
	}
	if err := g.keepAll(claims); err != nil {
		for _, each := range answers {
			for i := range each {
				if each[i] == nil {
					each[i] = unavailable(err)
				}
			}
		}
		return answers, false
	}
	return answers, true
}

// planTogether plans all batches under one lock, and returns with the gate held for reading. If whole
// and one change is refused, nothing is claimed and keep is false.
func (g *Gateway) planTogether(batches []keyBatch, whole bool) (plans []plan, keep bool) {
	for {
		g.gate.RLock()
		plans, wait, refused := g.tryTogether(batches)
		switch {
		case wait != nil:
			g.gate.RUnlock()
			<-wait
		case whole && refused:
			g.index.mu.Lock()
			g.release(plans)
			g.index.mu.Unlock()
			return plans, false
		default:
			return plans, true
		}
	}
}

// tryTogether plans all batches, or returns what has to be waited for. A change that only clashes with
// another one of the same call is refused.
func (g *Gateway) tryTogether(batches []keyBatch) (plans []plan, wait <-chan struct{}, refused bool) {
	befores, drafts := make([]*Group, len(batches)), make([][]draft, len(batches))
	for i, b := range batches {
		befores[i], drafts[i] = g.draft(b.key, b.changes)
	}
	g.index.mu.Lock()
	defer g.index.mu.Unlock()
	clashing := make([]bool, len(batches))
	for i := 0; i < len(batches); i++ {
		b := batches[i]
		p := plan{answers: slices.Repeat([]error{clashesWithin()}, len(b.changes))}
		if !clashing[i] {
			p = g.planDrafts(b.key, befores[i], b.changes, drafts[i])
		}
		if p.waitUntil == nil {
			plans = append(plans, p)
			refused = refused || slices.ContainsFunc(p.answers, func(err error) bool { return err != nil })
			continue
		}
		// Without our own claims it shows whose claim is in the way.
		g.release(plans)
		p = g.planDrafts(b.key, befores[i], b.changes, drafts[i])
		if p.waitUntil != nil {
			return nil, p.waitUntil, false
		}
		g.release([]plan{p})
		clashing[i] = true
		plans, refused, i = nil, false, -1
	}
	return plans, nil, refused
}

func clashesWithin() error {
	return inconsistent("batch", "the push clashes with another one of the same batch",
		"give a metric name one type, and a label set one group; or send them one after the other to see which two clash")
}

// release gives the claims of plans up. mu is held.
func (g *Gateway) release(plans []plan) {
	for i := range plans {
		if plans[i].claim != nil {
			g.index.release(plans[i].claim)
			plans[i].claim = nil
		}
	}
}

// keepAll has the engine keep claims as one commit, and installs or releases them.
func (g *Gateway) keepAll(claims []*claim) error {
	var all Commit
	for _, c := range claims {
		if c.derived() {
			continue
		}
		one := c.records()
		all.Guards = append(all.Guards, one.Guards...)
		all.Changes = append(all.Changes, one.Changes...)
	}
	var revision Revision
	var err error
	if len(all.Guards) > 0 {
		revision, err = g.Engine.Commit(context.Background(), all)
	}
	g.index.mu.Lock()
	defer g.index.mu.Unlock()
	for _, c := range claims {
		if err != nil {
			g.index.release(c)
			continue
		}
		if c.after != nil && !c.derived() {
			c.after.revision = revision
		}
		g.index.install(c)
		g.follows(c)
	}
	return err
}
