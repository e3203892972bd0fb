package holdfast

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"

	"holdfast/internal/exposition"
)

const longAgo = 900_000_000 // Unix seconds, before the clock of synctest begins

// drawGroups fills a gateway at random: groups of several shapes, some refused later, some never
// accepted. All times lie in one minute, many are equal.
func drawGroups(t *testing.T, g *Gateway, r *rand.Rand, n int) {
	t.Helper()
	for range n {
		key := NewKey(exposition.Label{Name: "job", Value: fmt.Sprintf("Job%d", r.IntN(n))}, exposition.Label{Name: "zone", Value: []string{"eu", "US", "北京"}[r.IntN(3)]})
		at := time.Unix(longAgo+r.Int64N(60), 0)
		families := oneMetric([]string{"Rows_total", "size_bytes"}[r.IntN(2)], dto.MetricType_GAUGE)
		if r.IntN(4) == 0 {
			families = append(families, oneMetric("holdfast_own", dto.MetricType_GAUGE)...) // refused
		}
		err := g.Push(t.Context(), Push{Key: key, Families: families, Time: at, Mode: Mode(r.IntN(2)), Terms: drawTerms(r)})
		if refusal := (*Refusal)(nil); err != nil && !errors.As(err, &refusal) {
			t.Fatal(err)
		}
	}
}

// drawTerms says of every third push that the next one is due in a minute, or in a hundred years.
func drawTerms(r *rand.Rand) Terms {
	every := []time.Duration{time.Minute, 100 * 365 * 24 * time.Hour}[r.IntN(2)]
	if r.IntN(3) > 0 {
		return Terms{}
	}
	return Terms{Every: &every}
}

func drawQuery(t *testing.T, r *rand.Rand) Query {
	t.Helper()
	q := Query{Sort: Sort(r.IntN(4)), Descending: r.IntN(2) == 0, Limit: 1 + r.IntN(20), State: State(r.IntN(5))}
	q.Text = []string{"", "", "job1", "ROWS", "京", `zone="us"`, "nothing"}[r.IntN(7)]
	for _, text := range []string{`{zone="eu"}`, `{job=~"Job.*7",zone!="eu"}`, `size_bytes`}[:r.IntN(4)] {
		s, err := ParseSelector(text)
		if err != nil {
			t.Fatal(err)
		}
		q.Selectors = append(q.Selectors, s)
	}
	if r.IntN(3) == 0 {
		q.Before = time.Unix(longAgo+r.Int64N(60), 0)
	}
	return q
}

// plainSelect answers a query the obvious way, all pages at once.
func plainSelect(t *testing.T, g *Gateway, q Query) (list []*Group, totals Totals) {
	t.Helper()
	for _, group := range groupsOf(t, g) {
		last := group.Pushed()
		if last.IsZero() {
			last = group.Failed()
		}
		text := strings.ToLower(group.Key().String())
		chosen := len(q.Selectors) == 0
		for _, m := range group.Members() {
			for _, s := range q.Selectors {
				chosen = chosen || s.MatchesLabels(group.Key().Labels()) && s.MatchesName(m.Name)
			}
			if !strings.HasPrefix(m.Name, "push_") {
				text += "\n" + strings.ToLower(m.Name)
			}
		}
		if !chosen || !inState(group, q.State) ||
			!q.Before.IsZero() && !last.Before(q.Before) || !strings.Contains(text, strings.ToLower(q.Text)) {
			continue
		}
		list = append(list, group)
		totals.Groups++
		totals.Series += group.Series()
		totals.Bytes += group.Size()
		for state, count := range map[State]*int{Failed: &totals.Failed, Stale: &totals.Stale} {
			if inState(group, state) {
				*count++
			}
		}
	}
	values := map[Sort]func(*Group) int64{
		ByPushed: func(g *Group) int64 { return g.pushed },
		BySeries: func(g *Group) int64 { return int64(g.Series()) },
		BySize:   func(g *Group) int64 { return int64(g.Size()) },
	}
	slices.SortFunc(list, func(a, b *Group) int {
		by, keys, sign := 0, a.Key().Compare(b.Key()), 1
		if q.Descending {
			sign = -1
		}
		if q.Sort == ByKey {
			return sign * keys
		}
		by = sign * cmp.Compare(values[q.Sort](a), values[q.Sort](b))
		return cmp.Or(by, keys)
	})
	return list, totals
}

func inState(g *Group, s State) bool {
	failed := g.Failed().After(g.Pushed())
	return s == AnyState || s == OK && !failed && !g.Overdue() || s == Failed && failed || s == Stale && g.Overdue()
}

