package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/model"

	"holdfast/internal/client"
)

// groupsCall is one call of groups.
type groupsCall struct {
	to        *connection
	args      []string // the action, list if none is named, and what it is about
	olderThan time.Duration
	state     string
	text      string
	sort      string
	limit     int
	output    string
	dryRun    bool
	yes       bool
}

// groupsCommand lists, shows and removes groups.
func groupsCommand() command {
	return command{name: "groups", help: "List groups (list MATCHER…), show one (show ID), or remove them (rm MATCHER…). Matchers are PromQL's: '{job=\"backup\",instance=~\"db-.*\"}'.", setup: func(app *kingpin.Application) func(context.Context) error {
		g := &groupsCall{to: addConnection(app)}
		app.Arg("WHAT", "list, show or rm, and matchers or an id.").StringsVar(&g.args)
		app.Flag("older-than", "Only groups whose last push is older, such as 7d.").SetValue((*span)(&g.olderThan))
		app.Flag("state", "For list: only groups in this state.").EnumVar(&g.state, "", "ok", "failed", "stale", "masked")
		app.Flag("search", "For list: only groups with this text in a grouping label or the name of a family.").Short('q').StringVar(&g.text)
		app.Flag("sort", "For list: key, pushed, series or bytes; the last two begin with the largest.").Default("key").EnumVar(&g.sort, "key", "pushed", "series", "bytes")
		app.Flag("limit", "Most groups that are listed; rm removes more.").Default("100").IntVar(&g.limit)
		addOutput(app, &g.output)
		app.Flag("dry-run", "For rm: tell what would go.").BoolVar(&g.dryRun)
		app.Flag("yes", "For rm: do not ask. Needed where nobody sits at a terminal.").Short('y').BoolVar(&g.yes)
		return g.run
	}}
}

func (g *groupsCall) run(ctx context.Context) error {
	action, about := "list", g.args
	if len(about) > 0 && !isMatcher(about[0]) {
		action, about = about[0], about[1:]
	}
	switch {
	case !slices.Contains([]string{"list", "show", "rm"}, action):
		return withHint(fmt.Errorf("groups cannot %q", action), `it can list, show and rm; matchers are in braces: '{job="x"}', or '{__name__="x"}' for groups that hold a metric`)
	case action != "list" && (g.state != "" || g.text != "" || g.sort != "key"):
		return withHint(errors.New("--state, --search and --sort are for list"), "rm removes all that its matchers and --older-than select")
	case action == "show" && (len(about) != 1 || isMatcher(about[0])):
		return withHint(errors.New("show needs one id"), "holdfast groups shows the ids")
	case action == "show":
		return g.show(ctx, client.Request{Method: http.MethodGet, Path: "/api/v1/groups/" + url.PathEscape(about[0])})
	case action == "rm":
		return g.remove(ctx, about)
	}
	return g.list(ctx, about)
}

// isMatcher tells matchers from actions and ids: they have braces.
func isMatcher(arg string) bool { return strings.Contains(arg, "{") }

func (g *groupsCall) print(ctx context.Context, r client.Request) error {
	answer, err := g.to.ask(ctx, r)
	if err != nil {
		return err
	}
	return printf("%s\n", strings.TrimSpace(string(answer)))
}

// show prints a group, indented for people.
func (g *groupsCall) show(ctx context.Context, r client.Request) error {
	if g.output == outputJSON {
		return g.print(ctx, r)
	}
	answer, err := g.to.ask(ctx, r)
	if err != nil {
		return err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, bytes.TrimSpace(answer), "", "  "); err != nil {
		return fmt.Errorf("read the gateway's answer: %w", err)
	}
	return printf("%s\n", &indented)
}

// query renders what selects groups.
func (g *groupsCall) query(matchers []string) url.Values {
	q := url.Values{"match[]": matchers}
	if g.olderThan > 0 {
		q.Set("older_than", model.Duration(g.olderThan).String())
	}
	return q
}

// groupsAnswer is a page of groups.
type groupsAnswer struct {
	Totals struct{ Groups, Series, Bytes, Failed, Stale int }
	Groups []listedGroup
}

// listedGroup is a group in a page.
type listedGroup struct {
	ID          string
	Labels      map[string]string
	States      []string
	Series      int
	Bytes       int
	LastPush    *struct{ Time time.Time } `json:"last_push"`
	LastFailure *struct {
		Time    time.Time
		Message string
	} `json:"last_failure"`
}

