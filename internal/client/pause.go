package client

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	firstPause   = 200 * time.Millisecond
	longestPause = 10 * time.Second
)

// pause is the time between attempts: twice as long each time, and random between half and all of it, so
// that jobs which failed together do not come back together.
type pause struct{ next time.Duration }

func newPause() *pause { return &pause{firstPause} }

// wait waits for the next attempt, at least as long as asked. Where ctx would end before, it waits for half of what is
// left, so that little of the time is lost; it returns false at once if that is less than asked, or than the shortest
// pause.
func (p *pause) wait(ctx context.Context, asked time.Duration) bool {
	d := p.next/2 + rand.N(p.next/2)
	p.next = min(2*p.next, longestPause)
	d = max(d, asked)
	if deadline, bounded := ctx.Deadline(); bounded && time.Until(deadline) <= d {
		if d = time.Until(deadline) / 2; d < max(asked, firstPause/2) {
			return false
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// retryAfter reads the header of that name: seconds or a date; 0 for none.
func retryAfter(header string) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
