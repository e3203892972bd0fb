package main

import (
	"os"

	"golang.org/x/term"
)

// isTerminal reports whether somebody sits at the other end of a file.
func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
