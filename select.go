package holdfast

import (
	"cmp"
	"slices"
	"time"
)

// Query asks for groups of one moment. The zero Query asks for all, by key, and lists none.
type Query struct {
	Selectors  []Selector // a group is asked for if one of them selects it; none: all are
	State      State
	Before     time.Time // only groups whose last push is older than this; see Group.LastChange
	Text       string    // only groups with this in a grouping label or a family's name; case does not count
	Sort       Sort
	Descending bool
	Limit      int    // how many groups are listed at most
	After      Cursor // list only what follows it; the zero Cursor: from the start
}

// Sort is by what groups are listed. Groups that are equal in it are listed by key.
type Sort uint8

// The sorts.
const (
	ByKey Sort = iota
	ByPushed
	BySeries
	BySize
)

// of returns a group's value in a sort.
func (s Sort) of(g *Group) int64 {
	switch s {
	case ByPushed:
		return g.pushed
	case BySeries:
		return int64(g.series)
	case BySize:
		return int64(g.size)
	}
	return 0
}

// Selection is the answer to a Query. It holds at most as many groups as were to be listed.
type Selection struct {
	Totals Totals
	Groups []Listed
	Next   Cursor // where the list goes on; the zero Cursor where it has ended
}

// Totals add up all groups that a query asks for, listed or not.
type Totals struct {
	Groups, Series, Bytes int
	Failed                int // groups whose last push was refused
	Stale                 int // groups that are overdue
	Masked                int // groups with a family that is not exposed
}

// Listed is a group in a list.
type Listed struct {
	*Group
	Masked []string // names of its families that are not exposed, since they clash with others
}

// Has reports whether the group is in a state.
func (l Listed) Has(s State) bool { return s.has(l.Group, l.Masked) }

// Select answers a query. Its errors are *Refusal.
func (g *Gateway) Select(q Query) (*Selection, error) {
	if err := g.Ready(); err != nil {
		return nil, err
	}
	if err := q.After.check(&q); err != nil {
		return nil, err
	}
	snap := g.index.snapshot()
	f := newFilter(&q, snap.masks(g.index.own))
	s := &Selection{}
	list := shortlist{query: &q}
	for _, group := range snap.order.all() {
		masked := f.masks.of(group)
		if f.passes(group, masked) {
			s.Totals.add(group, masked)
			list.offer(candidate{q.Sort.of(group), group})
		}
	}
	list.trim()
	for _, c := range list.best {
		s.Groups = append(s.Groups, Listed{c.group, f.masks.of(c.group)})
	}
	if len(list.best) > 0 && list.more {
		last := list.best[len(list.best)-1]
		s.Next = Cursor{sort: q.Sort, descending: q.Descending, value: last.value, key: last.group.key}
	}
	return s, nil
}

func (t *Totals) add(g *Group, masked []string) {
	t.Groups++
	t.Series += g.series
	t.Bytes += g.size
	if !g.LastPushSucceeded() {
		t.Failed++
	}
	if g.late {
		t.Stale++
	}
	if len(masked) > 0 {
		t.Masked++
	}
}

// candidate is a group that may be listed, and its value in the sort.
type candidate struct {
	value int64
	group *Group
}

// shortlist keeps the first groups of a query's order, with room for twice as many as are listed.
type shortlist struct {
	query *Query
	best  []candidate
	worst candidate // of those that are listed if nothing better comes, once there are enough
	more  bool      // others follow the best
}

func (l *shortlist) offer(c candidate) {
	q := l.query
	if q.After != (Cursor{}) && q.order(c, candidate{q.After.value, &Group{key: q.After.key}}) <= 0 {
		return
	}
	if l.more = l.more || len(l.best) >= q.Limit; q.Limit <= 0 || l.worst.group != nil && q.order(c, l.worst) > 0 {
		return
	}
	l.best = append(l.best, c)
	if len(l.best) == 2*q.Limit {
		l.trim()
		l.worst = l.best[q.Limit-1]
	}
}

// trim sorts the best and drops what is too much.
func (l *shortlist) trim() {
	slices.SortFunc(l.best, l.query.order)
	l.best = l.best[:min(len(l.best), max(0, l.query.Limit))]
}

// order compares groups as the query lists them.
func (q *Query) order(a, b candidate) int {
	byKey := a.group.key.Compare(b.group.key)
	if q.Sort == ByKey {
		if q.Descending {
			return -byKey
		}
		return byKey
	}
	if q.Descending {
		a, b = b, a
	}
	return cmp.Or(cmp.Compare(a.value, b.value), byKey)
}
