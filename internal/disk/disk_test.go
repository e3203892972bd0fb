package disk

import (
	"log/slog"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast"
	"holdfast/internal/enginetest"
)

var quiet = slog.New(slog.DiscardHandler)

// opened opens an engine, and closes it when t ends.
func opened(t testing.TB, o Options) *Engine {
	t.Helper()
	if o.Logger == nil {
		o.Logger = quiet
	}
	e, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// reopened closes an engine and opens its directory again.
func reopened(t *testing.T, e holdfast.Engine) holdfast.Engine {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return opened(t, e.(*Engine).Options)
}

func TestEngine(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		enginetest.Run(t, enginetest.Options{Open: func(*testing.T) holdfast.Engine { return holdfast.NewMemory() }})
	})
	t.Run("in memory file system", func(t *testing.T) {
		enginetest.Run(t, enginetest.Options{
			Open:   func(t *testing.T) holdfast.Engine { return opened(t, Options{Path: "/db", FS: vfs.NewMem()}) },
			Reopen: reopened,
		})
	})
	t.Run("on disk", func(t *testing.T) {
		enginetest.Run(t, enginetest.Options{
			Open:   func(t *testing.T) holdfast.Engine { return opened(t, Options{Path: t.TempDir()}) },
			Reopen: reopened,
		})
	})
}
