//go:build !race

package exposition

import "testing"

// TestAllocationsOfAPush defends that a push takes memory by the family, never by the sample. The race
// detector makes pools forget, so it is not built with that.
func TestAllocationsOfAPush(t *testing.T) {
	// A body: its decoder. A family: its name and help; its block and the block's bytes.
	const most = 1 + 3*pushedFamilies
	overlay := Labels{{"instance", "i"}, {"job", "j"}}
	for name, decode := range usualDecodes(t) {
		allocs := testing.AllocsPerRun(200, func() {
			var d Decoder
			families, err := decode(&d)
			if err != nil || len(families) != pushedFamilies {
				t.Fatalf("%s: %d families, %v", name, len(families), err)
			}
			for _, f := range families {
				mustEncode(t, f, overlay)
			}
			d.Release()
		})
		if allocs > most {
			t.Errorf("%s: %v allocations for %d gauges in %d families, want at most %d", name, allocs, pushedGauges, pushedFamilies, most)
		}
	}
}
