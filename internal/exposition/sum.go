package exposition

import (
	"fmt"
	"math"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Sum adds up the metrics of one family, push by push:
//
//   - A counter adds up. So do the count and the sum of a summary; its quantiles cannot be added and are
//     left out, from the first push on.
//   - A histogram adds up bucket by bucket. Classic buckets of different bounds are folded onto those
//     that both have, if one set of bounds contains the other. Native histograms of different schemas and
//     zero buckets are brought to the coarser one, as Prometheus does. Of the classic and the native side
//     only what both histograms have is kept.
//   - A gauge follows the rule. NaN loses against any number in GaugeMax and GaugeMin, and no GaugeSum
//     takes it. A histogram of gauges adds up under GaugeSum; under all other rules the pushed one stands.
//   - An untyped metric is refused, since nobody knows what it is, unless Untyped is set.
//
// Counts of histograms and summaries are exact up to 2^64, counters up to 2^53 where they count whole
// things; what has fractions adds up as float64 does. Each order of pushes gives the same sum, but for
// gauges that are replaced. Of exemplars the newest stay.
type Sum struct {
	Name  string // of the family
	Type  dto.MetricType
	Gauge GaugeRule
	// Untyped lets untyped metrics add up, down as well as up, in the place of refusing them.
	Untyped bool
	// Time is when the push arrived. A series that was not there before begins to count then, which its
	// created timestamp says. That of the client, which began before others pushed, is left out.
	Time time.Time
}

// The reasons that an *Invalid of Sum.Add can have beside those of Family.Encode.
const (
	ReasonUntyped   = "untyped"
	ReasonIncrement = "increment"
	ReasonBounds    = "bounds"
	ReasonOverflow  = "overflow"
)

// Add returns what stands in an adding group once a push is added to what stood there. Both are blocks of
// the family and of one group; old may be nil, and is what Add returned before.
//
// Time grows with the series of both, and what the push does not bring is copied. The error is an
// *Invalid that names the metric: for an increment that is negative or no finite number, for buckets that
// do not fit, for an untyped metric.
func (s Sum) Add(old, increment *Block) (*Block, error) {
	return join(s.Name, s.Type, old, increment, func(labels Labels, before, pushed *spot) (*value, error) {
		added, err := readValue(s.Type, pushed.rest)
		if err != nil {
			return nil, fmt.Errorf("adding to %q: %w", s.Name, err)
		}
		var stood *value
		if before != nil {
			v, err := readValue(s.Type, before.rest)
			if err != nil {
				return nil, fmt.Errorf("adding to %q: %w", s.Name, err)
			}
			stood = &v
		}
		sum, fault := s.values(stood, &added)
		if fault != nil {
			return nil, fault.of(&Family{Name: s.Name}, labels)
		}
		return sum, nil
	})
}

// misfit is why a value cannot be added.
type misfit struct{ reason, problem, hint string }

func (m *misfit) of(f *Family, labels Labels) *Invalid {
	return f.invalid(labels, m.reason, m.problem, m.hint)
}

// values adds up two values; old is nil where there was none. A nil value stands for the pushed one as it
// is. Neither is changed.
func (s Sum) values(old, pushed *value) (*value, *misfit) {
	switch s.Type {
	case dto.MetricType_COUNTER:
		return s.counters(old, pushed)
	case dto.MetricType_GAUGE:
		return s.gauges(old, pushed)
	case dto.MetricType_SUMMARY:
		return s.summaries(old, pushed)
	case dto.MetricType_HISTOGRAM:
		return s.histograms(old, pushed)
	case dto.MetricType_GAUGE_HISTOGRAM:
		if s.Gauge != GaugeSum {
			return nil, nil
		}
		return s.histograms(old, pushed)
	}
	if s.Untyped {
		s.Gauge = GaugeSum
		return s.gauges(old, pushed)
	}
	return nil, &misfit{
		ReasonUntyped, "has no type, so it cannot be added up",
		"write a TYPE line before its samples: a counter adds up, a gauge takes the last value",
	}
}

func (s Sum) counters(old, pushed *value) (*value, *misfit) {
	if fault := checkIncrement("counter", pushed.number); fault != nil {
		return nil, fault
	}
	sum := &value{number: pushed.number}
	var created *timestamppb.Timestamp
	exemplar := pushed.counter.GetExemplar()
	if old != nil {
		sum.number += old.number
		created, exemplar = old.counter.GetCreatedTimestamp(), newest(old.counter.GetExemplar(), exemplar)
	}
	if math.IsInf(sum.number, 0) {
		return nil, overflow()
	}
	sum.counter = &dto.Counter{Value: &sum.number, Exemplar: exemplar, CreatedTimestamp: s.created(created)}
	return sum, nil
}

// checkIncrement refuses an increment that would make a counter go down or stand still for ever.
func checkIncrement(what string, number float64) *misfit {
	if number >= 0 && !math.IsInf(number, 0) {
		return nil
	}
	return &misfit{
		ReasonIncrement, fmt.Sprintf("would add %v to a %s, which can only go up by finite numbers", number, what),
		"push what was counted since the last push; use a gauge for what goes down, or DELETE the group to begin anew",
	}
}

func overflow() *misfit {
	return &misfit{ReasonOverflow, "would grow beyond the largest number", "DELETE the group to begin anew"}
}

// created is the time from which a metric counts: that of what stood there, or now.
func (s Sum) created(old *timestamppb.Timestamp) *timestamppb.Timestamp {
	if old != nil || s.Time.IsZero() {
		return old
	}
	return timestamppb.New(s.Time)
}

func (s Sum) gauges(old, pushed *value) (*value, *misfit) {
	if s.Gauge == GaugeSum && (math.IsNaN(pushed.number) || math.IsInf(pushed.number, 0)) {
		return nil, &misfit{
			ReasonIncrement, fmt.Sprintf("would add %v to a sum", pushed.number),
			"push finite numbers; gauges may have another rule than sum",
		}
	}
	if old == nil {
		return nil, nil
	}
	sum := value{number: pushed.number}
	switch s.Gauge {
	case GaugeSum:
		if sum.number += old.number; math.IsInf(sum.number, 0) {
			return nil, overflow()
		}
	case GaugeMax:
		if old.number > sum.number || math.IsNaN(sum.number) {
			sum.number = old.number
		}
	case GaugeMin:
		if old.number < sum.number || math.IsNaN(sum.number) {
			sum.number = old.number
		}
	default:
		return nil, nil
	}
	return &sum, nil
}

func (s Sum) summaries(old, pushed *value) (*value, *misfit) {
	count, total := pushed.summary.GetSampleCount(), pushed.summary.GetSampleSum()
	if fault := checkTotal("summary", total); fault != nil {
		return nil, fault
	}
	if old != nil {
		var fits bool
		if count, fits = plus(old.summary.GetSampleCount(), count); !fits {
			return nil, overflow()
		}
		if total += old.summary.GetSampleSum(); math.IsInf(total, 0) {
			return nil, overflow()
		}
	}
	created := s.created(old.createdSummary())
	return &value{summary: &dto.Summary{SampleCount: &count, SampleSum: &total, CreatedTimestamp: created}}, nil
}

func (v *value) createdSummary() *timestamppb.Timestamp {
	if v == nil {
		return nil
	}
	return v.summary.GetCreatedTimestamp()
}

// checkTotal refuses a sum of observations that none could be added to any more.
func checkTotal(what string, total float64) *misfit {
	if !math.IsNaN(total) && !math.IsInf(total, 0) {
		return nil
	}
	return &misfit{
		ReasonIncrement, fmt.Sprintf("would add %v to the sum of a %s, which can only change by finite numbers", total, what),
		"leave out what is not a finite number when observing",
	}
}

// tally is what counts observations: most histograms do in integers, some in floats.
type tally interface{ uint64 | float64 }

// plus adds up two counts; fits is false where the sum is more than T can hold.
func plus[T tally](a, b T) (sum T, fits bool) {
	sum = a + b
	return sum, sum >= a && !math.IsInf(float64(sum), 0)
}

// newest returns the exemplar with the latest timestamp, the pushed one if neither is later.
func newest(old, pushed *dto.Exemplar) *dto.Exemplar {
	if pushed == nil || old.GetTimestamp().AsTime().After(pushed.GetTimestamp().AsTime()) && old != nil {
		return old
	}
	return pushed
}
