package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kingpin/v2"

	"holdfast/internal/client"
)

// command is what the program does beside serving: it has flags of its own, does one thing and ends.
type command struct {
	name, help string
	failed     int // exit code of the command's own failures; 0 for exitWrong
	// setup adds the command's flags, and returns what it does once they are parsed.
	setup func(app *kingpin.Application) func(ctx context.Context) error
}

// commands are all of them, as help, completion and the man page list them.
func commands() []command {
	return []command{
		pushCommand("push", client.Post, "Push metrics to a group: each family takes the place of the one of its name, the rest of the group stays."),
		pushCommand("put", client.Put, "Push metrics as a whole group: what was in it goes."),
		pushCommand("patch", client.Patch, "Push metrics to a group: each series takes the place of the one with its labels, the rest stays."),
		pushCommand("add", client.Add, "Add metrics to those of a group, series by series: for counters and histograms of runs that end."),
		deleteCommand(),
		spoolCommand(),
		runCommand(),
		groupsCommand(),
		topCommand(),
		checkCommand(),
		compareCommand(),
		healthCommand(),
		backupCommand(),
		verifyCommand(),
		checkConfigCommand(),
		exportCommand(),
		completionCommand(),
		manCommand(),
	}
}

// commandNames are the names of all commands but serve.
func commandNames() []string {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return names
}

// app returns the command's flags, and what it does once they are parsed. Its text for -h is on stdout.
func (c command) app(program string) (*kingpin.Application, func(ctx context.Context) error) {
	app := kingpin.New(program+" "+c.name, c.help)
	app.UsageWriter(helpWriter{})
	app.HelpFlag.Short('h')
	return app, c.setup(app)
}

// run is the command as main runs it. It returns the exit code.
func (c command) run(program string, args []string) int {
	app, do := c.app(program)
	if err := parse(app, args); err != nil {
		return report(c.ownFailure(withHint(err, "see "+program+" "+c.name+" --help")))
	}
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()
	return report(c.ownFailure(do(ctx)))
}

// ownFailure gives an error that asks for no exit code that of the command's own failures.
func (c command) ownFailure(err error) error {
	var asked *coded
	if err == nil || c.failed == 0 || errors.As(err, &asked) {
		return err
	}
	return &coded{err, c.failed}
}
