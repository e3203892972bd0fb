package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// isTerminal reports whether somebody sits at the other end of a file.
func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// confirm asks a question, and reports whether the answer is yes. Ctrl-C, which ends ctx, is a no.
func confirm(ctx context.Context, in io.Reader, out io.Writer, question string) bool {
	fmt.Fprint(out, question+" [y/N] ")
	answers := make(chan string, 1)
	go func() {
		answer, _ := bufio.NewReader(in).ReadString('\n') // the end of input is a no
		answers <- strings.ToLower(strings.TrimSpace(answer))
	}()
	select {
	case answer := <-answers:
		return answer == "y" || answer == "yes"
	case <-ctx.Done():
		fmt.Fprintln(out)
		return false
	}
}

// Of what takes longer than progressAfter, a terminal shows for how long it goes on.
const (
	progressAfter = 500 * time.Millisecond
	progressStep  = 100 * time.Millisecond
)

// showProgress tells on stderr, if that is a terminal, what is waited for, until the returned function is
// called.
func showProgress(what string) (done func()) {
	if !isTerminal(os.Stderr) {
		return func() {}
	}
	return writeProgress(os.Stderr, what)
}

// writeProgress writes a line again and again, and clears it in the end.
func writeProgress(out io.Writer, what string) (done func()) {
	over, cleared := make(chan struct{}), make(chan struct{})
	begun := time.Now()
	go func() {
		defer close(cleared)
		next := time.NewTimer(progressAfter)
		defer next.Stop()
		for shown := false; ; shown = true {
			select {
			case <-over:
				if shown {
					fmt.Fprint(out, "\r\x1b[K")
				}
				return
			case <-next.C:
				// The bar runs to and fro: nobody knows how long it takes.
				took := time.Since(begun)
				at := int(took/progressStep) % (2 * barWidth)
				at = min(at, 2*barWidth-at-1)
				bar := strings.Repeat("·", at) + "█" + strings.Repeat("·", barWidth-at-1)
				fmt.Fprintf(out, "\r%s %s %s\x1b[K", what, bar, took.Round(progressStep))
				next.Reset(progressStep)
			}
		}
	}()
	return func() {
		close(over)
		<-cleared
	}
}

// barWidth is how many characters a bar has.
const barWidth = 20
