package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// bench is one run of measurements.
type bench struct {
	options
	work   string // directory of this run
	report *report
}

// measure does what was asked for, one part after the other.
func (b *bench) measure(ctx context.Context) error {
	parts := map[string]func(context.Context) error{
		"push": b.measurePushes, "scrape": b.measureScrapes, "churn": b.measureChurn, "mixed": b.measureMixed, "big": b.measureBig,
	}
	for _, part := range b.parts {
		if err := parts[part](ctx); err != nil {
			return fmt.Errorf("measure %s: %w", part, err)
		}
	}
	return nil
}

// round is one measurement of one target.
type round func(ctx context.Context, t *target) (tally, error)

// interleave measures the targets in turn, round by round, so that a noisy moment of the machine meets
// them all.
func (b *bench) interleave(ctx context.Context, targets []*target, measure round) ([][]tally, error) {
	all := make([][]tally, len(targets))
	for range b.rounds {
		for i, t := range targets {
			one, err := measure(ctx, t)
			if err != nil {
				return nil, err
			}
			all[i] = append(all[i], one)
		}
	}
	return all, ctx.Err()
}

// middle returns the median of something over rounds.
func middle[T int64 | float64 | time.Duration](rounds []tally, of func(*tally) T) T {
	var values []T
	for i := range rounds {
		values = append(values, of(&rounds[i]))
	}
	return median(values)
}

// against returns the median over rounds of one target's part in another's, of the same round.
func against[T int64 | float64 | time.Duration](rounds, others []tally, of func(*tally) T) float64 {
	var values []float64
	for i := range rounds {
		if other := of(&others[i]); other > 0 {
			values = append(values, float64(of(&rounds[i]))/float64(other))
		}
	}
	return median(values)
}

// gateways starts a Holdfast of each engine, or attaches to the gateway that runs.
func (b *bench) gateways(ctx context.Context, groups int) ([]*target, func(), error) {
	var all []*target
	stop := func() {
		for _, t := range all {
			t.stop()
		}
	}
	if b.url != "" {
		t, err := attach(b.url, b.pid)
		if err != nil {
			return nil, stop, err
		}
		all = append(all, t)
	}
	if b.holdfast != "" {
		for _, engine := range b.engines {
			t, err := startGateway(ctx, gateway{fmt.Sprintf("%s %d", engine, groups), b.holdfast, engine, b.work, b.args})
			if err != nil {
				stop()
				return nil, func() {}, err
			}
			all = append(all, t)
		}
	}
	return all, stop, nil
}

// filled is gateways, with so many groups in each.
func (b *bench) filled(ctx context.Context, s shape, groups int) ([]*target, func(), error) {
	all, stop, err := b.gateways(ctx, groups)
	if err != nil {
		return nil, stop, err
	}
	for _, t := range all {
		if err = fill(ctx, t, s, groups, b.protobuf); err != nil {
			stop()
			return nil, func() {}, fmt.Errorf("fill %s: %w", t.name, err)
		}
	}
	return all, stop, nil
}

// largest is the highest number of groups, but no more than a limit.
func (b *bench) largest(limit int) int { return min(limit, slices.Max(b.groups)) }
