package disk

import (
	"encoding"
	"errors"
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast"
)

// TestManyGuardsAfterARestart: guards of records of which the engine knows nothing yet are read from the
// store: each at its revision, or at 0 where it was deleted or never there, and no other.
func TestManyGuardsAfterARestart(t *testing.T) {
	var e holdfast.Engine = opened(t, Options{Path: "/db", FS: vfs.NewMem()})
	var guards []holdfast.Guard
	commit := func(key string, v encoding.BinaryAppender) holdfast.Revision {
		t.Helper()
		revision, err := e.Commit(t.Context(), holdfast.Commit{Changes: []holdfast.Change{{Key: key, Value: v}}})
		if err != nil {
			t.Fatal(err)
		}
		return revision
	}
	for i := range 300 {
		key := fmt.Sprintf("key%03d", i)
		switch i % 3 {
		case 0:
			commit(key, value{i, 20})
			commit(key, nil)
			guards = append(guards, holdfast.Guard{Key: key}, holdfast.Guard{Key: key + "/never"})
		default:
			guards = append(guards, holdfast.Guard{Key: key, At: commit(key, value{i, 20})})
			commit(key+"/more", value{i, 20})
		}
	}
	e = reopened(t, e)
	for i := range guards {
		wrong := append([]holdfast.Guard(nil), guards...)
		wrong[i].At++
		if _, err := e.Commit(t.Context(), holdfast.Commit{Guards: wrong}); !errors.Is(err, holdfast.ErrConflict) {
			t.Fatalf("with guard %v the commit is answered %v, want a conflict", wrong[i], err)
		}
	}
	if _, err := e.Commit(t.Context(), holdfast.Commit{Guards: guards}); err != nil {
		t.Errorf("with all guards at their revisions: %v", err)
	}
}
