package main

import (
	"fmt"
	"os"

	"github.com/alecthomas/kingpin/v2"
)

// What a command may print.
const (
	outputTable = "table"
	outputJSON  = "json"
)

// addOutput adds the flag of commands that print tables.
func addOutput(app *kingpin.Application, to *string) {
	app.Flag("output", "table for people, or json for programs.").Short('o').Default(outputTable).EnumVar(to, outputTable, outputJSON)
}

// printf prints what was asked for. That it cannot be written, as on a full disk, is a failure of the command.
func printf(format string, args ...any) error {
	if _, err := fmt.Printf(format, args...); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// helpWriter prints help. The parser panics where that fails, so the program ends before.
type helpWriter struct{}

func (helpWriter) Write(b []byte) (int, error) {
	n, err := os.Stdout.Write(b)
	if err != nil {
		os.Exit(report(fmt.Errorf("print: %w", err)))
	}
	return n, nil
}
