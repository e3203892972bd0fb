package e2e

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestBackupUnderLoad takes a backup while clients push. A gateway that starts on it serves what stood at
// one moment of the load: of each client, its pushes up to one, and none of those after it.
func TestBackupUnderLoad(t *testing.T) {
	directory, copied := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	l := newLoad()
	g := begin(t, holdfast(directory, "--web.enable-admin-api"))
	loading, enough := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer enough()
	if refused := l.run(loading, g.url); len(refused) > 0 {
		t.Fatalf("pushes were answered %v", refused)
	}
	before := l.targets

	loading, enough = context.WithCancel(context.Background())
	defer enough()
	refused := make(chan []int)
	go func() { refused <- l.run(loading, g.url) }()
	base := l.acknowledged.Load()
	eventually(t, "the load is under way", func() bool { return l.acknowledged.Load() > base+loadClients })
	run(t, "", os.Getenv(binaryVariable), "backup", "--url="+g.url, copied)
	base = l.acknowledged.Load()
	eventually(t, "the load goes on", func() bool { return l.acknowledged.Load() > base+loadClients })
	enough()
	if answers := <-refused; len(answers) > 0 {
		t.Errorf("pushes beside the backup were answered %v", answers)
	}
	g.stopClean(t)

	g = begin(t, holdfast(copied))
	all := served(g.page(t, "allow-utf-8"))
	for c := range l.targets {
		if !showsOneMoment(all, before[c][:], l.targets[c][:]) {
			t.Errorf("client %d: the backup holds no moment between %+v and %+v", c, before[c], l.targets[c])
		}
	}
	g.stopClean(t)
	run(t, "", os.Getenv(binaryVariable), "verify", copied)
}

// showsOneMoment tells whether what is served of a client is what stood after some number of its pushes.
// A client pushes to its targets in turn.
func showsOneMoment(all map[[2]int][]int, before, after []target) bool {
	pushes := 0
	for s := range after {
		pushes += after[s].kept - before[s].kept
	}
	for m := range pushes + 1 {
		same := true
		for s, x := range before {
			changed := (m + len(before) - 1 - s) / len(before)
			same = same && x.shows(all[[2]int{x.client, s}], x.kept+changed)
		}
		if same {
			return true
		}
	}
	return false
}
