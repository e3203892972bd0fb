package main

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestConfirm(t *testing.T) {
	for answer, want := range map[string]bool{"y\n": true, "Yes\n": true, " yes ": true, "\n": false, "n\n": false, "": false, "yeah\n": false} {
		var asked strings.Builder
		if got := confirm(t.Context(), strings.NewReader(answer), &asked, "Remove?"); got != want || asked.String() != "Remove? [y/N] " {
			t.Errorf("%q is %v after %q, want %v", answer, got, asked.String(), want)
		}
	}
}

func TestConfirmEndsWithItsContext(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	in, _ := io.Pipe() // where no answer comes
	interrupt()
	if confirm(ctx, in, io.Discard, "Remove?") {
		t.Error("an interrupt is a yes")
	}
}

// What is quick shows nothing; what is slow shows a line that is gone in the end.
func TestProgress(t *testing.T) {
	for took, lines := range map[time.Duration]int{progressAfter / 2: 0, progressAfter + 2*progressStep + progressStep/2: 3} {
		synctest.Test(t, func(t *testing.T) {
			var out strings.Builder
			done := writeProgress(&out, "reading")
			<-time.After(took)
			done()
			if got := strings.Count(out.String(), "\rreading "); got != lines {
				t.Errorf("after %s it was written %d times, want %d: %q", took, got, lines, out.String())
			}
			if lines > 0 && !strings.HasSuffix(out.String(), "\r\x1b[K") {
				t.Errorf("the line stays: %q", out.String())
			}
		})
	}
}
