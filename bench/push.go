package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// measurePushes compares pushes with the two limits, for all numbers of stored groups and of clients. All
// targets run at once, so that stores of different sizes are compared within the same rounds.
func (b *bench) measurePushes(ctx context.Context) error {
	targets, stop, err := b.pushTargets(ctx)
	defer stop()
	if err != nil {
		return err
	}
	// The first pushes after a fill meet a collector and a store that are busy with it.
	if _, err := b.interleave(ctx, targets, b.pushRound(8, b.duration/4)); err != nil {
		return err
	}
	for _, clients := range b.clients {
		rounds, err := b.interleave(ctx, targets, b.pushRound(clients, b.duration))
		if err != nil {
			return err
		}
		if err := b.reportPushes(clients, targets, rounds); err != nil {
			return err
		}
		b.claimPushes(clients, targets, rounds)
	}
	return nil
}

func (b *bench) pushRound(clients int, duration time.Duration) round {
	return pushLoad{shape: b.shape, protobuf: b.protobuf, clients: clients, duration: duration}.run
}

// pushTargets starts the limits, null and append in this order, and then all gateways.
func (b *bench) pushTargets(ctx context.Context) (all []*target, stop func(), err error) {
	stop = func() {
		for _, t := range all {
			t.stop()
		}
	}
	for _, args := range [][]string{{"null"}, {"append", b.work}} {
		t, err := startOpponent(ctx, args...)
		if err != nil {
			return all, stop, err
		}
		all = append(all, t)
	}
	for _, groups := range b.groups {
		gateways, _, err := b.filled(ctx, b.shape, groups)
		if err != nil {
			return all, stop, err
		}
		all = append(all, gateways...)
	}
	return all, stop, nil
}

func (b *bench) reportPushes(clients int, targets []*target, rounds [][]tally) error {
	rows := [][]string{{"target, groups", "pushes/s", "of null", "of append", "CPU µs/push", "p50 µs", "p99 µs", "RSS MB"}}
	for i, t := range targets {
		resident, err := t.resident()
		if err != nil {
			return err
		}
		rows = append(rows, []string{
			t.name, fmt.Sprintf("%.0f", middle(rounds[i], (*tally).rate)),
			ratio(against(rounds[i], rounds[0], (*tally).rate)), ratio(against(rounds[i], rounds[1], (*tally).rate)),
			micros(middle(rounds[i], (*tally).cpuEach)),
			micros(middle(rounds[i], p50)), micros(middle(rounds[i], p99)), megabytes(resident),
		})
	}
	body := "text"
	if b.protobuf {
		body = "protobuf"
	}
	b.report.table(fmt.Sprintf("Pushes of %d samples in %s, %d clients", b.shape.samples(), body, clients), rows)
	return nil
}

func p50(t *tally) time.Duration { return t.at(0.50) }
func p99(t *tally) time.Duration { return t.at(0.99) }

// claimPushes notes what is promised of durable pushes: shares of both limits at 32 clients, and that
// the store's size does not matter.
func (b *bench) claimPushes(clients int, targets []*target, rounds [][]tally) {
	first := -1
	for i, t := range targets {
		if !strings.HasPrefix(t.name, "disk") {
			continue
		}
		if first < 0 {
			first = i
		} else {
			b.report.claim(fmt.Sprintf("p50 of a push, %s against %s, %d clients", t.name, targets[first].name, clients),
				against(rounds[i], rounds[first], p50), true, 1.2)
		}
		if clients != 32 {
			continue
		}
		share := 0.6
		if strings.HasSuffix(t.name, " 100000") {
			share = 0.55
		}
		b.report.claim(fmt.Sprintf("pushes/s, %s against null, 32 clients", t.name), against(rounds[i], rounds[0], (*tally).rate), false, share)
		b.report.claim(fmt.Sprintf("pushes/s, %s against append, 32 clients", t.name), against(rounds[i], rounds[1], (*tally).rate), false, 0.7)
	}
}

// measureBig has large groups pushed in turn, as jobs do that push each minute.
func (b *bench) measureBig(ctx context.Context) error {
	targets, stop, err := b.filled(ctx, b.big, b.bigCount)
	defer stop()
	if err != nil {
		return err
	}
	rows := [][]string{{"target, groups", "CPU ms/push", "% of a core, each group once a minute", "identity scrape ms", "gzip scrape after one push ms", "RSS MB"}}
	for _, t := range targets {
		var cpu, plain, pressed []time.Duration
		for range b.rounds {
			load := pushLoad{shape: b.big, protobuf: b.protobuf, clients: 1, inOrder: min(b.bigCount, 20)}
			pushes, err := load.run(ctx, t)
			if err != nil {
				return err
			}
			cpu = append(cpu, pushes.cpuEach())
			for _, scrape := range []struct {
				gzip bool
				into *[]time.Duration
			}{{false, &plain}, {true, &pressed}} {
				if _, err := (pushLoad{shape: b.big, protobuf: b.protobuf, clients: 1, inOrder: 1}).run(ctx, t); err != nil {
					return err
				}
				one, err := scrapeLoad{gzip: scrape.gzip}.run(ctx, t)
				if err != nil {
					return err
				}
				*scrape.into = append(*scrape.into, one.elapsed)
			}
		}
		resident, err := t.resident()
		if err != nil {
			return err
		}
		share := median(cpu).Seconds() * float64(b.bigCount) / 60
		rows = append(rows, []string{
			t.name, millis(median(cpu)), fmt.Sprintf("%.1f", 100*share), millis(median(plain)), millis(median(pressed)), megabytes(resident),
		})
		b.report.claim(fmt.Sprintf("%s of %d series: share of a core, each pushed once a minute", t.name, b.big.samples()), share, true, 0.15)
		b.report.claim(t.name+": seconds of a scrape, the slower kind", max(slices.Max(plain), slices.Max(pressed)).Seconds(), true, 1)
	}
	b.report.table(fmt.Sprintf("%d groups of %d series", b.bigCount, b.big.samples()), rows)
	return nil
}
