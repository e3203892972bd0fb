package holdfast

import (
	"cmp"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"

	"holdfast/internal/exposition"
)

// lifetime is what the last accepted push of a group said about how long the group stays and how often it
// is pushed to. All are nanoseconds, and 0 where nothing was said.
type lifetime struct {
	ttl   int64 // the group leaves once its last accepted push is this old
	every int64 // and is overdue once it is this old
	keep  int64 // how long the gateway's own families of the group stay when the rest has left
}

// The two families that the gateway keeps in groups that say how often they are pushed to.
const (
	expectedName = "push_expected_interval_seconds"
	overdueName  = "push_overdue"
)

var (
	expected = &Header{Name: expectedName, Help: "Seconds within which this group is expected to be pushed to again.", Type: dto.MetricType_GAUGE}
	overdue  = &Header{Name: overdueName, Help: "Whether the last accepted push to this group is older than expected (1) or not (0).", Type: dto.MetricType_GAUGE}
)

func isFreshness(name string) bool { return name == expectedName || name == overdueName }

// isOwn reports whether a family of the group is the gateway's own.
func (g *Group) isOwn(name string) bool {
	return name == pushTimeName || name == failureTimeName || g.every > 0 && isFreshness(name)
}

// Expires returns when the group leaves unless it is pushed to before; the zero time if never.
func (g *Group) Expires() time.Time { return unixTime(g.expires()) }

func (g *Group) expires() int64 {
	if g.ttl == 0 || g.pushed == 0 {
		return 0
	}
	at := g.pushed + g.ttl
	if g.left {
		at += g.keep
	}
	return max(at, g.grace)
}

// Every returns within which time the group is expected to be pushed to again; 0 if nothing was said.
func (g *Group) Every() time.Duration { return time.Duration(g.every) }

// Overdue reports whether the group has said how often it is pushed to, and was not.
func (g *Group) Overdue() bool { return g.late }

// due returns when the group changes by itself for the next time, in Unix nanoseconds; 0 if never.
func (g *Group) due() int64 {
	if g == nil {
		return 0
	}
	at := g.expires()
	if g.every > 0 && !g.late {
		if late := g.pushed + g.every; at == 0 || late < at {
			at = late
		}
	}
	return at
}

// tick returns what is left of the group at a time: itself, or what follows since it is overdue or has
// expired; nil where nothing is left.
func (g *Group) tick(now int64) *Group {
	if at := g.expires(); at != 0 && at <= now {
		if g.left || g.keep == 0 {
			return nil
		}
		following := g.reduced()
		return following.tick(now)
	}
	if g.every == 0 || g.late || g.pushed+g.every > now {
		return g
	}
	following := g.clone()
	following.late = true
	at, found := following.at(overdueName)
	if found {
		following.members[at] = following.overdueMember()
	}
	following.finish().layout = g.layout // the engine hears nothing of this
	return following
}

// reduced returns the group without what was pushed.
func (g *Group) reduced() *Group {
	following := g.clone()
	following.left, following.grace = true, 0
	kept := following.members[:0]
	for _, m := range following.members {
		if g.isOwn(m.Name) {
			kept = append(kept, m)
		}
	}
	following.members = kept
	return following.finish()
}

// addFreshness lays the families of a group that says how often it is pushed to.
func (g *Group) addFreshness(labels exposition.Labels) {
	if g.every == 0 {
		return
	}
	g.members = append(g.members,
		Member{Header: expected, Block: exposition.GaugeBlock(expectedName, labels, time.Duration(g.every).Seconds()), pushed: g.pushed},
		g.overdueMember())
}

func (g *Group) overdueMember() Member {
	value := 0.0
	if g.late {
		value = 1
	}
	return Member{Header: overdue, Block: exposition.GaugeBlock(overdueName, g.key.Labels(), value), pushed: g.pushed}
}

// derived reports whether a claim only says that the group is overdue, which a restart finds out by
// itself.
func (c *claim) derived() bool {
	if c.before == nil || c.after == nil || c.before.left != c.after.left {
		return false
	}
	return !slices.ContainsFunc(c.touched, func(d difference) bool { return d.name() != overdueName })
}

// Expiring returns the groups that leave before a time unless they are pushed to, soonest first, at most
// limit of them; and the number of all such groups. The error is a *Refusal while groups are loaded.
func (g *Gateway) Expiring(before time.Time, limit int) (groups []*Group, count int, err error) {
	_, all, err := g.Groups()
	if err != nil {
		return nil, 0, err
	}
	for group := range all {
		if at := group.expires(); at != 0 && at <= before.UnixNano() {
			groups = append(groups, group)
		}
	}
	slices.SortStableFunc(groups, func(a, b *Group) int { return cmp.Compare(a.expires(), b.expires()) })
	count = len(groups)
	return slices.Clip(groups[:min(count, limit)]), count, nil
}
