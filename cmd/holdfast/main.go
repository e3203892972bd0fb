// Command holdfast is the push gateway. Without a command, or with serve, it serves.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	program, args := filepath.Base(os.Args[0]), os.Args[1:]
	if len(args) == 0 || !isCommand(args[0]) {
		os.Exit(serve(program, args))
	}
	if args[0] == serveName {
		os.Exit(serve(program, args[1:]))
	}
	all := commands()
	at := slices.IndexFunc(all, func(c command) bool { return c.name == args[0] })
	if at < 0 {
		os.Exit(report(unknownCommand(args[0])))
	}
	os.Exit(all[at].run(program, args[1:]))
}

const serveName = "serve"

// isCommand tells the name of a command from a flag, and from the name of a file of flags.
func isCommand(arg string) bool { return !strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "@") }

// unknownCommand is the error for a name that no command has.
func unknownCommand(name string) error {
	return withHint(fmt.Errorf("there is no command %q", name), "the commands are serve, "+strings.Join(commandNames(), ", "))
}