func groupsOf(t *testing.T, g *Gateway) []*Group {
	t.Helper()
	_, groups, err := g.Groups()
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(groups)
}

// pages follows a query's cursors to the end, through their text form.
func pages(t *testing.T, g *Gateway, q Query, between func()) (list []*Group, totals Totals) {
	t.Helper()
	for {
		s, err := g.Select(q)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Groups) > q.Limit {
			t.Fatalf("a page of %d groups, limit %d", len(s.Groups), q.Limit)
		}
		for _, group := range s.Groups {
			list = append(list, group.Group)
		}
		if totals = s.Totals; s.Next == (Cursor{}) {
			return list, totals
		}
		if q.After, err = ParseCursor(s.Next.String()); err != nil || q.After != s.Next {
			t.Fatalf("cursor %v reads back as %v: %v", s.Next, q.After, err)
		}
		between()
	}
}

func keysOf(groups []*Group) (keys []string) {
	for _, g := range groups {
		keys = append(keys, g.Key().String())
	}
	return keys
}

// Whatever is asked, the pages together are what a plain search and sort gives.
func TestSelectIsAPlainSearch(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) { selectIsAPlainSearch(t, seed) })
	}
}

func selectIsAPlainSearch(t *testing.T, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	g := newTestGateway(t, nil)
	drawGroups(t, g, r, 120)
	synctest.Wait() // until groups that are overdue say so
	for range 40 {
		q := drawQuery(t, r)
		want, wantTotals := plainSelect(t, g, q)
		got, totals := pages(t, g, q, func() {})
		if !slices.Equal(keysOf(got), keysOf(want)) || totals != wantTotals {
			t.Fatalf("seed %d, %+v:\ngot  %v, %+v\nwant %v, %+v", seed, q, keysOf(got), totals, keysOf(want), wantTotals)
		}
	}
}

// While groups come, go and change between pages, those that do not are listed once each.
func TestPagesAreStable(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 9))
		g := newTestGateway(t, nil)
		drawGroups(t, g, r, 150)
		before := map[string]*Group{}
		for _, group := range groupsOf(t, g) {
			before[group.Key().String()] = group
		}
		q := Query{Sort: Sort(seed % 4), Descending: seed%8 > 3, Limit: 7}
		list, _ := pages(t, g, q, func() {
			drawGroups(t, g, r, 8)
			for _, group := range before {
				if r.IntN(100) == 0 {
					if err := g.Delete(t.Context(), group.Key()); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
		listed := map[string]int{}
		for _, key := range keysOf(list) {
			listed[key]++
		}
		for key, group := range before {
			if g.index.group(group.Key()) == group && listed[key] != 1 {
				t.Errorf("seed %d, sort %d: group %s did not change and is listed %d times", seed, q.Sort, key, listed[key])
			}
		}
	}
}

func TestCursorOfAnotherListIsRefused(t *testing.T) {
	g := newTestGateway(t, nil)
	drawGroups(t, g, rand.New(rand.NewPCG(1, 1)), 20)
	s, err := g.Select(Query{Limit: 2, Sort: BySeries})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []Query{{Limit: 2, After: s.Next}, {Limit: 2, Sort: BySeries, Descending: true, After: s.Next}} {
		if _, err := g.Select(q); err == nil || !strings.Contains(err.Error(), "another order") {
			t.Errorf("%+v: %v", q, err)
		}
	}
	for _, text := range []string{"!", "AA", "_wAB", "AAA"} {
		if c, err := ParseCursor(text); err == nil {
			t.Errorf("%q reads as the cursor %+v", text, c)
		}
	}
}

// What a scrape does not show is listed as masked.
func TestSelectTellsWhatIsMasked(t *testing.T) {
	g := newTestGateway(t, func(o *Options) { o.Unchecked = true })
	for name, typ := range map[string]dto.MetricType{"a": dto.MetricType_GAUGE, "b": dto.MetricType_GAUGE, "c": dto.MetricType_COUNTER} {
		families := append(oneMetric("m", typ), oneMetric("n", dto.MetricType_GAUGE)...)
		if err := g.Push(t.Context(), Push{Key: job(name), Families: families, Time: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	s, err := g.Select(Query{State: Masked, Limit: 10})
	if err != nil || len(s.Groups) != 1 || s.Totals.Masked != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	if got := s.Groups[0]; got.Key() != job("c") || !slices.Equal(got.Masked, []string{"m"}) {
		t.Errorf("masked are %v of %v", got.Masked, got.Key())
	}
	if s, err = g.Select(Query{State: OK, Limit: 10}); err != nil || s.Totals.Groups != 2 {
		t.Errorf("%+v are ok, %v", s, err)
	}
}
