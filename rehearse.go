package holdfast

// Rehearse does all that Push does, but for keeping anything: it returns the error that the push would
// get now, and leaves no trace. Without an error it returns the pushed families, encoded under the key.
// Under the zero Key it judges only what can be judged without looking at any group.
func (g *Gateway) Rehearse(p Push) ([]Member, error) {
	if err := g.Ready(); err != nil {
		return nil, err
	}
	c := &change{key: p.Key, time: p.Time.UnixNano(), from: p.Origin, rehearsed: true}
	ready, err := p.prepare(g.Limits)
	if refusal, refused := err.(*Refusal); refused {
		if !refusal.Kind.noted() || p.Key == (Key{}) {
			return nil, refusal
		}
		c.refusal = refusal
	}
	if p.Key == (Key{}) {
		return ready.members, nil
	}
	c.push = ready
	for {
		wait, err := g.rehearse(c)
		switch {
		case wait != nil:
			<-wait
		case err != nil:
			return nil, err
		default:
			return ready.members, nil
		}
	}
}

// rehearse finds the answer to a push, or returns what has to be waited for.
func (g *Gateway) rehearse(c *change) (wait <-chan struct{}, err error) {
	var d draft
	before := g.index.group(c.key)
	if c.push != nil {
		d = before.draft(c.push)
	}
	x := g.index
	x.mu.Lock()
	defer x.mu.Unlock()
	// Nobody keeps the lane of the key, so the group may have changed; follow then makes the draft anew.
	before = x.groups[c.key]
	_, err, blocked := g.follow(&keyShape{key: c.key}, before, before, c, d)
	if blocked {
		return x.settlement(), nil
	}
	return nil, err
}
