package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/alecthomas/kingpin/v2"

	"holdfast/internal/client"
)

// healthCommand is for images that have no shell and no curl.
func healthCommand() command {
	return command{name: "healthcheck", help: "Ask a gateway whether it is healthy. The exit code is 0 if it is.", setup: func(app *kingpin.Application) func(context.Context) error {
		to := addConnection(app)
		ready := app.Flag("ready", "Ask whether it has loaded what is stored and takes pushes.").Bool()
		return func(ctx context.Context) error {
			path := "/-/healthy"
			if *ready {
				path = "/-/ready"
			}
			if _, err := to.ask(ctx, client.Request{Method: http.MethodGet, Path: path}); err != nil {
				return &coded{err, exitWrong}
			}
			return nil
		}
	}}
}

// ask makes one request and returns the answer's body.
func (c *connection) ask(ctx context.Context, r client.Request) ([]byte, error) {
	gateway, err := c.open()
	if err != nil {
		return nil, err
	}
	return c.askOf(ctx, gateway, r)
}

// askOf is ask of a client that is open.
func (c *connection) askOf(ctx context.Context, gateway *client.Client, r client.Request) ([]byte, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	answer, err := gateway.Do(ctx, r)
	var lost *client.Undelivered
	if errors.As(err, &lost) {
		return nil, withHint(err, lostHint(lost))
	}
	return answer, err
}
