package holdfast

import (
	"fmt"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// What is kept with pages of groups must follow the groups that change.
func TestAgeFollowsChanges(t *testing.T) {
	g := newTestGateway(t, nil)
	start := time.Unix(1_700_000_000, 0)
	push := func(i int, at time.Time) {
		p := Push{Key: job(fmt.Sprintf("job%04d", i)), Families: oneMetric("m", dto.MetricType_GAUGE), Time: at}
		if err := g.Push(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 1000 {
		push(i, start.Add(time.Duration(i)*time.Second))
	}
	for i := range 10 {
		if got, want := ageOf(g.index.snapshot()).oldest, start.Add(time.Duration(i)*time.Second).UnixNano(); got != want {
			t.Errorf("oldest push is %d, want %d", got, want)
		}
		push(i, start.Add(time.Hour))
	}
}
