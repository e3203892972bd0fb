package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"holdfast/internal/client"
	"holdfast/internal/exposition"
)

// checkAnswer is what a gateway says of metrics that it would accept.
type checkAnswer struct {
	Reply struct {
		Families, Series, Omitted int
		Advice                    []struct{ Family, Text string }
	} `json:"data"`
}

// checkCommand asks a gateway what it would say to a push, without pushing.
func checkCommand() command {
	return command{name: "check", help: "Check metrics without pushing them: what the gateway would say, and advice. The exit code is 1 if it would refuse them.", setup: func(app *kingpin.Application) func(context.Context) error {
		from, to := addMetrics(app), addConnection(app)
		var labels labelList
		job := app.Flag("job", "The job of the group that is meant. Without it, only what needs no comparison with other groups is checked.").Short('j').String()
		app.Flag("label", "A further label of that group, as NAME=VALUE. Repeatable.").Short('l').PlaceHolder("NAME=VALUE").SetValue(&labels)
		var output string
		addOutput(app, &output)
		return func(ctx context.Context) error {
			body, err := from.read(ctx)
			if err != nil {
				return err
			}
			if body, err = client.Text(body); err != nil {
				return err
			}
			request, err := checkRequest(*job, labels, body)
			if err != nil {
				return err
			}
			answer, err := to.ask(ctx, request)
			if err != nil {
				return err
			}
			if output == outputJSON {
				return printf("%s\n", strings.TrimSpace(string(answer)))
			}
			return printCheck(answer)
		}
	}}
}

func checkRequest(job string, labels labelList, body []byte) (client.Request, error) {
	r := client.Request{Method: http.MethodPost, Path: "/api/v1/check", Body: body, Header: http.Header{"Content-Type": {client.ContentType(body)}}}
	if job == "" {
		return r, nil
	}
	path, err := client.Path(append([]exposition.Label{{Name: jobName, Value: job}}, labels...))
	if err != nil {
		return r, err
	}
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return r, fmt.Errorf("the grouping key: %w", err)
	}
	r.Path += "?grouping=" + url.QueryEscape(decoded)
	return r, nil
}

const jobName = "job"

// printCheck tells what would be accepted, and the advice line by line.
func printCheck(text []byte) error {
	var answer checkAnswer
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("read the gateway's answer: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "accepted: %d families, %d series\n", answer.Reply.Families, answer.Reply.Series)
	for _, a := range answer.Reply.Advice {
		fmt.Fprintf(&b, "advice: %s: %s\n", a.Family, a.Text)
	}
	if answer.Reply.Omitted > 0 {
		fmt.Fprintf(&b, "advice: %d more\n", answer.Reply.Omitted)
	}
	return printf("%s", &b)
}
