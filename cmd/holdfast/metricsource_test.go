package main

import (
	"context"
	"errors"
	"os"
	"testing"
)

// A signal ends the wait for metrics on stdin, though nobody closes it.
func TestStdinIsReadUntilASignal(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	stdin := os.Stdin
	os.Stdin = read
	defer func() { os.Stdin = stdin }()
	interrupted := errors.New("interrupt")
	ctx, interrupt := context.WithCancelCause(t.Context())
	interrupt(interrupted)
	if body, err := (&metricSource{}).read(ctx); !errors.Is(err, interrupted) || body != nil {
		t.Errorf("read %q, %v", body, err)
	}
}
