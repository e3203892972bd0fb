package main

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/model"

	"holdfast/internal/client"
	"holdfast/internal/exposition"
)

// keyFlags say which group is meant.
type keyFlags struct {
	job    string
	labels labelList
}

func addKey(app *kingpin.Application) *keyFlags {
	k := &keyFlags{}
	app.Flag("job", "The job of the group. Needed.").Short('j').Required().StringVar(&k.job)
	app.Flag("label", "A further label of the group, as NAME=VALUE; any value will do. Repeatable.").Short('l').PlaceHolder("NAME=VALUE").SetValue(&k.labels)
	return k
}

// grouping returns the labels of the group.
func (k *keyFlags) grouping() []exposition.Label {
	return append([]exposition.Label{{Name: "job", Value: k.job}}, k.labels...)
}

// termFlags say how long what is pushed is to stay, and how often it comes.
type termFlags struct{ ttl, every time.Duration }

func addTerms(app *kingpin.Application) *termFlags {
	t := &termFlags{}
	app.Flag("ttl", "Have the gateway drop the group when nothing was pushed to it for this long, such as 90s, 24h or 7d. Needs a Holdfast.").
		SetValue((*span)(&t.ttl))
	app.Flag("every", "How often pushes come: the gateway says when one is overdue. Needs a Holdfast.").SetValue((*span)(&t.every))
	return t
}

// options renders the terms as the option prefix has them.
func (t *termFlags) options() string {
	var said []string
	if t.ttl > 0 {
		said = append(said, "ttl="+model.Duration(t.ttl).String())
	}
	if t.every > 0 {
		said = append(said, "every="+model.Duration(t.every).String())
	}
	return strings.Join(said, ",")
}

// pushCommand is the command that pushes in a mode.
func pushCommand(name, mode, help string) command {
	return command{name: name, help: help, setup: func(app *kingpin.Application) func(context.Context) error {
		key, terms, from := addKey(app), addTerms(app), addMetrics(app)
		to := addConnection(app)
		addQuiet(app, to)
		return func(ctx context.Context) error {
			body, err := from.read(ctx)
			if err != nil {
				return err
			}
			err = to.deliver(ctx, &client.Push{Mode: mode, Labels: key.grouping(), Options: terms.options(), Body: body})
			if err == nil && mode == client.Put && !to.quiet && len(bytes.TrimSpace(body)) == 0 {
				tell("there were no metrics, so the group holds none any more")
			}
			return err
		}
	}}
}

// deleteCommand deletes a group.
func deleteCommand() command {
	return command{name: "delete", help: "Delete a group: the one with exactly these labels. One that is not there is no error.", setup: func(app *kingpin.Application) func(context.Context) error {
		key, to := addKey(app), addConnection(app)
		addQuiet(app, to)
		return func(ctx context.Context) error {
			return to.deliver(ctx, &client.Push{Mode: client.Delete, Labels: key.grouping()})
		}
	}}
}

func addQuiet(app *kingpin.Application, to *connection) {
	app.Flag("quiet", "Do not tell on stderr that a push waits in the spool. What is lost is told all the same.").BoolVar(&to.quiet)
}

// deliver sends one push.
func (c *connection) deliver(ctx context.Context, p *client.Push) error {
	gateway, err := c.open()
	if err != nil {
		return err
	}
	if err := p.Prepare(); err != nil {
		return err
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	return c.send(ctx, gateway, p)
}
