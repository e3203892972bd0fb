package holdfast

import (
	"slices"
	"strings"
	"time"
)

// State is how groups are doing.
type State uint8

// The states. A group may be in several at once; it is OK if it is in none of the others.
const (
	AnyState State = iota
	OK             // the last push was accepted, and all of the group is exposed
	Failed         // the last push was refused
	Stale          // the group is overdue: it has said how often it is pushed to, and was not
	Masked         // a family of the group is not exposed, since it clashes with others
)

// has reports whether a group is in the state.
func (s State) has(g *Group, masked []string) bool {
	switch s {
	case OK:
		return g.LastPushSucceeded() && !g.late && len(masked) == 0
	case Failed:
		return !g.LastPushSucceeded()
	case Stale:
		return g.late
	case Masked:
		return len(masked) > 0
	}
	return true
}

// filter is what a query asks for, made ready to look at many groups.
type filter struct {
	query  *Query
	masks  masks
	text   folded
	before int64 // Unix nanoseconds, 0 for any time
}

func newFilter(q *Query, m masks) *filter {
	f := &filter{query: q, masks: m, text: fold(q.Text)}
	if !q.Before.IsZero() {
		f.before = q.Before.UnixNano()
	}
	return f
}

// passes reports whether the query asks for a group.
func (f *filter) passes(g *Group, masked []string) bool {
	if !f.query.State.has(g, masked) {
		return false
	}
	return (f.before == 0 || g.lastChange() < f.before) && f.selects(g) && (f.text.lower == "" || f.mentions(g))
}

// LastChange returns when a push to the group was last accepted, or last refused where none ever was.
func (g *Group) LastChange() time.Time { return unixTime(g.lastChange()) }

func (g *Group) lastChange() int64 {
	if g.pushed == 0 {
		return g.failed
	}
	return g.pushed
}

func (f *filter) selects(g *Group) bool {
	return len(f.query.Selectors) == 0 ||
		slices.ContainsFunc(f.query.Selectors, func(s Selector) bool { return s.matches(g) })
}

// mentions reports whether the text occurs in a grouping label, be it written as name="value", or in the
// name of a family that was pushed.
func (f *filter) mentions(g *Group) bool {
	for name, value := range g.key.all() {
		if f.text.in(name) || f.text.in(value) {
			return true
		}
	}
	if strings.ContainsAny(f.text.lower, `="{},`) && f.text.in(g.key.String()) {
		return true
	}
	for i := range g.members {
		if name := g.members[i].Name; f.text.in(name) && !g.isOwn(name) {
			return true
		}
	}
	return false
}
