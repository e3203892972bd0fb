package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// A small heap may grow far, a large one doubles, and no heap is allowed more than that.
func TestGCPercent(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{
		{0, 400}, {4 << 20, 400}, {16 << 20, 400}, {32 << 20, 200}, {64 << 20, 100}, {65 << 20, 100}, {1 << 40, 100},
	} {
		if got := gcPercent(c.live); got != c.want {
			t.Errorf("a live heap of %d bytes may grow by %d %%, want %d", c.live, got, c.want)
		}
	}
	for live := uint64(1 << 20); live < 1<<30; live += 1 << 20 {
		if room := live / 100 * uint64(gcPercent(live)); room > max(heapRoom, live) {
			t.Errorf("a live heap of %d bytes may grow by %d", live, room)
		}
	}
}

// The pace follows the heap, collection by collection.
func TestPaceFollowsHeap(t *testing.T) {
	before := debug.SetGCPercent(usualGCPercent)
	defer debug.SetGCPercent(before)
	followHeap(usualGCPercent)
	held := make([]byte, 80<<20)
	waitForPace(t, usualGCPercent)
	runtime.KeepAlive(held)
	held = nil
	waitForPace(t, highestGCPercent)
}

// waitForPace collects until the collector has a pace, or reports that it never gets it.
func waitForPace(t *testing.T, want int) {
	t.Helper()
	got := 0
	for range 1000 {
		runtime.GC()
		if got = debug.SetGCPercent(usualGCPercent); got == want {
			debug.SetGCPercent(got)
			return
		}
		debug.SetGCPercent(got)
		runtime.Gosched() // cleanups run in a goroutine of their own
	}
	t.Errorf("the pace is %d, want %d", got, want)
}
