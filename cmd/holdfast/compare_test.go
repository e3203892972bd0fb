package main

import (
	"errors"
	"io"
	"os"
	"testing"
)

func TestDifferencesArePrinted(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = write
	err = printDifferences(map[string]string{"same": "1", "changed": "1", "gone": "1"}, map[string]string{"same": "1", "changed": "2", "new": "1"})
	os.Stdout = stdout
	_ = write.Close()
	printed, readErr := io.ReadAll(read)
	if readErr != nil {
		t.Fatal(readErr)
	}
	var asked *coded
	if !errors.As(err, &asked) || asked.code != exitDifferent {
		t.Errorf("got %v, want exit code %d", err, exitDifferent)
	}
	if want := "- changed 1\n+ changed 2\n- gone 1\n+ new 1\n"; string(printed) != want {
		t.Errorf("printed %q, want %q", printed, want)
	}
}
