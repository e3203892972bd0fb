package main

import (
	"log/slog"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

const (
	// memoryShare of what the cgroup allows is the soft limit: the kernel counts more than Go does.
	memoryShare = 0.9

	// A goroutine that comes back from an fsync needs a processor, and finds all taken where there are
	// few: then it waits behind many others, and all pushes behind it. With two spare ones the operating
	// system shares the cores out, which on two cores gives a quarter more pushes a second.
	spareProcessors = 2
	manyProcessors  = 8 // so many need no spare ones

	// A heap may grow by heapRoom bytes before it is collected, or by a quarter where that is more, but to
	// no more than five times its size. Most of a gateway's heap is bytes, which cost the collector little:
	// at 2 million series a quarter takes no more CPU a push than the usual doubling, and 300 MB less.
	heapRoom         = 40 << 20
	lowestGCPercent  = 25
	highestGCPercent = 400
)

// tune fits Go's runtime to the machine and to a gateway's load. What the environment says of it stays in
// force.
func tune(logger *slog.Logger) {
	limit, err := memlimit.Set(memlimit.WithRatio(memoryShare))
	switch {
	case err != nil:
		logger.Debug("memory limit of the machine is not known", "err", err)
	case limit < math.MaxInt64:
		logger.Info("soft memory limit is set", "bytes", limit)
	}
	if usual := runtime.GOMAXPROCS(0); os.Getenv("GOMAXPROCS") == "" && usual < manyProcessors {
		runtime.GOMAXPROCS(usual + spareProcessors)
	}
	if os.Getenv("GOGC") == "" {
		followHeap(100) // Go's own
	}
}

// followHeap sets the collector's pace anew after each collection, unless it would hardly change.
func followHeap(before int) {
	percent := gcPercent(liveHeap())
	if change := percent - before; 8*max(change, -change) < before {
		percent = before
	} else {
		debug.SetGCPercent(percent)
	}
	// The next collection finds the mark unreachable.
	runtime.AddCleanup(new([1]*byte), followHeap, percent)
}

// liveHeap returns the bytes that the last collection found in use.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// gcPercent returns by how much a live heap of so many bytes may grow before it is collected.
func gcPercent(live uint64) int {
	return int(min(max(heapRoom*100/max(live, 1), lowestGCPercent), highestGCPercent))
}