// ask reads a page of groups, or what a deletion says of them.
func (g *groupsCall) ask(ctx context.Context, r client.Request) (*groupsAnswer, error) {
	text, err := g.to.ask(ctx, r)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Reply groupsAnswer `json:"data"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("read the gateway's answer: %w", err)
	}
	return &answer.Reply, nil
}

func (g *groupsCall) list(ctx context.Context, matchers []string) error {
	q := g.query(matchers)
	for name, value := range map[string]string{"state": g.state, "q": g.text, "sort": g.sort, "limit": strconv.Itoa(g.limit)} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if g.sort == "series" || g.sort == "bytes" {
		q.Set("order", "desc")
	}
	r := client.Request{Method: http.MethodGet, Path: "/api/v1/groups?" + q.Encode()}
	if g.output == outputJSON {
		return g.print(ctx, r)
	}
	answer, err := g.ask(ctx, r)
	if err != nil {
		return err
	}
	if err := printGroups(answer.Groups); err != nil {
		return err
	}
	if total := answer.Totals.Groups; total > len(answer.Groups) {
		tell(fmt.Sprintf("%d of %d groups are listed; --limit lists more, up to 1000", len(answer.Groups), total))
	}
	return nil
}

// printGroups prints a table of groups.
func printGroups(groups []listedGroup) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tSERIES\tBYTES\tPUSHED\tSTATE\tGROUP")
	for _, group := range groups {
		pushed := "never"
		if group.LastPush != nil {
			pushed = ago(group.LastPush.Time)
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\t%s\t%s\n", group.ID, group.Series, group.Bytes, pushed, strings.Join(group.States, ","), keyText(group.Labels))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print groups: %w", err)
	}
	return nil
}

func ago(t time.Time) string { return time.Since(t).Round(time.Second).String() + " ago" }

// keyText renders labels as a selector would name them, job first.
func keyText(labels map[string]string) string {
	names := slices.Sorted(maps.Keys(labels))
	slices.SortStableFunc(names, func(a, b string) int {
		switch {
		case a == jobName && b != jobName:
			return -1
		case b == jobName && a != jobName:
			return 1
		}
		return 0
	})
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%s=%q", name, labels[name]))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// remove deletes the groups that matchers select.
func (g *groupsCall) remove(ctx context.Context, matchers []string) error {
	if len(matchers) == 0 || !isMatcher(matchers[0]) {
		return withHint(errors.New("rm needs a matcher"), `to remove all groups of a job: holdfast groups rm '{job="x"}'`)
	}
	sure, err := g.sure(ctx, matchers)
	if err != nil || !sure {
		return err
	}
	r := g.removal(matchers, g.dryRun)
	if g.output == outputJSON {
		return g.print(ctx, r)
	}
	done := showProgress("removing groups")
	answer, err := g.ask(ctx, r)
	done()
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, group := range answer.Groups {
		fmt.Fprintln(&lines, keyText(group.Labels))
	}
	if err := printf("%s", &lines); err != nil {
		return err
	}
	if more := answer.Totals.Groups - len(answer.Groups); more > 0 {
		tell(fmt.Sprintf("and %d more, which --limit lists up to 1000", more))
	}
	word := "removed"
	if g.dryRun {
		word = "would be removed"
	}
	tell(fmt.Sprintf("%s %s", groupCount(answer.Totals.Groups), word))
	return nil
}

// removal is the call that deletes what matchers select, or tells what it would delete.
func (g *groupsCall) removal(matchers []string, dryRun bool) client.Request {
	q := g.query(matchers)
	q.Set("dry_run", strconv.FormatBool(dryRun))
	q.Set("limit", strconv.Itoa(g.limit))
	return client.Request{Method: http.MethodDelete, Path: "/api/v1/groups?" + q.Encode()}
}

// asked is how many groups a question shows.
const asked = 5

// sure reports whether to go on: if --yes says so, or who sits at the terminal. A script is not asked, and
// must say --yes, for a matcher that selects too much cannot be undone.
func (g *groupsCall) sure(ctx context.Context, matchers []string) (bool, error) {
	if g.dryRun || g.yes {
		return true, nil
	}
	if !isTerminal(os.Stdin) || !isTerminal(os.Stderr) {
		return false, withHint(errors.New("nothing was removed: without a terminal to ask at, rm needs --yes"), "--dry-run tells what would go")
	}
	answer, err := g.ask(ctx, g.removal(matchers, true))
	if err != nil {
		return false, err
	}
	count := answer.Totals.Groups
	if count == 0 {
		tell("no group is selected")
		return false, nil
	}
	for _, group := range answer.Groups[:min(asked, len(answer.Groups))] {
		fmt.Fprintln(os.Stderr, "  "+keyText(group.Labels))
	}
	if count > asked {
		fmt.Fprintf(os.Stderr, "  and %d more\n", count-asked)
	}
	if !confirm(ctx, os.Stdin, os.Stderr, fmt.Sprintf("Remove %s with %d series?", groupCount(count), answer.Totals.Series)) {
		tell("nothing was removed")
		return false, nil
	}
	return true, nil
}

func groupCount(n int) string {
	if n == 1 {
		return "1 group"
	}
	return strconv.Itoa(n) + " groups"
}
