package holdfast

import (
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"

	"holdfast/internal/exposition"
)

// The two families that the gateway keeps in each group.
const (
	pushTimeName    = "push_time_seconds"
	failureTimeName = "push_failure_time_seconds"
	pushTimeHelp    = "Last Unix time when changing this group in the Pushgateway succeeded."
	failureTimeHelp = "Last Unix time when changing this group in the Pushgateway failed."
)

// Header is what is said once for a family of a group. Equal headers are shared.
type Header struct {
	Name string
	Help string // "" where none was sent
	Unit string
	Type dto.MetricType
}

// Member is one family as it stands in a group: its metrics carry the group's labels and are encoded.
type Member struct {
	*Header
	*exposition.Block
	pushed int64 // Unix nanoseconds
	place  place // of the block in its family
}

// Pushed returns when this family was last pushed.
func (m Member) Pushed() time.Time { return time.Unix(0, m.pushed) }

// Group is all that stands under one key. It is immutable: what changes it makes the one that follows.
type Group struct {
	key      Key
	members  []Member // by name, the two time families among them
	first    int64    // Unix nanoseconds of the first accepted push, 0 if none or unknown
	pushed   int64    // Unix nanoseconds of the last accepted push, 0 if none
	failed   int64    // Unix nanoseconds of the last refused push, 0 if none
	from     Origin   // of the last accepted push
	failure  *Failure // the last one, nil if none or unknown
	series   int
	size     int // bytes of its blocks
	revision Revision
	layout   layout // of the records that keep it
	place    place  // in the list of groups

	lifetime
	adding bool  // what is pushed is added up, see Add
	late   bool  // it is overdue
	left   bool  // it has expired, and only the gateway's own families are kept
	grace  int64 // Unix nanoseconds until which it stays, since it could not be renewed while the gateway was down
}

// Key returns the group's grouping key.
func (g *Group) Key() Key { return g.key }

// Members returns the group's families by name, its two time families among them. Not to be modified.
func (g *Group) Members() []Member { return g.members }

// Member returns the family of a name.
func (g *Group) Member(name string) (Member, bool) {
	if g == nil {
		return Member{}, false
	}
	at, found := g.at(name)
	if !found {
		return Member{}, false
	}
	return g.members[at], true
}

// at returns where the family of a name stands, or would.
func (g *Group) at(name string) (int, bool) {
	return slices.BinarySearchFunc(g.members, name, func(m Member, n string) int { return strings.Compare(m.Name, n) })
}

// FirstPushed returns when a push to the group was first accepted; the zero time if never, or if that is
// not known any more.
func (g *Group) FirstPushed() time.Time { return unixTime(g.first) }

// Origin returns where the last accepted push came from, as far as it is known.
func (g *Group) Origin() Origin { return g.from }

// Failure returns why a push was last refused; nil if none was, or if that is not known any more.
func (g *Group) Failure() *Failure { return g.failure }

// Pushed returns when a push to the group was last accepted; the zero time if never.
func (g *Group) Pushed() time.Time { return unixTime(g.pushed) }

// Failed returns when a push to the group was last refused; the zero time if never.
func (g *Group) Failed() time.Time { return unixTime(g.failed) }

// LastPushSucceeded reports whether the newest push was accepted.
func (g *Group) LastPushSucceeded() bool { return g.failed <= g.pushed }

// Series returns the number of metrics in the group.
func (g *Group) Series() int { return g.series }

// Size returns the bytes of the group's encoded metrics.
func (g *Group) Size() int { return g.size }

func unixTime(nanoseconds int64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds)
}

// next returns the group that follows g once p is applied, or why it cannot be; g is nil where there is
// none yet.
func (g *Group) next(p *prepared) (*Group, *Refusal) {
	following := &Group{key: p.key, first: p.time, pushed: p.time, from: p.from, lifetime: p.lifetime, adding: p.mode == Add}
	if g != nil {
		following.key, following.failed, following.failure, following.revision = g.key, g.failed, g.failure, g.revision
		following.pushed = max(g.pushed, p.time)
		if g.pushed != 0 {
			following.first = g.first
		}
	}
	following.members = make([]Member, 0, len(p.members)+4+g.count())
	if refusal := following.lay(g, p); refusal != nil {
		return nil, refusal
	}
	failed, found := g.Member(failureTimeName)
	if !found {
		failed = timeMember(failureTime, p.labels, 0, p.time)
	}
	following.members = append(following.members, failed, timeMember(pushTime, p.labels, following.pushed, following.pushed))
	following.addFreshness(p.labels)
	return following.finish(), nil
}

// lay adds the families that a push makes of what the group before held, without the gateway's own.
func (g *Group) lay(before *Group, p *prepared) *Refusal {
	if p.mode != ReplaceGroup && before != nil {
		if len(p.members) == 0 {
			g.adding = before.adding // a heartbeat changes nothing else
		}
		for _, m := range before.members {
			if !before.isOwn(m.Name) && !g.isOwn(m.Name) && !p.brings(m.Name) {
				g.members = append(g.members, m)
			}
		}
	}
	if before.pushedTo() && before.adding != g.adding {
		return mixing(before, p.mode)
	}
	for _, m := range p.members {
		old, _ := before.Member(m.Name)
		merged, refusal := p.merge(old, m)
		if refusal != nil {
			return refusal
		}
		g.members = append(g.members, merged)
	}
	return nil
}

// pushedTo reports whether the group holds families that were pushed.
func (g *Group) pushedTo() bool {
	return g != nil && slices.ContainsFunc(g.members, func(m Member) bool { return !g.isOwn(m.Name) })
}

// fail returns the group that follows g once a push was refused at a time.
func (g *Group) fail(key Key, at int64, failure *Failure) *Group {
	following := &Group{key: key, failed: at, failure: failure}
	labels := key.Labels()
	if g == nil {
		following.members = append(following.members, timeMember(pushTime, labels, 0, at))
	} else {
		following = g.clone()
		following.failed, following.failure = max(g.failed, at), failure
		following.members = slices.DeleteFunc(following.members, func(m Member) bool { return m.Name == failureTimeName })
	}
	following.members = append(following.members, timeMember(failureTime, labels, following.failed, at))
	return following.finish()
}

// clone returns a copy of the group to be changed and finished.
func (g *Group) clone() *Group {
	following := *g
	following.members = slices.Clone(g.members)
	return &following
}

func (g *Group) count() int {
	if g == nil {
		return 0
	}
	return len(g.members)
}

// finish sorts the members, adds up, and chooses how the group is kept.
func (g *Group) finish() *Group {
	g.series, g.size = 0, 0
	slices.SortFunc(g.members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	for _, m := range g.members {
		g.series += m.Series()
		g.size += m.Size()
	}
	g.layout = layoutWhole
	if g.size >= wholeBelow {
		g.layout = layoutApart
	}
	return g
}

var (
	pushTime    = &Header{Name: pushTimeName, Help: pushTimeHelp, Type: dto.MetricType_GAUGE}
	failureTime = &Header{Name: failureTimeName, Help: failureTimeHelp, Type: dto.MetricType_GAUGE}
)

// timeMember makes one of a group's two time families: value is in Unix nanoseconds, pushed is when the
// family itself changed.
func timeMember(h *Header, labels exposition.Labels, value, pushed int64) Member {
	return Member{Header: h, Block: exposition.GaugeBlock(h.Name, labels, float64(value)/1e9), pushed: pushed}
}
