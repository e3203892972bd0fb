package main

import (
	"context"
	"fmt"
)

// openClients is how many pushes of the open loop may be under way at once.
const openClients = 32

// measureMixed compares the latency of pushes at a fixed rate with and without a scraper that scrapes
// back to back.
func (b *bench) measureMixed(ctx context.Context) error {
	targets, stop, err := b.filled(ctx, b.shape, b.largest(pageGroups))
	defer stop()
	if err != nil {
		return err
	}
	rows := [][]string{{"target, groups", "beside", "pushes/s", "p50 µs", "p99 µs", "p99 of alone", "scrapes/s"}}
	for _, t := range targets {
		var alone, beside, scrapes []tally
		for range b.rounds {
			one, err := b.openLoop(ctx, t)
			if err != nil {
				return err
			}
			both, scraped, err := b.besideScrapes(ctx, t)
			if err != nil {
				return err
			}
			alone, beside, scrapes = append(alone, one), append(beside, both), append(scrapes, scraped)
		}
		grown := against(beside, alone, p99)
		rows = append(rows,
			[]string{t.name, "nothing", fmt.Sprintf("%.0f", middle(alone, (*tally).rate)), micros(middle(alone, p50)), micros(middle(alone, p99)), "1.00", ""},
			[]string{
				t.name, "scrapes", fmt.Sprintf("%.0f", middle(beside, (*tally).rate)), micros(middle(beside, p50)), micros(middle(beside, p99)),
				ratio(grown), fmt.Sprintf("%.1f", middle(scrapes, (*tally).rate)),
			})
		b.report.claim(fmt.Sprintf("p99 of a push, %s, %.0f pushes/s, beside scrapes against alone", t.name, b.rate), grown, true, 3)
	}
	if len(rows) > 1 {
		b.report.table(fmt.Sprintf("Open loop of %.0f pushes/s", b.rate), rows)
	}
	return nil
}

func (b *bench) openLoop(ctx context.Context, t *target) (tally, error) {
	return pushLoad{shape: b.shape, protobuf: b.protobuf, clients: openClients, duration: b.duration, rate: b.rate}.run(ctx, t)
}

// besideScrapes is openLoop while one scraper takes the identity page again and again.
func (b *bench) besideScrapes(ctx context.Context, t *target) (pushes, scrapes tally, err error) {
	type outcome struct {
		tally
		err error
	}
	scraped := make(chan outcome, 1)
	go func() {
		one, err := scrapeLoad{duration: b.duration}.run(ctx, t)
		scraped <- outcome{one, err}
	}()
	pushes, err = b.openLoop(ctx, t)
	o := <-scraped
	if err == nil {
		err = o.err
	}
	return pushes, o.tally, err
}
