package holdfast

import (
	"testing"
	"time"
)

// BenchmarkRemove defends that 100,000 groups of 20 series are removed in about a second of one core. A
// commit of removedAtOnce groups must hold the index for less than 5 ms, which is at most that many times
// the figure per group.
func BenchmarkRemove(b *testing.B) {
	const groups = 100_000
	families := batch(1)
	var spent time.Duration
	for b.Loop() {
		b.StopTimer()
		g := newTestGateway(b, nil)
		for i := range groups {
			if err := g.Push(b.Context(), Push{Key: shapedKey(i, 4), Families: families, Time: time.Now()}); err != nil {
				b.Fatal(err)
			}
		}
		q := Query{Selectors: selectors(b, `{job=~"batch_.*"}`)}
		b.StartTimer()
		begun := cpuTime()
		removal, err := g.Remove(q)
		spent += cpuTime() - begun
		if err != nil || removal.Totals.Groups != groups {
			b.Fatalf("%d groups went: %v", removal.Totals.Groups, err)
		}
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N*groups), "cpu-ns/group")
}
