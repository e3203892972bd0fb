package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"

	"holdfast"
	"holdfast/internal/disk"
)

// verify checks the store of a stopped instance and returns the exit code.
func verify(name string, args []string) int {
	c := newCommand(name+" verify", "Check the store of a stopped Holdfast: read everything in it, and say what it holds or what is damaged. Nothing is changed.")
	directory := c.Arg("DIR", "Directory of the store, as in --storage.path.").Required().ExistingDir()
	return c.run(args, func() (string, error) {
		held, err := inspect(context.Background(), *directory)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s is sound; groups: %d, families: %d, series: %d, bytes of metrics: %d",
			*directory, held.Groups, held.Families, held.Series, held.Bytes), nil
	})
}

// inspect reads all of a store that no instance runs on.
func inspect(ctx context.Context, directory string) (held holdfast.Inventory, err error) {
	err = withStore(directory, func(e holdfast.Engine) error {
		held, err = holdfast.Verify(ctx, e)
		return err
	})
	return held, err
}

// withStore opens a store for reading, for as long as use runs.
func withStore(directory string, use func(holdfast.Engine) error) error {
	engine, err := disk.OpenReadOnly(directory, toolLogger())
	if err != nil {
		return err
	}
	return errors.Join(use(engine), engine.Close())
}

// toolLogger logs what an operator at a terminal has to know.
func toolLogger() *slog.Logger {
	return promslog.New(&promslog.Config{Style: promslog.GoKitStyle})
}

// command is a command beside serve: it does one thing and ends.
type command struct{ *kingpin.Application }

func newCommand(name, help string) command {
	app := kingpin.New(name, help)
	app.UsageWriter(os.Stdout)
	app.HelpFlag.Short('h')
	return command{app}
}

// run parses args and does what the command is for. It prints the sentence that do returns, or the
// error, and returns the exit code.
func (c command) run(args []string, do func() (string, error)) int {
	if _, err := c.Parse(args); err != nil {
		c.Errorf("%s, try --help", err)
		return 1
	}
	done, err := do()
	if err != nil {
		c.Errorf("%s", err)
		return 1
	}
	fmt.Println(done)
	return 0
}
