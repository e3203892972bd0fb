package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A write that was cut off at the end of the log is dropped with one warning; what was acknowledged
// before it is served.
func TestTornTail(t *testing.T) {
	directory := t.TempDir()
	g := begin(t, holdfast(directory))
	for n := range 20 {
		if status := g.put(t, fmt.Sprint("torn_", n), n); status != http.StatusOK {
			t.Fatalf("push %d: status %d", n, status)
		}
	}
	g.end(syscall.SIGKILL)
	tear(t, directory)
	g = begin(t, holdfast(directory))
	for n := range 20 {
		g.showsOne(t, fmt.Sprint("torn_", n), n)
	}
	if warnings := strings.Count(g.log(), "a write that was cut off is dropped"); warnings != 1 {
		t.Errorf("%d warnings of a torn tail, want one:\n%s", warnings, g.log())
	}
	g.stopClean(t)
	g = begin(t, holdfast(directory))
	if strings.Contains(g.log(), "cut off") {
		t.Errorf("the next start warns again:\n%s", g.log())
	}
	g.stopClean(t)
}

// tear writes the first part of a record behind the end of the newest log of a directory.
func tear(t *testing.T, directory string) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(directory, "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("%s has no log: %v", directory, err)
	}
	newest := logs[len(logs)-1]
	number, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(newest), ".log"), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	// A chunk begins with a checksum, the size of its payload, its kind, here a whole record in a log that
	// tells how far it is synced, and the log's number.
	begun := append([]byte("\x01\x02\x03\x04"), 200, 0, 9)
	begun = binary.LittleEndian.AppendUint32(begun, uint32(number))
	begun = append(begun, bytes.Repeat([]byte("x"), 50)...)
	held, err := os.ReadFile(newest)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(newest, append(bytes.TrimRight(held, "\x00"), begun...), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A damaged directory stops the start, unless it is to be set aside: then all of it is kept under another
// name, and the gateway starts empty, and says so.
func TestDamagedStorage(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "data")
	g := begin(t, holdfast(directory))
	if status := g.put(t, "lost", 1); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	g.stopClean(t)
	tables, err := filepath.Glob(filepath.Join(directory, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("%s has no table: %v", directory, err)
	}
	held, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	held[10] ^= 1
	if err := os.WriteFile(tables[0], held, 0o644); err != nil {
		t.Fatal(err)
	}
	failsToStart(t, holdfast(directory), "damaged", tables[0])
	g = begin(t, holdfast(directory, "--storage.on-corruption=set-aside"))
	if !strings.Contains(g.log(), "STORAGE IS DAMAGED AND WAS SET ASIDE") {
		t.Errorf("nothing is said of the damage:\n%s", g.log())
	}
	if page := g.page(t, "allow-utf-8"); strings.Contains(page, "lost{") {
		t.Errorf("something damaged is served:\n%s", page)
	}
	if status := g.put(t, "new", 2); status != http.StatusOK {
		t.Errorf("a push after the start: status %d", status)
	}
	g.stopClean(t)
	aside, err := filepath.Glob(directory + ".damaged-*/" + filepath.Base(tables[0]))
	if err != nil || len(aside) != 1 {
		t.Fatalf("the damaged table is in %q (%v)", aside, err)
	}
	if kept, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(kept, held) {
		t.Errorf("the damaged table has changed (%v)", err)
	}
}
