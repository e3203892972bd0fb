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
	pushed   int64    // Unix nanoseconds of the last accepted push, 0 if none
	failed   int64    // Unix nanoseconds of the last refused push, 0 if none
	series   int
	size     int // bytes of its blocks
	revision Revision
	place    place // in the list of groups
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
	at, found := slices.BinarySearchFunc(g.members, name, func(m Member, n string) int { return strings.Compare(m.Name, n) })
	if !found {
		return Member{}, false
	}
	return g.members[at], true
}

// Pushed returns when a push to the group was last accepted; the zero time if never.
func (g *Group) Pushed() time.Time { return unixTime(g.pushed) }

// Failed returns when a push to the group was last refused; the zero time if never.
func (g *Group) Failed() time.Time { return unixTime(g.failed) }

// LastPushSucceeded reports whether the newest push was accepted.
func (g *Group) LastPushSucceeded() bool { return g.failed <= g.pushed }

// Series returns the number of metrics in the group.
func (g *Group) Series() int { return g.series }

func unixTime(nanoseconds int64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds)
}

// next returns the group that follows g once p is applied; g is nil where there is none yet.
func (g *Group) next(p *prepared) *Group {
	following := &Group{key: p.key, pushed: p.time}
	if g != nil {
		following.key, following.failed, following.revision = g.key, g.failed, g.revision
		following.pushed = max(g.pushed, p.time)
	}
	following.members = make([]Member, 0, len(p.members)+2+g.count())
	following.members = append(following.members, p.members...)
	if g == nil {
		following.members = append(following.members, timeMember(failureTime, p.labels, 0, p.time))
	} else {
		for _, m := range g.members {
			if m.Name == failureTimeName || p.mode == ReplaceFamily && m.Name != pushTimeName && !p.brings(m.Name) {
				following.members = append(following.members, m)
			}
		}
	}
	following.members = append(following.members, timeMember(pushTime, p.labels, following.pushed, following.pushed))
	return following.finish()
}

// fail returns the group that follows g once a push was refused at a time.
func (g *Group) fail(key Key, at int64) *Group {
	following := &Group{key: key, failed: at}
	labels := key.Labels()
	if g == nil {
		following.members = append(following.members, timeMember(pushTime, labels, 0, at))
	} else {
		following.key, following.revision = g.key, g.revision
		following.failed, following.pushed = max(g.failed, at), g.pushed
		following.members = slices.DeleteFunc(slices.Clone(g.members), func(m Member) bool { return m.Name == failureTimeName })
	}
	following.members = append(following.members, timeMember(failureTime, labels, following.failed, at))
	return following.finish()
}

func (g *Group) count() int {
	if g == nil {
		return 0
	}
	return len(g.members)
}

// finish sorts the members and adds up.
func (g *Group) finish() *Group {
	slices.SortFunc(g.members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	for _, m := range g.members {
		g.series += m.Series()
		g.size += m.Size()
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
