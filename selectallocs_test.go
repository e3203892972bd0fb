package holdfast

import (
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// A list takes memory for the groups that it lists, however many are held and asked for.
func TestSelectHoldsOnlyWhatItLists(t *testing.T) {
	g := newTestGateway(t, nil)
	families := oneMetric("m", dto.MetricType_GAUGE)
	for i := range 20_000 {
		if err := g.Push(t.Context(), Push{Key: shapedKey(i, 4), Families: families, Time: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	// Regular expressions are left out: their machines come from a pool that the race detector empties.
	for name, q := range map[string]Query{
		"all": {}, "backwards": {Descending: true}, "by push": {Sort: ByPushed, Descending: true}, "text": {Text: "BATCH"}, "rendered text": {Text: "m"},
		"matchers": {Selectors: selectors(t, `m{job!="batch",zone_2=""}`)}, "failed": {State: Failed}, "ok": {State: OK},
	} {
		q.Limit = 100
		allocs := testing.AllocsPerRun(3, func() {
			if s, err := g.Select(q); err != nil || s.Totals.Groups == 0 && q.State != Failed {
				t.Fatalf("%s: %+v, %v", name, s, err)
			}
		})
		if allocs > 100 {
			t.Errorf("%s: %v allocations for a page of %d groups out of 20,000", name, allocs, q.Limit)
		}
	}
}
