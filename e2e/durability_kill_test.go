package e2e

import (
	"context"
	"flag"
	"math/rand/v2"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"
)

var killRounds = flag.Int("rounds", 20, "how often TestKill kills the gateway")

// TestKill ends the gateway by SIGKILL at random moments under load. After each restart on the same
// directory every acknowledged push is served, and every other one whole or not at all.
func TestKill(t *testing.T) {
	directory, l := t.TempDir(), newLoad()
	for round := range *killRounds {
		g := begin(t, holdfast(directory))
		l.check(t, g.page(t, "allow-utf-8"))
		if t.Failed() {
			t.Fatalf("after %d kills and %d acknowledged pushes", round, l.acknowledged.Load())
		}
		statuses := l.cut(t, g.url, func() { g.end(syscall.SIGKILL) })
		if i := slices.IndexFunc(statuses, func(s int) bool { return s != 0 }); i >= 0 {
			t.Fatalf("round %d: a push was answered %d", round, statuses[i])
		}
	}
	g := begin(t, holdfast(directory))
	l.check(t, g.page(t, "allow-utf-8"))
	g.stopClean(t)
	t.Logf("%d kills, %d acknowledged pushes", *killRounds, l.acknowledged.Load())
}

// cut runs the load and does what ends it at a random moment of the half second that follows the first
// acknowledged push. It returns how the last push of each client was answered.
func (l *load) cut(t *testing.T, url string, end func()) []int {
	t.Helper()
	before := l.acknowledged.Load()
	statuses := make(chan []int, 1)
	go func() { statuses <- l.run(context.Background(), url) }()
	eventually(t, "a push is acknowledged", func() bool { return l.acknowledged.Load() > before })
	<-time.After(rand.N(500 * time.Millisecond))
	end()
	return <-statuses
}

// TestStopKeepsAll: a stop by SIGTERM under load loses nothing either, and is exit code 0.
func TestStopKeepsAll(t *testing.T) {
	directory, l := t.TempDir(), newLoad()
	g := begin(t, holdfast(directory))
	if statuses := l.cut(t, g.url, func() { g.stopClean(t) }); slices.ContainsFunc(statuses, func(s int) bool { return s != 0 && s != http.StatusServiceUnavailable }) {
		t.Errorf("pushes were answered %v", statuses)
	}
	g = begin(t, holdfast(directory))
	l.check(t, g.page(t, "allow-utf-8"))
	g.stopClean(t)
}
