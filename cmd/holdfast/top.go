package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"text/tabwriter"

	"github.com/alecthomas/kingpin/v2"

	"holdfast/internal/client"
)

// topCommand shows what an operator looks for first.
func topCommand() command {
	return command{name: "top", help: "Show the groups that matter first: the largest, those silent for longest, those whose last push was refused, and those overdue.", setup: func(app *kingpin.Application) func(context.Context) error {
		g := &groupsCall{to: addConnection(app)}
		app.Arg("MATCHER", "Only groups that these select.").StringsVar(&g.args)
		app.Flag("limit", "Groups of each kind.").Short('n').Default("5").IntVar(&g.limit)
		addOutput(app, &g.output)
		return g.top
	}}
}

// ranking is one part of top: what it asks the gateway for, and how it prints what comes.
type ranking struct {
	name, title string
	query       map[string]string
	print       func([]listedGroup) error
}

func rankings() []ranking {
	return []ranking{
		{"largest", "LARGEST", map[string]string{"sort": "series", "order": "desc"}, printGroups},
		{"silent", "SILENT FOR LONGEST", map[string]string{"sort": "pushed"}, printGroups},
		{"failed", "LAST PUSH REFUSED", map[string]string{"state": "failed"}, printFailures},
		{"overdue", "OVERDUE", map[string]string{"state": "stale", "sort": "pushed"}, printGroups},
	}
}

func (g *groupsCall) top(ctx context.Context) error {
	whole := map[string]json.RawMessage{}
	for i, part := range rankings() {
		q := url.Values{"match[]": g.args, "limit": {strconv.Itoa(g.limit)}}
		for name, value := range part.query {
			q.Set(name, value)
		}
		r := client.Request{Method: http.MethodGet, Path: "/api/v1/groups?" + q.Encode()}
		if g.output == outputJSON {
			answer, err := g.to.ask(ctx, r)
			if err != nil {
				return err
			}
			whole[part.name] = answer
			continue
		}
		answer, err := g.ask(ctx, r)
		if err != nil {
			return err
		}
		if i == 0 {
			t := answer.Totals
			if err := printf("%s, %d series, %d bytes; %d refused, %d overdue\n", groupCount(t.Groups), t.Series, t.Bytes, t.Failed, t.Stale); err != nil {
				return err
			}
		}
		if len(answer.Groups) == 0 {
			continue
		}
		if err := printf("\n%s\n", part.title); err != nil {
			return err
		}
		if err := part.print(answer.Groups); err != nil {
			return err
		}
	}
	if g.output == outputJSON {
		if err := json.NewEncoder(os.Stdout).Encode(whole); err != nil {
			return fmt.Errorf("print groups: %w", err)
		}
	}
	return nil
}

// shownReason is how many characters of a refusal a table shows.
const shownReason = 100

// printFailures prints a table of groups with why the last push to each was refused.
func printFailures(groups []listedGroup) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tREFUSED\tGROUP\tREASON")
	for _, group := range groups {
		refused, reason := "", []rune("not known any more")
		if failure := group.LastFailure; failure != nil {
			if refused = ago(failure.Time); failure.Message != "" {
				reason = []rune(failure.Message)
			}
		}
		if len(reason) > shownReason {
			reason = append(reason[:shownReason-1], '…')
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", group.ID, refused, keyText(group.Labels), string(reason))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print groups: %w", err)
	}
	return nil
}
