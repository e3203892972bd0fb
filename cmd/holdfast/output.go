package main

import "github.com/alecthomas/kingpin/v2"

// What a command may print.
const (
	outputTable = "table"
	outputJSON  = "json"
)

// addOutput adds the flag of commands that print tables.
func addOutput(app *kingpin.Application, to *string) {
	app.Flag("output", "table for people, or json for programs.").Short('o').Default(outputTable).EnumVar(to, outputTable, outputJSON)
}
