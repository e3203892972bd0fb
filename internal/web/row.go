package web

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"holdfast"
)

// rowView is a group in the list.
type rowView struct {
	ID, Name      string // Name tells groups apart for those who do not see the row
	Labels        []labelLink
	Badges        []badge
	Families      int
	Series, Bytes int
	Pushed        time.Time // zero if never
}

// labelLink is a label with a link to the groups that have it, "" where the value is too long for one.
type labelLink struct{ Name, Value, Link string }

// badge is a remark on a group. Kind is bad, warn or note.
type badge struct{ Kind, Text, Title string }

// longestLinked is the longest label value that links carry.
const longestLinked = 256

// narrowed returns the selector that asks for one more label than a query already does.
func narrowed(selectors []holdfast.Selector, name, value string) string {
	if !model.LegacyValidation.IsValidLabelName(name) {
		name = strconv.Quote(name)
	}
	more := fmt.Sprintf("%s=%q", name, value)
	if len(selectors) != 1 || len(selectors[0]) == 0 {
		return "{" + more + "}"
	}
	held := selectors[0].String()
	if strings.Contains(held, more) {
		return held
	}
	return strings.TrimSuffix(held, "}") + "," + more + "}"
}

func (s *site) row(g holdfast.Listed, query url.Values, selectors []holdfast.Selector, t *tongue) rowView {
	key := g.Key()
	v := rowView{
		ID: key.ID().String(), Name: clipped(key.String()), Badges: badges(g.Group, g.Masked, t),
		Families: families(g.Group), Series: g.Series(), Bytes: g.Size(), Pushed: g.Pushed(),
	}
	for _, l := range jobFirst(key) {
		link := ""
		if len(l.Value) <= longestLinked {
			link = linkTo(query, "match[]", narrowed(selectors, l.Name, l.Value))
		}
		v.Labels = append(v.Labels, labelLink{l.Name, l.Value, link})
	}
	return v
}

// badges are the remarks on a group.
func badges(g *holdfast.Group, masked []string, t *tongue) []badge {
	var all []badge
	if !g.LastPushSucceeded() {
		text := t.say("Last push failed!")
		if g.Pushed().IsZero() {
			text = t.say("Never succeeded")
		}
		reason := ""
		if f := g.Failure(); f != nil {
			reason = clipped(f.Message)
		}
		all = append(all, badge{"bad", text, reason})
	}
	if g.Overdue() {
		all = append(all, badge{"warn", t.say("Overdue"), t.say("It was to be pushed to every %s.", t.span(g.Every().Seconds()))})
	}
	if at := g.Expires(); !at.IsZero() {
		all = append(all, badge{"note", t.say("Expires %s", t.ago(at)), clock(at)})
	}
	if len(masked) > 0 {
		all = append(all, badge{"warn", t.say("Masked"), t.say("Not exposed, since they clash with other groups: %s", clipped(strings.Join(masked, ", ")))})
	}
	return all
}

// families counts what was pushed: the gateway's own are left out.
func families(g *holdfast.Group) int {
	n := 0
	for _, m := range g.Members() {
		if !ofGateway(g, m.Name) {
			n++
		}
	}
	return n
}

// ofGateway reports whether a family of a group was added by the gateway.
func ofGateway(g *holdfast.Group, name string) bool {
	switch name {
	case pushTimeName, "push_failure_time_seconds":
		return true
	case "push_expected_interval_seconds", "push_overdue":
		return g.Every() > 0
	}
	return false
}

const pushTimeName = "push_time_seconds"

// jobFirst returns the labels of a key, job before the others.
func jobFirst(key holdfast.Key) []labelView {
	var all []labelView
	for _, first := range []bool{true, false} {
		for _, l := range key.Labels() {
			if (l.Name == "job") == first {
				all = append(all, labelView{l.Name, l.Value})
			}
		}
	}
	return all
}
