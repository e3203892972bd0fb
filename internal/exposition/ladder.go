package exposition

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// ladder is the classic side of a histogram.
type ladder[T tally] struct {
	rungs    []rung[T] // by bound, which are distinct and below +Inf
	infinite bool      // there is a bucket of the bound +Inf too, whose count is that of the histogram
	beyond   *dto.Exemplar
}

// rung is a classic bucket: how many observations are not above its bound.
type rung[T tally] struct {
	bound    float64
	count    T
	exemplar *dto.Exemplar
}

// readLadder reads the buckets of a histogram of so many observations.
func readLadder[T tally](buckets []*dto.Bucket, count T) (*ladder[T], *misfit) {
	rungs := make([]rung[T], 0, len(buckets))
	for _, b := range buckets {
		n := counted[T](b.GetCumulativeCountFloat(), b.GetCumulativeCount())
		rungs = append(rungs, rung[T]{b.GetUpperBound(), n, b.GetExemplar()})
	}
	slices.SortStableFunc(rungs, func(a, b rung[T]) int { return cmp.Compare(a.bound, b.bound) })
	last := rung[T]{bound: math.NaN()} // which equals no bound
	for i, r := range rungs {
		switch {
		case math.IsNaN(r.bound):
			return nil, misfitBuckets("has a bucket whose bound is not a number")
		case i == 0 && !(r.count >= 0): // a float may be NaN
			return nil, misfitBuckets(fmt.Sprintf("has %v observations up to %v", r.count, r.bound))
		case r.bound == last.bound:
			return nil, misfitBuckets(fmt.Sprintf("has two buckets of the bound %v", r.bound))
		case !(r.count >= last.count):
			return nil, misfitBuckets(fmt.Sprintf("has %v observations up to %v, but %v up to %v", r.count, r.bound, last.count, last.bound))
		}
		last = r
	}
	infinite := math.IsInf(last.bound, +1)
	if !(last.count <= count) || infinite && last.count != count {
		return nil, misfitBuckets(fmt.Sprintf("has %v observations up to %v, but the count is %v", last.count, last.bound, count))
	}
	if !infinite {
		return &ladder[T]{rungs: rungs}, nil
	}
	return &ladder[T]{rungs: rungs[:len(rungs)-1], infinite: true, beyond: last.exemplar}, nil
}

func misfitBuckets(problem string) *misfit {
	return &misfit{
		ReasonIncrement, problem + ", so it cannot be added up",
		"send the histogram as the client library encodes it: cumulative buckets, the +Inf bucket being the count",
	}
}

// plus adds up two ladders on the rungs that both have, if those are all of one of them. That is exact:
// what is not above a bound is known on both sides.
func (l *ladder[T]) plus(pushed *ladder[T]) (*ladder[T], *misfit) {
	few, many, choose := l, pushed, newest
	if len(pushed.rungs) < len(l.rungs) {
		few, many = pushed, l
		choose = func(a, b *dto.Exemplar) *dto.Exemplar { return newest(b, a) }
	}
	sum := &ladder[T]{rungs: make([]rung[T], 0, len(few.rungs)), infinite: few.infinite || many.infinite}
	rest := many.rungs
	for _, r := range few.rungs {
		var folded *dto.Exemplar
		at := 0
		for at < len(rest) && rest[at].bound <= r.bound {
			folded = newest(folded, rest[at].exemplar)
			at++
		}
		if at == 0 || rest[at-1].bound != r.bound {
			return nil, misfitBounds(l.layout(), pushed.layout())
		}
		sum.rungs = append(sum.rungs, rung[T]{r.bound, r.count + rest[at-1].count, choose(r.exemplar, folded)})
		rest = rest[at:]
	}
	var folded *dto.Exemplar
	for _, r := range rest {
		folded = newest(folded, r.exemplar)
	}
	sum.beyond = choose(few.beyond, newest(folded, many.beyond))
	return sum, nil
}

// shownBounds is how many bounds a refusal lists.
const shownBounds = 40

// layout lists the bounds for people.
func (l *ladder[T]) layout() string {
	var b strings.Builder
	b.WriteString("the bounds ")
	for i, r := range l.rungs {
		if i == shownBounds {
			fmt.Fprintf(&b, "and %d more, ", len(l.rungs)-i)
			break
		}
		fmt.Fprintf(&b, "%v, ", r.bound)
	}
	return b.String() + "+Inf"
}

// buckets are the classic buckets of a histogram of so many observations.
func (l *ladder[T]) buckets(count T) []*dto.Bucket {
	buckets := make([]*dto.Bucket, 0, len(l.rungs)+1)
	for _, r := range l.rungs {
		buckets = append(buckets, r.bucket())
	}
	if l.infinite {
		buckets = append(buckets, rung[T]{math.Inf(+1), count, l.beyond}.bucket())
	}
	return buckets
}

func (r rung[T]) bucket() *dto.Bucket {
	b := &dto.Bucket{UpperBound: &r.bound, Exemplar: r.exemplar}
	b.CumulativeCountFloat, b.CumulativeCount = split(r.count)
	return b
}
