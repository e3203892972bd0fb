package web

import (
	"net/http"
	"time"

	"holdfast"
)

// Numbers of groups in one answer.
const (
	presetGroups = 100
	mostGroups   = 1000
)

// groupsReply is the answer to a query for groups, but for the groups themselves.
type groupsReply struct {
	Totals totalsReply   `json:"totals"`
	Groups []*groupReply `json:"groups"`
	Next   string        `json:"next,omitempty"` // cursor
}

// totalsReply adds up all groups that were asked for, listed or not.
type totalsReply struct {
	Groups int `json:"groups"`
	Series int `json:"series"`
	Bytes  int `json:"bytes"`
	Failed int `json:"failed"`
	Stale  int `json:"stale"`
	Masked int `json:"masked"`
}

// groupReply is a group without its samples.
type groupReply struct {
	ID          string            `json:"id"`
	Labels      map[string]string `json:"labels"`
	Path        string            `json:"path"` // below the route prefix, to push to the group or delete it
	States      []string          `json:"states"`
	Series      int               `json:"series"`
	Bytes       int               `json:"bytes"`
	Families    []string          `json:"families"`
	Masked      []string          `json:"masked,omitempty"`
	FirstPush   *time.Time        `json:"first_push,omitempty"`
	LastPush    *pushReply        `json:"last_push,omitempty"`
	LastFailure *failureReply     `json:"last_failure,omitempty"`
	Expires     *time.Time        `json:"expires,omitempty"`
	Every       float64           `json:"every_seconds,omitempty"`
}

// pushReply is what is known of the last accepted push to a group.
type pushReply struct {
	Time        time.Time `json:"time"`
	Remote      string    `json:"remote,omitempty"`
	ContentType string    `json:"content_type,omitempty"`
	Bytes       int64     `json:"bytes,omitempty"`
}

// failureReply is what is known of the last refused push to a group.
type failureReply struct {
	pushReply
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// groupStates are what a group may be asked for by; the first is for all.
func groupStates() []named[holdfast.State] {
	return []named[holdfast.State]{
		{"any", holdfast.AnyState}, {"ok", holdfast.OK}, {"failed", holdfast.Failed}, {"stale", holdfast.Stale}, {"masked", holdfast.Masked},
	}
}

func groupSorts() []named[holdfast.Sort] {
	return []named[holdfast.Sort]{
		{"key", holdfast.ByKey}, {"pushed", holdfast.ByPushed}, {"series", holdfast.BySeries}, {"bytes", holdfast.BySize},
	}
}

// groupQuery reads what groups are asked for, and how they are listed.
func groupQuery(r *http.Request) (holdfast.Query, error) {
	p := newParams(r, "match[]", "state", "older_than", "q", "sort", "order", "limit", "cursor")
	q := holdfast.Query{
		Selectors:  p.selectors("match[]"),
		State:      oneOf(p, "state", groupStates()),
		Before:     p.age("older_than"),
		Text:       p.text("q"),
		Sort:       oneOf(p, "sort", groupSorts()),
		Descending: oneOf(p, "order", []named[bool]{{"asc", false}, {"desc", true}}),
		Limit:      p.count("limit", presetGroups, mostGroups),
	}
	var err error
	if q.After, err = holdfast.ParseCursor(p.text("cursor")); err != nil {
		p.refuse("cursor", err)
	}
	return q, p.problem
}

// apiGroups lists groups.
func (s *site) apiGroups(w http.ResponseWriter, r *http.Request) error {
	q, err := groupQuery(r)
	if err != nil {
		return err
	}
	found, err := s.Gateway.Select(q)
	if err != nil {
		return err
	}
	out := newJSONStream(w)
	out.object("totals", newTotals(found.Totals))
	out.begin("groups")
	for _, g := range found.Groups {
		out.item(s.groupReply(g))
	}
	out.end()
	if next := found.Next.String(); next != "" {
		out.object("next", next)
	}
	return out.close()
}

func newTotals(t holdfast.Totals) totalsReply {
	return totalsReply{t.Groups, t.Series, t.Bytes, t.Failed, t.Stale, t.Masked}
}

// groupReply tells of a group.
func (s *site) groupReply(g holdfast.Listed) *groupReply {
	key := g.Key()
	reply := &groupReply{
		ID: key.ID().String(), Labels: map[string]string{}, Path: key.Path(s.Names), States: statesOf(g),
		Series: g.Series(), Bytes: g.Size(), Families: make([]string, 0, len(g.Members())), Masked: g.Masked,
		FirstPush: timeOf(g.FirstPushed()), Expires: timeOf(g.Expires()), Every: g.Every().Seconds(),
	}
	for name, value := range keyLabels(g.Group) {
		reply.Labels[name] = value
	}
	for _, m := range g.Members() {
		reply.Families = append(reply.Families, m.Name)
	}
	if at := timeOf(g.Pushed()); at != nil {
		push := pushOf(*at, g.Origin())
		reply.LastPush = &push
	}
	if at := timeOf(g.Failed()); at != nil {
		reply.LastFailure = &failureReply{pushReply: pushReply{Time: *at}}
		if f := g.Failure(); f != nil {
			*reply.LastFailure = failureReply{pushOf(*at, f.Origin), f.Reason, f.Message}
		}
	}
	return reply
}

func statesOf(g holdfast.Listed) []string {
	var states []string
	for _, state := range groupStates()[1:] {
		if g.Has(state.value) {
			states = append(states, state.name)
		}
	}
	return states
}

func pushOf(at time.Time, from holdfast.Origin) pushReply {
	return pushReply{Time: at, Remote: from.Remote, ContentType: from.ContentType, Bytes: from.Bytes}
}

// timeOf returns nil for the zero time, so that it is left out.
func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
