package holdfast

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// layOver lays pushed families over those of a group, metric by metric, and reports whether that can be
// done.
func (s slow) layOver(group, pushed map[string]*dto.MetricFamily, mode Mode) bool {
	if _, err := (slow{Key{}: pushed}).gather(); err != nil {
		return false
	}
	for name, mf := range pushed {
		laid := &dto.MetricFamily{Name: mf.Name, Help: mf.Help, Type: mf.Type}
		held := map[string]*dto.Metric{}
		if old := group[name]; old != nil {
			if old.GetType() != mf.GetType() {
				return false
			}
			for _, m := range old.Metric {
				held[fmt.Sprint(m.Label)] = m
			}
		}
		for _, m := range mf.Metric {
			old := held[fmt.Sprint(m.Label)]
			delete(held, fmt.Sprint(m.Label))
			if mode == Add {
				if mf.GetType() == dto.MetricType_UNTYPED {
					return false
				}
				m = sumOf(old, m)
			}
			laid.Metric = append(laid.Metric, m)
		}
		for _, m := range held {
			laid.Metric = append(laid.Metric, m)
		}
		group[name] = laid
	}
	return true
}

// sumOf adds a metric to an old one of the same type and buckets, which may be nil.
func sumOf(old, pushed *dto.Metric) *dto.Metric {
	sum := proto.Clone(pushed).(*dto.Metric)
	if c := sum.Counter; c != nil {
		c.Value = proto.Float64(c.GetValue() + old.GetCounter().GetValue())
	}
	if s := sum.Summary; s != nil {
		s.SampleSum = proto.Float64(s.GetSampleSum() + old.GetSummary().GetSampleSum())
		s.SampleCount = proto.Uint64(s.GetSampleCount() + old.GetSummary().GetSampleCount())
		s.Quantile = nil
	}
	if h := sum.Histogram; h != nil {
		before := old.GetHistogram()
		h.SampleSum = proto.Float64(h.GetSampleSum() + before.GetSampleSum())
		h.SampleCount = proto.Uint64(h.GetSampleCount() + before.GetSampleCount())
		for i, b := range before.GetBucket() {
			h.Bucket[i].CumulativeCount = proto.Uint64(h.Bucket[i].GetCumulativeCount() + b.GetCumulativeCount())
		}
	}
	return sum
}

// mixes reports whether a push would mix adding with replacing in a group.
func (s slow) mixes(adding map[Key]bool, key Key, mode Mode, families []*dto.MetricFamily) bool {
	held := 0
	for name := range s[key] {
		if name != pushTimeName && name != failureTimeName {
			held++
		}
	}
	if held == 0 || mode != ReplaceGroup && len(families) == 0 {
		return false
	}
	return adding[key] != (mode == Add)
}

// All modes together, over few keys and restarts, do what a slow and obvious gateway does.
func TestModesAgainstModel(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r, engine := generator{rand.New(rand.NewPCG(seed, 11))}, newKeeper()
			open := func() *Gateway { return newTestGateway(t, func(o *Options) { o.Engine = engine }) }
			g, oracle, adding := open(), slow{}, map[Key]bool{}
			now := time.Unix(1_700_000_000, 0)
			for step := range 250 {
				key := r.key()
				now = now.Add(2 * time.Second)
				if r.IntN(25) == 0 {
					waitForNotices(g)
					g = open()
				}
				if r.IntN(20) == 0 {
					accept(t, g.Delete(t.Context(), key))
					delete(oracle, key)
					continue
				}
				mode, families := Mode(r.IntN(4)), r.families()
				if r.IntN(2) == 0 && adding[key] {
					mode = Add
				}
				accepted := false
				if oracle.mixes(adding, key, mode, families) {
					oracle.refuse(key, now)
				} else if accepted = oracle.push(key, mode, families, now); accepted && (len(families) > 0 || mode == ReplaceGroup) {
					adding[key] = mode == Add
				}
				err := g.Push(t.Context(), Push{Key: key, Mode: mode, Families: decoded(families), Time: now})
				if accepted != (err == nil) {
					t.Fatalf("step %d: mode %d of %v to %v: the model accepts: %v, gateway says %v", step, mode, families, key, accepted, err)
				}
				if step%10 == 0 {
					compareScrape(t, g, oracle)
				}
			}
			checkTotals(t, g)
		})
	}
}
