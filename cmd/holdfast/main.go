// Command holdfast is the push gateway. Without a command, or with serve, it serves.
package main

import (
	"os"
	"path/filepath"
)

func main() {
	name, args := filepath.Base(os.Args[0]), os.Args[1:]
	if len(args) > 0 && args[0] == "serve" {
		args = args[1:]
	}
	os.Exit(serve(name, args))
}
