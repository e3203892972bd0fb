package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// A small heap may grow far, a large one by a quarter.
func TestGCPercent(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{
		{0, 400}, {4 << 20, 400}, {10 << 20, 400}, {20 << 20, 200}, {40 << 20, 100}, {160 << 20, 25}, {1 << 40, 25},
	} {
		if got := gcPercent(c.live); got != c.want {
			t.Errorf("a live heap of %d bytes may grow by %d %%, want %d", c.live, got, c.want)
		}
	}
	for live := uint64(1 << 20); live < 1<<30; live += 1 << 20 {
		if room := live / 100 * uint64(gcPercent(live)); room > max(heapRoom, live/4) {
			t.Errorf("a live heap of %d bytes may grow by %d", live, room)
		}
	}
}

// The pace follows the heap, collection by collection.
func TestPaceFollowsHeap(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	held := make([]byte, 400<<20)
	runtime.GC()
	followHeap(100)
	waitForPace(t, lowestGCPercent)
	runtime.KeepAlive(held)
	held = nil
	waitForPace(t, highestGCPercent)
}

// waitForPace collects until the collector has a pace, or reports that it never gets it.
func waitForPace(t *testing.T, want int) {
	t.Helper()
	got := 0
	for range 1000 {
		if got = debug.SetGCPercent(100); got == want {
			debug.SetGCPercent(got)
			return
		}
		debug.SetGCPercent(got)
		runtime.GC()
		runtime.Gosched() // cleanups run in a goroutine of their own
	}
	t.Errorf("the pace is %d, want %d", got, want)
}
