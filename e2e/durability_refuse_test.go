package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// TestSecondInstance: a store has one gateway at a time. The second one ends with a sentence, and the
// first one does not notice.
func TestSecondInstance(t *testing.T) {
	directory := t.TempDir()
	g := begin(t, holdfast(directory))
	if status := g.put(t, "first", 1); status != http.StatusOK {
		t.Fatalf("push: %d", status)
	}
	failsToStart(t, holdfast(directory), directory, "another holdfast")
	if status := g.put(t, "first", 2); status != http.StatusOK {
		t.Errorf("push beside a second instance: %d", status)
	}
	g.showsOne(t, "first", 2)
	g.stopClean(t)
}

// TestPathThatCannotBeWritten: a start without a place for its store ends and says what can be done.
func TestPathThatCannotBeWritten(t *testing.T) {
	readOnly, _ := mount(t, "-t", "tmpfs", "-o", "ro", "tmpfs")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("not a store"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(readOnly, "store"), file, filepath.Join(file, "store")} {
		failsToStart(t, holdfast(path), path, "--storage.engine=memory")
	}
	if content, err := os.ReadFile(file); err != nil || string(content) != "not a store" {
		t.Errorf("the file in the way is now %q, %v", content, err)
	}
}
