package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"holdfast/internal/client"
)

// exitDifferent is compare's exit code for pages that differ; exitWrong would say the same as a failure.
const exitDifferent = 2

// compareCommand tells whether two gateways expose the same, for those who move from one to the other.
func compareCommand() command {
	return command{name: "compare", help: "Tell whether two gateways expose the same metrics, but for their own. Flags such as --user count for both. The exit code is 0 if they do, 2 if they do not.", setup: func(app *kingpin.Application) func(context.Context) error {
		to := addConnection(app)
		other := app.Arg("URL", "The other gateway, which is compared with --url.").Required().String()
		times := app.Flag("times", "Compare the times of pushes too.").Bool()
		return func(ctx context.Context) error {
			ours, err := to.page(ctx, *times)
			if err != nil {
				return err
			}
			to.url = *other
			theirs, err := to.page(ctx, *times)
			if err != nil {
				return err
			}
			return printDifferences(ours, theirs)
		}
	}}
}

// ownFamilies begin the names of what gateways say of themselves.
var ownFamilies = []string{"pushgateway_", "holdfast_", "go_", "process_", "promhttp_"}

// page returns what a gateway exposes: for each line without its value, the value.
func (c *connection) page(ctx context.Context, times bool) (map[string]string, error) {
	gateway, err := c.open()
	if err != nil {
		return nil, err
	}
	defer showProgress("reading the page of " + gateway.String())()
	text, err := c.askOf(ctx, gateway, client.Request{Method: http.MethodGet, Path: "/metrics", Header: http.Header{"Accept": {"text/plain"}}})
	var refused *client.Refused
	if errors.As(err, &refused) {
		return nil, fmt.Errorf("%s: %w", gateway, err)
	}
	if err != nil {
		return nil, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read the page of %s: %w", gateway, err)
	}
	lines := map[string]string{}
	for name, family := range families {
		own := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
		if slices.ContainsFunc(ownFamilies, own) || !times && (name == "push_time_seconds" || name == "push_failure_time_seconds") {
			continue
		}
		for _, m := range family.Metric {
			slices.SortFunc(m.Label, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
		}
		var b bytes.Buffer
		if _, err := expfmt.MetricFamilyToText(&b, family); err != nil {
			return nil, fmt.Errorf("read the page of %s: %w", gateway, err)
		}
		for line := range strings.Lines(b.String()) {
			line = strings.TrimSuffix(line, "\n")
			at := strings.LastIndexByte(line, ' ')
			if !strings.HasPrefix(line, "# HELP") {
				lines[line[:at]] = line[at+1:]
			}
		}
	}
	return lines, nil
}

// printDifferences prints what only one of two pages has, and values that differ.
func printDifferences(ours, theirs map[string]string) error {
	series := map[string]bool{}
	for s := range ours {
		series[s] = true
	}
	for s := range theirs {
		series[s] = true
	}
	different := 0
	var out strings.Builder
	for _, s := range slices.Sorted(maps.Keys(series)) {
		a, inOurs := ours[s]
		b, inTheirs := theirs[s]
		if a == b && inOurs == inTheirs {
			continue
		}
		different++
		if inOurs {
			fmt.Fprintf(&out, "- %s %s\n", s, a)
		}
		if inTheirs {
			fmt.Fprintf(&out, "+ %s %s\n", s, b)
		}
	}
	if err := printf("%s", &out); err != nil {
		return err
	}
	if different > 0 {
		return &coded{fmt.Errorf("%d lines differ of %d", different, len(series)), exitDifferent}
	}
	tell(fmt.Sprintf("the same %d lines", len(series)))
	return nil
}
