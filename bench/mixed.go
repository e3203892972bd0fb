package main

import (
	"context"
	"fmt"
)

// openClients is how many pushes of the open loop may be under way at once.
const openClients = 32

// beside is what scrapes while the open loop pushes: nothing, or one scraper that scrapes back to back.
type beside struct {
	name    string
	scrapes bool
	gzip    bool
}

func allBeside() []beside {
	return []beside{{name: "nothing"}, {name: "identity", scrapes: true}, {name: "gzip", scrapes: true, gzip: true}}
}

// measureMixed compares the latency of pushes at a fixed rate with and without a scraper. A server that only
// takes bodies and sends the same page out of memory tells what the machine and the driver alone come to.
func (b *bench) measureMixed(ctx context.Context) error {
	targets, stop, err := b.filled(ctx, b.shape, b.largest(pageGroups))
	defer stop()
	if err != nil {
		return err
	}
	for _, t := range targets {
		_, memory, err := b.memoryOf(ctx, t)
		if err != nil {
			return err
		}
		err = b.mixedOf(ctx, []*target{memory, t})
		memory.stop()
		if err != nil {
			return err
		}
	}
	return nil
}

// mixedOf measures a server of bytes and a gateway, in turn.
func (b *bench) mixedOf(ctx context.Context, targets []*target) error {
	kinds := allBeside()
	pushes, scrapes := make([][][]tally, len(kinds)), make([][][]tally, len(kinds))
	for i, kind := range kinds {
		pushes[i], scrapes[i] = make([][]tally, len(targets)), make([][]tally, len(targets))
		for range b.rounds {
			for j, t := range targets {
				pushed, scraped, err := b.besideScrapes(ctx, t, kind)
				if err != nil {
					return err
				}
				pushes[i][j], scrapes[i][j] = append(pushes[i][j], pushed), append(scrapes[i][j], scraped)
			}
		}
	}
	rows := [][]string{{"target, groups", "beside", "pushes/s", "p50 µs", "p99 µs", "p99 of alone", "scrapes/s"}}
	for j, t := range targets {
		for i, kind := range kinds {
			measured, grown := pushes[i][j], against(pushes[i][j], pushes[0][j], p99)
			row := []string{t.name, kind.name, fmt.Sprintf("%.0f", middle(measured, (*tally).rate)), micros(middle(measured, p50)), micros(middle(measured, p99)), ratio(grown), ""}
			if kind.scrapes {
				row[len(row)-1] = fmt.Sprintf("%.1f", middle(scrapes[i][j], (*tally).rate))
			}
			rows = append(rows, row)
			if kind.scrapes && j > 0 {
				b.report.claim(fmt.Sprintf("p99 of a push, %s, %.0f pushes/s, beside %s scrapes against alone", t.name, b.rate, kind.name), grown, true, 3)
			}
		}
	}
	b.report.table(fmt.Sprintf("Open loop of %.0f pushes/s", b.rate), rows)
	return nil
}

// besideScrapes runs the open loop while one scraper takes the page again and again, if one is to.
func (b *bench) besideScrapes(ctx context.Context, t *target, kind beside) (pushes, scrapes tally, err error) {
	type outcome struct {
		tally
		err error
	}
	scraped := make(chan outcome, 1)
	go func() {
		if !kind.scrapes {
			scraped <- outcome{}
			return
		}
		one, err := scrapeLoad{gzip: kind.gzip, duration: b.duration}.run(ctx, t)
		scraped <- outcome{one, err}
	}()
	pushes, err = pushLoad{shape: b.shape, protobuf: b.protobuf, clients: openClients, duration: b.duration, rate: b.rate}.run(ctx, t)
	o := <-scraped
	if err == nil {
		err = o.err
	}
	return pushes, o.tally, err
}
