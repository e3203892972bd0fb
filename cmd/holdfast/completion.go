package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"strings"
	"text/template"
	"unicode"

	"github.com/alecthomas/kingpin/v2"
)

// scripts are the templates of what shells and man read.
//
//go:embed scripts
var scripts embed.FS

// described is a command as completion and the man page tell of it.
type described struct {
	Name, Help string
	Flags      []*kingpin.FlagModel
	Args       []*kingpin.ArgModel
}

// described returns all commands, serve first.
func describeAll(program string) []described {
	serve := newFlags(program).app.Model()
	all := []described{{serveName, "Serve as a push gateway. This is what the program does without a command, too.", shownFlags(serve), nil}}
	for _, c := range commands() {
		app, _ := c.app(program)
		model := app.Model()
		all = append(all, described{c.name, c.help, shownFlags(model), model.Args})
	}
	return all
}

// shownFlags are those that help lists.
func shownFlags(model *kingpin.ApplicationModel) []*kingpin.FlagModel {
	var shown []*kingpin.FlagModel
	for _, flag := range model.Flags {
		if !flag.Hidden {
			shown = append(shown, flag)
		}
	}
	return shown
}

// completionCommand prints what makes a shell complete our command lines.
func completionCommand() command {
	return command{name: "completion", help: "Print a script that makes a shell complete commands and flags, such as: source <(holdfast completion bash).", setup: func(app *kingpin.Application) func(context.Context) error {
		shell := app.Arg("SHELL", "bash, zsh or fish.").Required().Enum("bash", "zsh", "fish")
		return func(context.Context) error { return printScript("completion." + *shell) }
	}}
}

// manCommand prints the man page.
func manCommand() command {
	return command{name: "man", help: "Print the man page, for example to man -l - or into a file holdfast.1.", setup: func(*kingpin.Application) func(context.Context) error {
		return func(context.Context) error { return printScript("holdfast.1") }
	}}
}

// printScript prints a template of scripts, filled with all commands.
func printScript(name string) error {
	filled, err := template.New(name).Funcs(template.FuncMap{
		"single": func(s string) string { return strings.ReplaceAll(s, "'", `'\''`) }, // between single quotes of a shell
		"fish":   func(s string) string { return strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) },
		"roff":   roff,
		"preset": preset,
	}).ParseFS(scripts, "scripts/"+name)
	if err != nil {
		return fmt.Errorf("read template: %w", err)
	}
	if err := filled.Execute(os.Stdout, describeAll("holdfast")); err != nil {
		return fmt.Errorf("print %s: %w", name, err)
	}
	return nil
}

// preset is the default of a flag, "" where it has none or its help tells it.
func preset(flag *kingpin.FlagModel) string {
	if flag.IsBoolFlag() || strings.Contains(flag.Help, "Default:") {
		return ""
	}
	return strings.Join(flag.Default, " ")
}

// roff escapes a text for a line of a man page.
func roff(text string) string {
	var line strings.Builder
	for _, r := range text {
		switch {
		case r == '\\':
			line.WriteString(`\e`)
		case r == '-':
			line.WriteString(`\-`)
		case r == '\n':
			line.WriteByte(' ')
		case r > unicode.MaxASCII:
			fmt.Fprintf(&line, `\[u%04X]`, r)
		default:
			line.WriteRune(r)
		}
	}
	if text != "" && strings.ContainsRune(".'", rune(text[0])) {
		return `\&` + line.String()
	}
	return line.String()
}
