package holdfast

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"holdfast/internal/exposition"
)

// BenchmarkPushAgainstStored defends promise 3: a checked push of 20 series costs the same at 100,000
// stored groups as at 100, all of which share all families, however many shapes their keys have.
func BenchmarkPushAgainstStored(b *testing.B) {
	for _, shapes := range []int{1, 4, 10_000} {
		for _, groups := range []int{100, 10_000, 100_000} {
			if shapes > groups {
				continue
			}
			b.Run(fmt.Sprintf("shapes=%d/groups=%d", shapes, groups), func(b *testing.B) {
				g := newTestGateway(b, nil)
				batches := [][]*exposition.Family{batch(1), batch(2.5), batch(1e9)}
				push := func(i int) {
					err := g.Push(b.Context(), Push{Key: shapedKey(i%groups, shapes), Families: batches[i%len(batches)], Time: time.Now()})
					if err != nil {
						b.Fatal(err)
					}
				}
				for i := range 3 * max(groups, 10_000) { // fill, and go on until the heap has its size
					push(i)
				}
				b.ReportAllocs()
				n, spent := 0, cpuTime()
				for b.Loop() {
					push(n)
					n += 7919 // a prime, so that neighbours in time are not neighbours in order
				}
				b.ReportMetric(float64((cpuTime()-spent).Nanoseconds())/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// cpuTime returns the user and system time of this process so far, the collector's among it.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func shapedKey(i, shapes int) Key {
	labels := exposition.Labels{{Name: "job", Value: fmt.Sprintf("batch_%06d", i)}}
	if shape := i % shapes; shape > 0 {
		labels = append(labels, exposition.Label{Name: fmt.Sprintf("zone_%d", shape), Value: "eu"})
	}
	return NewKey(labels...)
}

// batch makes 5 families of 4 series. A push leaves its families as they are, so they serve many times.
func batch(value float64) []*exposition.Family {
	families := make([]*exposition.Family, 0, 5)
	for _, name := range []string{"batch_duration_seconds", "batch_last_success", "batch_records_total", "batch_size_bytes", "batch_up"} {
		mf := &dto.MetricFamily{Name: proto.String(name), Help: proto.String("What a batch did."), Type: dto.MetricType_GAUGE.Enum()}
		for _, stage := range []string{"extract", "load", "transform", "verify"} {
			mf.Metric = append(mf.Metric, &dto.Metric{
				Label: []*dto.LabelPair{{Name: proto.String("stage"), Value: proto.String(stage)}},
				Gauge: &dto.Gauge{Value: proto.Float64(value)},
			})
		}
		families = append(families, exposition.FromProto(mf))
	}
	return families
}

// BenchmarkHostilePush defends that a push that is made to be costly to check costs little more than an
// honest one of its size: all names in need of escaping, all shapes within its series, a twin group.
func BenchmarkHostilePush(b *testing.B) {
	labelled := func(series int, names ...string) []*exposition.Family {
		mf := &dto.MetricFamily{Name: proto.String("m"), Type: dto.MetricType_GAUGE.Enum()}
		for i := range series {
			m := &dto.Metric{Gauge: &dto.Gauge{Value: proto.Float64(1)}, Label: []*dto.LabelPair{{Name: proto.String("n"), Value: proto.String(fmt.Sprint(i))}}}
			for _, name := range names {
				m.Label = append(m.Label, &dto.LabelPair{Name: proto.String(name), Value: proto.String("x")})
			}
			mf.Metric = append(mf.Metric, m)
		}
		return []*exposition.Family{exposition.FromProto(mf)}
	}
	run := func(name string, key Key, stored func(g *Gateway), families ...[]*exposition.Family) {
		b.Run(name, func(b *testing.B) {
			g := newTestGateway(b, nil)
			stored(g)
			for n := 0; b.Loop(); n++ {
				if err := g.Push(b.Context(), Push{Key: key, Families: families[n%len(families)], Time: time.Now()}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	push := func(g *Gateway, key Key, families []*exposition.Family) {
		if err := g.Push(b.Context(), Push{Key: key, Families: families, Time: time.Now()}); err != nil {
			b.Fatal(err)
		}
	}
	var dotted []*exposition.Family
	for i := range 4000 {
		dotted = append(dotted, oneMetric(fmt.Sprintf("http.server.metric_%d", i), dto.MetricType_GAUGE)...)
	}
	run("dotted=4000", job("a"), func(*Gateway) {}, dotted, nil)

	names := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "k", "l"}
	run("shapes=2047", job("all"), func(g *Gateway) {
		for bits := 1; bits < 1<<len(names); bits++ {
			labels := exposition.Labels{{Name: "job", Value: "all"}}
			for i, name := range names {
				if bits>>i&1 == 1 {
					labels = append(labels, exposition.Label{Name: name, Value: "other"})
				}
			}
			push(g, NewKey(labels...), oneMetric("m", dto.MetricType_GAUGE))
		}
	}, labelled(5000, names...), labelled(4999, names...))

	twin := NewKey(exposition.Label{Name: "job", Value: "b"}, exposition.Label{Name: "i", Value: "x"})
	run("twins=4000", twin, func(g *Gateway) { push(g, job("b"), labelled(4000, "a.b")) },
		labelled(4000, "a.b"), labelled(3999, "a.b"))
}
