package main

import (
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
	json      bool
	dryRun    bool
	yes       bool
}

// groupsCommand lists, shows and removes groups.
func groupsCommand() clientCommand {
	return clientCommand{name: "groups", help: "List groups (list MATCHER…), show one (show ID), or remove them (rm MATCHER…). Matchers are PromQL's: '{job=\"backup\",instance=~\"db-.*\"}'.", setup: func(app *kingpin.Application) func(context.Context) error {
		g := &groupsCall{to: addConnection(app)}
		app.Arg("WHAT", "list, show or rm, and matchers or an id.").StringsVar(&g.args)
		app.Flag("older-than", "Only groups whose last push is older, such as 7d.").SetValue((*span)(&g.olderThan))
		app.Flag("state", "Only groups in this state.").EnumVar(&g.state, "", "ok", "failed", "stale", "masked")
		app.Flag("search", "Only groups with this text in a grouping label or the name of a family.").Short('q').StringVar(&g.text)
		app.Flag("sort", "key, pushed, series or bytes; the last two begin with the largest.").Default("key").EnumVar(&g.sort, "key", "pushed", "series", "bytes")
		app.Flag("limit", "Most groups that are listed.").Default("100").IntVar(&g.limit)
		app.Flag("json", "Print what the gateway answers.").BoolVar(&g.json)
		app.Flag("dry-run", "For rm: tell what would go.").BoolVar(&g.dryRun)
		app.Flag("yes", "For rm: do not ask.").BoolVar(&g.yes)
		return g.run
	}}
}

func (g *groupsCall) run(ctx context.Context) error {
	action, about := "list", g.args
	if len(about) > 0 && slices.Contains([]string{"list", "show", "rm"}, about[0]) {
		action, about = about[0], about[1:]
	}
	switch {
	case action == "show" && len(about) != 1:
		return withHint(errors.New("show needs one id"), "holdfast groups --json list shows the ids")
	case action == "show":
		return g.print(ctx, client.Request{Method: http.MethodGet, Path: "/api/v1/groups/" + url.PathEscape(about[0])})
	case action == "rm":
		return g.remove(ctx, about)
	}
	return g.list(ctx, about)
}

func (g *groupsCall) print(ctx context.Context, r client.Request) error {
	answer, err := g.to.ask(ctx, r)
	if err != nil {
		return err
	}
	fmt.Println(strings.TrimSpace(string(answer)))
	return nil
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
	Reply struct {
		Totals struct{ Groups, Series, Bytes int }
		Groups []struct {
			ID       string
			Labels   map[string]string
			States   []string
			Series   int
			Bytes    int
			LastPush *struct{ Time time.Time } `json:"last_push"`
		}
	} `json:"data"`
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
	if g.json {
		return g.print(ctx, r)
	}
	text, err := g.to.ask(ctx, r)
	if err != nil {
		return err
	}
	var answer groupsAnswer
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("read the gateway's answer: %w", err)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tSERIES\tBYTES\tPUSHED\tSTATE\tGROUP")
	for _, group := range answer.Reply.Groups {
		pushed := "never"
		if group.LastPush != nil {
			pushed = time.Since(group.LastPush.Time).Round(time.Second).String() + " ago"
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\t%s\t%s\n", group.ID, group.Series, group.Bytes, pushed, strings.Join(group.States, ","), keyText(group.Labels))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print groups: %w", err)
	}
	if total := answer.Reply.Totals.Groups; total > len(answer.Reply.Groups) {
		tell(fmt.Sprintf("%d of %d groups are listed; --limit lists more, up to 1000", len(answer.Reply.Groups), total))
	}
	return nil
}

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
	if len(matchers) == 0 {
		return withHint(errors.New("rm needs a matcher"), `to remove all groups of a job: holdfast groups rm '{job="x"}'`)
	}
	if !g.dryRun && !g.yes {
		return withHint(errors.New("nothing was removed: rm needs --yes"), "--dry-run tells what would go")
	}
	q := g.query(matchers)
	q.Set("dry_run", strconv.FormatBool(g.dryRun))
	r := client.Request{Method: http.MethodDelete, Path: "/api/v1/groups?" + q.Encode()}
	if g.json {
		return g.print(ctx, r)
	}
	text, err := g.to.ask(ctx, r)
	if err != nil {
		return err
	}
	return printRemoved(text, g.dryRun)
}

// printRemoved tells what went, or would go.
func printRemoved(text []byte, dryRun bool) error {
	var answer groupsAnswer
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("read the gateway's answer: %w", err)
	}
	for _, group := range answer.Reply.Groups {
		fmt.Println(keyText(group.Labels))
	}
	word := "removed"
	if dryRun {
		word = "would be removed"
	}
	tell(fmt.Sprintf("%d groups %s", answer.Reply.Totals.Groups, word))
	return nil
}
