package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/gzip"
)

// scrapeLoad is one scraper that scrapes back to back, for a duration and at least once.
type scrapeLoad struct {
	gzip     bool
	duration time.Duration
	want     []byte // the pushed lines that each gzip page must come to; nil where pages change meanwhile
}

// scrapeBuffer is large, so that reading takes few calls.
const scrapeBuffer = 256 << 10

// run carries the load out. Only the time in scrapes counts, not that of looking at what came.
func (l scrapeLoad) run(ctx context.Context, t *target) (tally, error) {
	c, err := dial(ctx, t.address, scrapeBuffer)
	if err != nil {
		return tally{}, err
	}
	defer c.Close()
	before, err := t.cpu()
	if err != nil {
		return tally{}, err
	}
	var total tally
	var body bytes.Buffer
	request := scrapeRequest(l.gzip)
	for begun := time.Now(); total.ops == 0 || time.Since(begun) < l.duration && total.ops < maxOps && ctx.Err() == nil; {
		var into io.Writer
		if l.gzip {
			body.Reset()
			into = &body
		}
		sent := time.Now()
		r, err := c.ask(request, into)
		took := time.Since(sent)
		if err == nil && (r.status != 200 || r.gzip != l.gzip) {
			err = fmt.Errorf("status %d, gzip %v", r.status, r.gzip)
		}
		if err == nil && l.gzip && l.want != nil {
			err = checkPage(body.Bytes(), l.want)
		}
		if err != nil {
			return total, fmt.Errorf("scrape %s: %w", t.name, err)
		}
		total.ops++
		total.bytes += r.bytes
		total.elapsed += took
		total.latencies = append(total.latencies, took)
	}
	after, err := t.cpu()
	total.cpu = after - before
	return total, err
}

// fetch returns one page, inflated.
func fetch(ctx context.Context, t *target, compressed bool) ([]byte, error) {
	c, err := dial(ctx, t.address, scrapeBuffer)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var body bytes.Buffer
	r, err := c.ask(scrapeRequest(compressed), &body)
	if err != nil {
		return nil, fmt.Errorf("scrape %s: %w", t.name, err)
	}
	if r.status != 200 || r.gzip != compressed {
		return nil, fmt.Errorf("scrape %s: status %d, gzip %v", t.name, r.status, r.gzip)
	}
	return body.Bytes(), nil
}

// checkPage inflates a gzip page and compares what was pushed in it. It must be a single member, since
// many clients read no more.
func checkPage(compressed, want []byte) error {
	source := bytes.NewReader(compressed)
	z, err := gzip.NewReader(source)
	if err != nil {
		return err
	}
	z.Multistream(false)
	page, err := io.ReadAll(z)
	if err != nil {
		return fmt.Errorf("inflate page: %w", err)
	}
	if source.Len() > 0 {
		return fmt.Errorf("%d bytes behind the first gzip member", source.Len())
	}
	if !bytes.Equal(pushed(page), want) {
		return errors.New("the gzip page is not the identity page")
	}
	return nil
}

// pushed returns the lines of a page that come from pushes. A gateway's own metrics change from scrape to
// scrape.
func pushed(page []byte) []byte {
	kept := make([]byte, 0, len(page))
	for line := range bytes.Lines(page) {
		name := bytes.TrimPrefix(bytes.TrimPrefix(line, []byte("# HELP ")), []byte("# TYPE "))
		if bytes.HasPrefix(name, []byte("bench_")) || bytes.HasPrefix(name, []byte("push_")) {
			kept = append(kept, line...)
		}
	}
	return kept
}
