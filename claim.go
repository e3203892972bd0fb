package holdfast

import (
	"iter"
	"slices"
	"strings"
)

// claim is a change of one group on its way to the engine. While it is in flight, its families' types
// and its label sets are reserved: nobody else is accepted against them, and nobody is refused because
// of them either.
type claim struct {
	key           Key
	shape         *keyShape
	before, after *Group // nil where there is none
	touched       []difference

	accepted  []acceptance // pushes with an idempotency key that the change holds
	forgotten []repeat     // others, whose records go
}

// difference is a family that a change touches; old or new is nil where the family comes or goes.
type difference struct{ old, new *Member }

func (d difference) name() string {
	if d.new != nil {
		return d.new.Name
	}
	return d.old.Name
}

func exposes(m *Member) bool { return m != nil && m.Series() > 0 }

// same reports whether nothing was changed.
func (d difference) same() bool {
	return d.old != nil && d.new != nil && d.old.Block == d.new.Block
}

// pairs yields the families of two groups, by name.
func pairs(before, after *Group) iter.Seq[difference] {
	var old, new []Member
	if before != nil {
		old = before.members
	}
	if after != nil {
		new = after.members
	}
	return func(yield func(difference) bool) {
		i, j := 0, 0
		for i < len(old) || j < len(new) {
			var d difference
			order := 0
			switch {
			case i == len(old):
				order = 1
			case j == len(new):
				order = -1
			default:
				order = strings.Compare(old[i].Name, new[j].Name)
			}
			if order <= 0 {
				d.old = &old[i]
				i++
			}
			if order >= 0 {
				d.new = &new[j]
				j++
			}
			if !yield(d) {
				return
			}
		}
	}
}

func newClaim(shape *keyShape, before, after *Group) *claim {
	c := &claim{key: shape.key, shape: shape, before: before, after: after, touched: make([]difference, 0, 8)}
	for d := range pairs(before, after) {
		if !d.same() {
			c.touched = append(c.touched, d)
		}
	}
	return c
}

// reserve makes a claim of a change that passed its check. mu is held.
func (x *index) reserve(shape *keyShape, before, after *Group) *claim {
	c := newClaim(shape, before, after)
	for _, d := range c.touched {
		if d.new == nil {
			continue
		}
		f := x.family(d.new.Name)
		d.new.Header = f.intern(d.new.Header)
		if exposes(d.new) {
			f.of(d.new.Type).claimed++
			f.escaped = f.escaped || !d.new.Plain()
			if !exposes(d.old) {
				f.addShape(c.shape, 1)
			}
		}
	}
	x.claims[c.key] = c
	x.weigh(c, 1)
	if before == nil && after != nil {
		x.addKeyForms(c.key)
	}
	return c
}

// weigh adds what a claim would add to the totals, or takes it back.
func (x *index) weigh(c *claim, sign int) {
	if c.after == nil {
		return
	}
	held := 0
	if c.before == nil {
		x.claimedGroups += sign
	} else {
		held = c.before.series
	}
	x.claimedSeries += sign * max(0, c.after.series-held)
}

// release gives a claim up: nothing of it was kept. mu is held.
func (x *index) release(c *claim) {
	for _, d := range c.touched {
		if d.new == nil {
			continue
		}
		f := x.family(d.new.Name)
		if exposes(d.new) {
			f.of(d.new.Type).claimed--
			if !exposes(d.old) {
				f.addShape(c.shape, -1)
			}
		}
		x.place(f, len(f.variants) > 0)
	}
	if c.before == nil && c.after != nil {
		x.dropKeyForms(c.key)
	}
	x.settle(c)
}

// settle ends a claim and wakes whoever waits for an outcome.
func (x *index) settle(c *claim) {
	x.weigh(c, -1)
	delete(x.claims, c.key)
	if x.settled != nil {
		close(x.settled)
		x.settled = nil
	}
}

// settlement returns a channel that is closed when the next claim ends. mu is held.
func (x *index) settlement() <-chan struct{} {
	if x.settled == nil {
		x.settled = make(chan struct{})
	}
	return x.settled
}

// install puts what was claimed in the place of what was there, in all families at once. mu is held.
func (x *index) install(c *claim) {
	for _, d := range c.touched {
		x.installMember(c, d)
	}
	x.settle(c)
	for _, a := range c.accepted {
		x.repeats.add(a)
	}
	if c.before != nil {
		x.series -= c.before.series
		x.bytes -= c.before.size
	}
	if c.after == nil {
		delete(x.groups, c.key)
		delete(x.ids, c.key.ID())
		x.order.remove(x.epoch, c.key.canonical)
		x.dropKeyForms(c.key)
		return
	}
	x.series += c.after.series
	x.bytes += c.after.size
	if c.before != nil {
		c.after.place = c.before.place
	} else {
		x.ids[c.key.ID()] = c.after.key
	}
	x.groups[c.key] = c.after
	x.order.set(x.epoch, c.after.key.canonical, c.after, groupWeight, &c.after.place)
}

func (x *index) installMember(c *claim, d difference) {
	f := x.writable(d.name())
	had := len(f.variants) > 0
	if d.old != nil {
		f.of(d.old.Type).members--
		if exposes(d.old) {
			f.of(d.old.Type).exposed--
			if !exposes(d.new) {
				f.addShape(c.shape, -1)
			}
			if !exposes(d.new) || d.new.Type != d.old.Type {
				f.drop(c.key, d.old.Type)
			}
		}
	}
	if d.new != nil {
		f.of(d.new.Type).members++
		if exposes(d.new) {
			f.of(d.new.Type).claimed--
			f.of(d.new.Type).exposed++
			if d.old != nil {
				d.new.place = d.old.place
			}
			f.put(c.key, d.new)
		}
	}
	x.countHelp(f, d)
	x.place(f, had)
}

// countHelp follows the helps of a family; a steady push changes none.
func (x *index) countHelp(f *family, d difference) {
	if d.old != nil && d.new != nil && d.old.Help == d.new.Help {
		return
	}
	if d.new != nil {
		f.count(d.new.Help, 1)
	}
	if d.old != nil {
		f.count(d.old.Help, -1)
	}
	if !f.stale {
		f.stale = true
		x.stale = append(x.stale, f.name)
	}
}

// addShape counts a group's key among the shapes of a family, and what its names become when escaped.
func (f *family) addShape(shape *keyShape, delta int) {
	f.shapes.add(shape.names(), delta)
	for _, escaped := range shape.escaped() {
		f.shapes.add(escaped, delta)
		f.escaped = true
	}
}

func without[T comparable](list []T, gone T) []T {
	return slices.DeleteFunc(list, func(v T) bool { return v == gone })
}

// addKeyForms notes what a key becomes when it is escaped; most keys need no escaping.
func (x *index) addKeyForms(key Key) {
	for _, form := range keyForms(key) {
		x.keyForms[form] = append(x.keyForms[form], key)
	}
}

func (x *index) dropKeyForms(key Key) {
	for _, form := range keyForms(key) {
		x.keyForms[form] = without(x.keyForms[form], key)
		if len(x.keyForms[form]) == 0 {
			delete(x.keyForms, form)
		}
	}
}
