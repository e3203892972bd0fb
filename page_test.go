package holdfast

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// A run must behave as a map listed in key order, and a snapshot of it must stay what it was whatever
// happens to the run later.
func TestRunAgainstMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var r run[int]
	want := map[string]int{}
	type past struct {
		run  run[int]
		want map[string]int
	}
	var snapshots []past
	epoch := uint64(0)
	places := make([]place, 50) // guesses, mostly wrong
	for step := range 30_000 {
		key := fmt.Sprintf("key%04d", random.IntN(2000))
		switch growing := step%10_000 < 6_000; {
		case random.IntN(10) < 7 == growing:
			old := r.set(epoch, key, step, 1+random.IntN(maxPageWeight/8), &places[random.IntN(len(places))])
			if old != want[key] {
				t.Fatalf("step %d: set returned %d, want %d", step, old, want[key])
			}
			want[key] = step
		default:
			if old := r.remove(epoch, key); old != want[key] {
				t.Fatalf("step %d: remove returned %d, want %d", step, old, want[key])
			}
			delete(want, key)
		}
		if step%1_500 == 0 {
			snapshots = append(snapshots, past{r, maps.Clone(want)})
			epoch++
		}
	}
	checkRun(t, &r, want)
	for _, s := range snapshots {
		checkRun(t, &s.run, s.want)
	}
}

func checkRun(t *testing.T, r *run[int], want map[string]int) {
	t.Helper()
	if r.count != len(want) {
		t.Errorf("count is %d, want %d", r.count, len(want))
	}
	var keys []string
	for key, value := range r.all() {
		keys = append(keys, key)
		if value != want[key] {
			t.Errorf("%s is %d, want %d", key, value, want[key])
		}
		if got, found := r.get(key); !found || got != value {
			t.Errorf("get(%s) is %d, %v, want %d", key, got, found, value)
		}
	}
	if !slices.Equal(keys, slices.Sorted(maps.Keys(want))) {
		t.Errorf("keys are not those of the map, in order")
	}
	for _, p := range r.pages {
		weight := 0
		for _, s := range p.slots {
			weight += int(s.weight)
		}
		if len(p.slots) == 0 || weight != p.weight || weight > maxPageWeight && len(p.slots) > 1 {
			t.Errorf("page of %d slots weighs %d and says %d", len(p.slots), weight, p.weight)
		}
	}
}

// Pages that run empty join their neighbours, so that a run that shrank does not keep its page count.
func TestRunJoinsLightPages(t *testing.T) {
	var r run[int]
	for i := range 4000 {
		r.set(0, fmt.Sprintf("%05d", i), i, 512, new(place))
	}
	grown := len(r.pages)
	for i := range 4000 {
		if i%20 != 0 {
			r.remove(0, fmt.Sprintf("%05d", i))
		}
	}
	if shrunk := len(r.pages); shrunk > grown/8 {
		t.Errorf("%d pages hold a twentieth of what %d pages held", shrunk, grown)
	}
}

// Values that come in order, as when a store is loaded, fill their pages.
func TestRunInOrderFillsPages(t *testing.T) {
	var r run[int]
	const weight, count = 256, 4000
	for i := range count {
		r.set(0, fmt.Sprintf("%05d", i), i, weight, new(place))
	}
	if most := weight * count * 10 / 8 / maxPageWeight; len(r.pages) > most {
		t.Errorf("%d pages, want at most %d", len(r.pages), most)
	}
}
