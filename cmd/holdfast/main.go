// Command holdfast is the push gateway. Without a command, or with serve, it serves.
package main

import (
	"os"
	"path/filepath"
)

func main() {
	name, args := filepath.Base(os.Args[0]), os.Args[1:]
	run := serve
	if len(args) > 0 {
		if named, known := commands()[args[0]]; known {
			run, args = named, args[1:]
		}
	}
	os.Exit(run(name, args))
}

// commands are all commands. Each reads flags of its own and returns the exit code.
func commands() map[string]func(name string, args []string) int {
	all := map[string]func(string, []string) int{
		"serve":              serve,
		"backup":             backup,
		"verify":             verify,
		"check-config":       checkConfig,
		"export-persistence": exportPersistence,
	}
	for _, c := range clientCommands() {
		all[c.name] = c.run
	}
	return all
}
