//go:build !race

package holdfast

import (
	"context"
	"fmt"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"holdfast/internal/exposition"
)

// encoder is an engine that has all records encoded, as one that keeps them would, and keeps none.
type encoder struct {
	*Memory
	room []byte
}

func (e *encoder) Commit(ctx context.Context, c Commit) (Revision, error) {
	for _, ch := range c.Changes {
		if ch.Value == nil {
			continue
		}
		var err error
		if e.room, err = ch.Value.AppendBinary(e.room[:0]); err != nil {
			return 0, err
		}
	}
	return e.Memory.Commit(ctx, c)
}

// A push from its decoded families to its records takes memory by the family, never by the sample. The
// race detector makes pools forget, so this is not built with it.
func TestAllocationsOfAKeptPush(t *testing.T) {
	const families = 5
	counted := map[int]float64{}
	for _, samples := range []int{4, 20, 40} {
		g := newTestGateway(t, func(o *Options) { o.Engine = &encoder{Memory: NewMemory()} })
		pushes := [][]*exposition.Family{gauges(families, samples, 1), gauges(families, samples, 2)}
		n := 0
		counted[samples] = testing.AllocsPerRun(200, func() {
			n++
			if err := g.Push(t.Context(), Push{Key: job("a"), Families: pushes[n%2], Time: time.Unix(int64(n), 0)}); err != nil {
				t.Fatal(err)
			}
		})
	}
	// The block and the bytes of each family and of the two time families; the rest is of the push.
	if most := float64(2*(families+2) + 30); counted[4] > most {
		t.Errorf("%v allocations for a push of %d families, want at most %v", counted[4], families, most)
	}
	for samples, allocs := range counted {
		if allocs > counted[4]+1 {
			t.Errorf("%v allocations with %d samples a family, %v with 4", allocs, samples, counted[4])
		}
	}
}

// gauges makes families of so many samples each.
func gauges(families, samples int, value float64) []*exposition.Family {
	all := make([]*exposition.Family, 0, families)
	for f := range families {
		mf := &dto.MetricFamily{Name: proto.String(fmt.Sprint("m", f)), Type: dto.MetricType_GAUGE.Enum()}
		for s := range samples {
			mf.Metric = append(mf.Metric, &dto.Metric{
				Label: []*dto.LabelPair{{Name: proto.String("s"), Value: proto.String(fmt.Sprint(s))}},
				Gauge: &dto.Gauge{Value: proto.Float64(value)},
			})
		}
		all = append(all, exposition.FromProto(mf))
	}
	return all
}
