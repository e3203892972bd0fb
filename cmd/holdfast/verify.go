package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"

	"holdfast"
	"holdfast/internal/disk"
)

// verifyCommand checks the store of a stopped instance.
func verifyCommand() command {
	return command{name: "verify", help: "Check the store of a stopped Holdfast: read everything in it, and say what it holds or what is damaged. Nothing is changed.", setup: func(app *kingpin.Application) func(context.Context) error {
		directory := app.Arg("DIR", "Directory of the store, as in --storage.path.").Required().ExistingDir()
		return func(ctx context.Context) error {
			held, err := inspect(ctx, *directory)
			if err != nil {
				return err
			}
			return printf("%s is sound; groups: %d, families: %d, series: %d, bytes of metrics: %d\n",
				*directory, held.Groups, held.Families, held.Series, held.Bytes)
		}
	}}
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
