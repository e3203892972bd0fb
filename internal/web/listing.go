package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"holdfast"
)

const (
	listedGroups = 100 // groups on one page unless asked otherwise
	listedMost   = 200
)

// listingView is the list of groups.
type listingView struct {
	Text     string   // what is searched
	Match    []string // selectors, as they were written
	Chips    []chip   // matchers of a single selector, each with a link that takes it out
	Problem  string   // why the query cannot be answered
	Hint     string
	States   []choice
	Ages     []choice
	Columns  []column
	Rows     []rowView
	Totals   holdfast.Totals
	Narrowed bool   // the query leaves groups out
	Wide     bool   // it has a cursor: this is not the first page
	First    string // link to the first page
	Next     string // link, "" at the end
	Query    string // without the cursor, for the way back and for what acts on all groups of it
	Gone     string // what was deleted just now
	Strip    []tileView
	Start    *startView // where nothing was pushed yet
}

// chip is a matcher that can be taken out.
type chip struct{ Text, Without string }

type column struct {
	Name, Text, Link string
	Sorted           string // ascending, descending, or none: as aria-sort has it
}

func (s *site) listing(r *http.Request, t *tongue) (any, error) {
	query := r.URL.Query()
	v := &listingView{Text: query.Get("q"), Match: query["match[]"], Query: withoutCursor(query), Wide: query.Get("cursor") != ""}
	if gone, err := strconv.Atoi(query.Get("gone")); err == nil {
		v.Gone = t.count(gone, "%s group was deleted.", "%s groups were deleted.")
	}
	v.Strip = s.tiles(t)
	asked, selectors, err := readQuery(query)
	var selection *holdfast.Selection
	if err == nil {
		selection, err = s.Gateway.Select(asked)
	}
	var refusal *holdfast.Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Kind == holdfast.Malformed:
		v.Problem, v.Hint = refusal.Message, refusal.Hint
		selection = &holdfast.Selection{}
	case err != nil:
		return nil, err
	}
	v.controls(query, asked, t)
	v.Chips = chips(query, selectors)
	v.Totals = selection.Totals
	v.Narrowed = err != nil || leavesOut(&asked)
	for _, group := range selection.Groups {
		v.Rows = append(v.Rows, s.row(group, query, selectors, t))
	}
	if next := selection.Next.String(); next != "" {
		v.Next = linkTo(query, "cursor", next)
	}
	v.First = linkTo(query, "cursor", "")
	if total, _, _ := s.Gateway.Totals(); total == 0 {
		v.Start = s.start(r)
	}
	return v, nil
}

// leavesOut reports whether a query leaves groups out.
func leavesOut(q *holdfast.Query) bool {
	return q.Text != "" || len(q.Selectors) > 0 || q.State != holdfast.AnyState || !q.Before.IsZero()
}

// readQuery reads the parameters of a list: q, match[], state, older_than, sort, order, limit and cursor.
// Errors are *holdfast.Refusal.
func readQuery(query url.Values) (holdfast.Query, []holdfast.Selector, error) {
	asked := holdfast.Query{Text: query.Get("q"), Limit: listedGroups, Descending: query.Get("order") == "desc"}
	for _, text := range query["match[]"] {
		if strings.TrimSpace(text) == "" {
			continue
		}
		selector, err := holdfast.ParseSelector(braced(text))
		if err != nil {
			return asked, nil, err
		}
		asked.Selectors = append(asked.Selectors, selector)
	}
	asked.State = map[string]holdfast.State{"ok": holdfast.OK, "failed": holdfast.Failed, "stale": holdfast.Stale, "masked": holdfast.Masked}[query.Get("state")]
	if age := query.Get("older_than"); age != "" {
		d, err := model.ParseDuration(age)
		if err != nil {
			return asked, nil, &holdfast.Refusal{
				Kind: holdfast.Malformed, Reason: "older_than", Message: "older_than cannot be read: " + err.Error(), Hint: "write it as 90s, 15m, 24h or 7d",
			}
		}
		asked.Before = time.Now().Add(-time.Duration(d))
	}
	asked.Sort = map[string]holdfast.Sort{
		"pushed": holdfast.ByPushed, "series": holdfast.BySeries, "bytes": holdfast.BySize,
	}[query.Get("sort")]
	if n, err := strconv.Atoi(query.Get("limit")); err == nil && n > 0 {
		asked.Limit = min(n, listedMost)
	}
	var err error
	asked.After, err = holdfast.ParseCursor(query.Get("cursor"))
	return asked, asked.Selectors, err
}

// braced lets people leave the braces of a selector out: job="a" is {job="a"}.
func braced(text string) string {
	if strings.Contains(text, "{") {
		return text
	}
	if at := strings.IndexAny(text, "=!"); at > 0 {
		return "{" + text + "}"
	}
	return text
}

// controls prepares what narrows and sorts the list.
func (v *listingView) controls(query url.Values, asked holdfast.Query, t *tongue) {
	for _, c := range []choice{
		{Value: "", Text: t.say("All")},
		{Value: "ok", Text: t.say("Healthy")},
		{Value: "failed", Text: t.say("Last push failed")},
		{Value: "stale", Text: t.say("Overdue")},
		{Value: "masked", Text: t.say("Masked")},
	} {
		c.Link, c.Chosen = linkTo(query, "state", c.Value), c.Value == query.Get("state")
		v.States = append(v.States, c)
	}
	for _, c := range []choice{
		{Value: "", Text: t.say("Any age")},
		{Value: "1h", Text: t.say("Older than 1 hour")},
		{Value: "1d", Text: t.say("Older than 1 day")},
		{Value: "7d", Text: t.say("Older than 7 days")},
	} {
		c.Chosen = c.Value == query.Get("older_than")
		v.Ages = append(v.Ages, c)
	}
	for _, c := range []struct {
		name, text string
		by         holdfast.Sort
	}{
		{"key", "Group", holdfast.ByKey},
		{"series", "Series", holdfast.BySeries},
		{"bytes", "Size", holdfast.BySize},
		{"pushed", "Last push", holdfast.ByPushed},
	} {
		order, sorted := "asc", "none"
		if c.by != holdfast.ByKey { // numbers: greatest first, newest first
			order = "desc"
		}
		if c.by == asked.Sort {
			sorted, order = "ascending", "desc"
			if asked.Descending {
				sorted, order = "descending", "asc"
			}
		}
		v.Columns = append(v.Columns, column{c.name, t.say(c.text), linkTo(query, "sort", c.name, "order", order), sorted})
	}
}

// linkTo returns a query with parameters changed, by pairs; a changed list starts at its beginning.
func linkTo(query url.Values, pairs ...string) string {
	changed := url.Values{}
	for name, values := range query {
		if name != "cursor" && name != "gone" {
			changed[name] = values
		}
	}
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] == "" {
			changed.Del(pair[0])
		} else {
			changed[pair[0]] = []string{pair[1]}
		}
	}
	return "?" + changed.Encode()
}

func withoutCursor(query url.Values) string { return strings.TrimPrefix(linkTo(query), "?") }

// chips shows the matchers of a query with one selector.
func chips(query url.Values, selectors []holdfast.Selector) []chip {
	if len(selectors) != 1 {
		return nil
	}
	var all []chip
	for i, m := range selectors[0] {
		rest := slices.Delete(slices.Clone(selectors[0]), i, i+1)
		text := ""
		if len(rest) > 0 {
			text = rest.String()
		}
		all = append(all, chip{m.String(), linkTo(query, "match[]", text)})
	}
	return all
}
