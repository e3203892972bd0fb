package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// pageGroups is the most groups of the scrape part: 5 families of 4 series in each come to about 20 MB.
const pageGroups = 10_000

// measureScrapes compares scrapes of a store that does not change with the same bytes out of memory.
func (b *bench) measureScrapes(ctx context.Context) error {
	groups := b.largest(pageGroups)
	targets, stop, err := b.filled(ctx, b.shape, groups)
	defer stop()
	if err != nil {
		return err
	}
	for _, t := range targets {
		if err := b.scrapesOf(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) scrapesOf(ctx context.Context, t *target) error {
	page, memory, err := b.memoryOf(ctx, t)
	if err != nil {
		return err
	}
	defer memory.stop()
	targets := []*target{memory, t}
	want := pushed(page)
	if len(want) == 0 {
		return fmt.Errorf("the page of %s holds nothing that was pushed", t.name)
	}
	rows := [][]string{{"target, groups", "coding", "MB/s", "of bytes", "CPU ms/scrape", "of bytes", "p50 ms", "p99 ms", "RSS MB"}}
	var byCoding [][][]tally
	for _, gzip := range []bool{false, true} {
		if _, err := (scrapeLoad{gzip: gzip, want: want}).run(ctx, t); err != nil { // the first presses every page
			return err
		}
		rounds, err := b.interleave(ctx, targets, scrapeLoad{gzip: gzip, want: want, duration: b.duration}.run)
		if err != nil {
			return err
		}
		byCoding = append(byCoding, rounds)
		for i, measured := range targets {
			resident, err := measured.resident()
			if err != nil {
				return err
			}
			rows = append(rows, []string{
				measured.name, coding(gzip), fmt.Sprintf("%.0f", middle(rounds[i], flow)/1e6), ratio(against(rounds[i], rounds[0], flow)),
				millis(middle(rounds[i], (*tally).cpuEach)), ratio(against(rounds[i], rounds[0], (*tally).cpuEach)),
				millis(middle(rounds[i], p50)), millis(middle(rounds[i], p99)), megabytes(resident),
			})
		}
	}
	b.report.table(fmt.Sprintf("Scrapes of %s MB, unchanging, one scraper", megabytes(int64(len(page)))), rows)
	identity, gzip := byCoding[0], byCoding[1]
	b.report.claim("identity bytes/s, "+t.name+" against bytes", against(identity[1], identity[0], flow), false, 0.7)
	if t.pid != 0 {
		b.report.claim("CPU, "+t.name+", gzip scrape against identity scrape", against(gzip[1], identity[1], (*tally).cpuEach), true, 1)
	}
	return nil
}

// memoryOf takes a page and starts a server that sends it out of memory.
func (b *bench) memoryOf(ctx context.Context, t *target) ([]byte, *target, error) {
	page, err := fetch(ctx, t, false)
	if err != nil {
		return nil, nil, err
	}
	file := filepath.Join(b.work, "page")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		return nil, nil, err
	}
	memory, err := startOpponent(ctx, "bytes", file)
	return page, memory, err
}

func coding(gzip bool) string {
	if gzip {
		return "gzip"
	}
	return "identity"
}

// flow is bytes a second while scraping.
func flow(t *tally) float64 { return float64(t.bytes) / t.elapsed.Seconds() }

// churn is a store of which a part changes before each scrape.
type churn struct {
	part       float64
	cpu, full  time.Duration // of scrapes, and of compressing the same pages whole
	sent, best int64         // bytes of both
}

// measureChurn compares gzip scrapes after few changes with compressing the whole page again.
func (b *bench) measureChurn(ctx context.Context) error {
	groups := b.largest(maxKeys)
	targets, stop, err := b.filled(ctx, b.shape, groups)
	defer stop()
	if err != nil {
		return err
	}
	rows := [][]string{{"target, groups", "changed", "CPU ms/scrape", "CPU ms of a full gzip", "ratio", "bytes of a full gzip"}}
	for _, t := range targets {
		if t.pid == 0 {
			continue
		}
		if _, err := (scrapeLoad{gzip: true}).run(ctx, t); err != nil {
			return err
		}
		for _, c := range []churn{{part: 0.001}, {part: 0.01}} {
			for range b.rounds {
				if err := b.change(ctx, t, &c); err != nil {
					return err
				}
			}
			cost, size := float64(c.cpu)/float64(c.full), float64(c.sent)/float64(c.best)
			n := time.Duration(b.rounds)
			rows = append(rows, []string{t.name, fmt.Sprintf("%.1f %%", 100*c.part), millis(c.cpu / n), millis(c.full / n), ratio(cost), ratio(size)})
			limit := 0.1
			if c.part > 0.005 {
				limit = 0.45
			}
			b.report.claim(fmt.Sprintf("CPU, %s, gzip scrape after %.1f %% changed against a full gzip", t.name, 100*c.part), cost, true, limit)
			b.report.claim(fmt.Sprintf("bytes, %s, gzip scrape after %.1f %% changed against a full gzip", t.name, 100*c.part), size, true, 1.25)
		}
	}
	if len(rows) > 1 {
		b.report.table("Gzip scrapes after changes of random groups", rows)
	}
	return nil
}

// change pushes to a part of the groups and scrapes.
func (b *bench) change(ctx context.Context, t *target, c *churn) error {
	connection, err := dial(ctx, t.address, 4<<10)
	if err != nil {
		return err
	}
	defer connection.Close()
	request := newPushRequest(b.shape, b.protobuf, uint64(time.Now().UnixNano()))
	for range max(1, int(c.part*float64(t.keys))) {
		r, err := connection.ask(request.aimAny(t.keys), nil)
		if err == nil && r.status != 200 && r.status != 202 {
			err = fmt.Errorf("status %d", r.status)
		}
		if err != nil {
			return err
		}
	}
	scrape, err := scrapeLoad{gzip: true}.run(ctx, t)
	if err != nil {
		return err
	}
	page, err := fetch(ctx, t, false)
	if err != nil {
		return err
	}
	// Nothing changed since, so the page that is checked is made of what was just pressed.
	if _, err := (scrapeLoad{gzip: true, want: pushed(page)}).run(ctx, t); err != nil {
		return err
	}
	full, size, err := fullGzip(page)
	c.cpu, c.full = c.cpu+scrape.cpu, c.full+full
	c.sent, c.best = c.sent+scrape.bytes, c.best+int64(size)
	return err
}

// fullGzip compresses a page and returns the CPU time that it took and the size that came out.
func fullGzip(page []byte) (time.Duration, int, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, errBefore := threadTime()
	compressed, err := compressWhole(page)
	after, errAfter := threadTime()
	return after - before, len(compressed), errors.Join(errBefore, err, errAfter)
}

// threadTime is the user and system time of the current thread.
func threadTime() (time.Duration, error) {
	const ofThread = 1 // RUSAGE_THREAD, which package syscall does not name
	var u syscall.Rusage
	if err := syscall.Getrusage(ofThread, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
