package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Refused is the gateway's answer that it will not do what was asked, however often it is asked.
type Refused struct {
	Status   int
	Text     string // the answer's body, in several lines
	Doubtful bool   // whether an attempt before this answer may have arrived
}

// Error returns status and text.
func (r *Refused) Error() string {
	return strings.TrimSpace(fmt.Sprintf("the gateway answered %d %s: %s", r.Status, http.StatusText(r.Status), r.Text))
}

// Undelivered is why nobody took what was sent: later it may arrive. What the gateway did with it is not
// known, which is what idempotency keys are for.
type Undelivered struct {
	Gateway  string
	Attempts int
	Doubtful bool          // whether an attempt may have arrived, and only its answer is lost
	After    time.Duration // how long the gateway asks to be left alone; 0 if it does not
	Err      error
}

// Error tells where to, how often, and what came of the last attempt.
func (u *Undelivered) Error() string {
	what := "could not be reached"
	var refused *Refused
	switch {
	case errors.As(u.Err, &refused) && u.After > 0:
		what = fmt.Sprintf("takes nothing now and asks for a pause of %v", u.After.Round(time.Second))
	case errors.As(u.Err, &refused):
		what = "takes nothing now"
	case u.Doubtful:
		what = "did not answer, what was sent may have arrived"
	}
	return fmt.Sprintf("%s %s (attempts: %d): %v", u.Gateway, what, u.Attempts, u.Err)
}

// Unwrap returns what came of the last attempt.
func (u *Undelivered) Unwrap() error { return u.Err }

// Request is one request of the gateway. It may arrive more than once.
type Request struct {
	Method, Path string // the path is escaped and stands below the gateway's URL
	Header       http.Header
	Body         []byte
	FirstSent    time.Time           // when it may have arrived for the first time; zero if it surely has not
	Final        func(*Refused) bool // picks answers that are worth no other attempt, though their status is; nil picks none
}

// most is how many bytes of an answer are read.
const mostAnswer = 256 << 20

// mostRefusal is how many bytes of a refusal are kept.
const mostRefusal = 64 << 10

// Do sends r until the gateway answers, waiting longer from one attempt to the next, or as long as the
// gateway asks for. It returns the answer's body. Errors are *Refused, or *Undelivered when ctx ends or
// would end before the next attempt.
func (c *Client) Do(ctx context.Context, r Request) ([]byte, error) {
	pause := newPause()
	for attempt := 1; ; attempt++ {
		begun := time.Now()
		answer, after, err := c.once(ctx, r)
		var later *temporary
		if !errors.As(err, &later) {
			var refused *Refused
			if errors.As(err, &refused) {
				refused.Doubtful = !r.FirstSent.IsZero()
			}
			return answer, err
		}
		if later.doubtful && r.FirstSent.IsZero() {
			r.FirstSent = begun
		}
		lost := &Undelivered{c.String(), attempt, !r.FirstSent.IsZero(), after, later.err}
		if !pause.wait(ctx, after) {
			return nil, lost
		}
	}
}

// temporary is why an attempt is worth another one.
type temporary struct {
	err      error
	doubtful bool // whether it may have arrived
}

func (t *temporary) Error() string { return t.err.Error() }

// once makes one attempt. After is how long the gateway asks to be left alone, 0 if it does not.
func (c *Client) once(ctx context.Context, r Request) (answer []byte, after time.Duration, err error) {
	var arrived atomic.Bool // perhaps: there was a connection
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { arrived.Store(true) }})
	request, err := http.NewRequestWithContext(ctx, r.Method, c.target(r.Path), bytes.NewReader(r.Body))
	if err != nil {
		return nil, 0, fmt.Errorf("make the request: %w", err)
	}
	maps.Copy(request.Header, r.Header)
	if !r.FirstSent.IsZero() {
		seconds := math.Ceil(max(1, time.Since(r.FirstSent).Seconds()))
		request.Header.Set(ageHeader, strconv.FormatInt(int64(seconds), 10))
	}
	reply, err := c.http.Do(request)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // the rest is what we said ourselves, the password included
		}
		return nil, 0, &temporary{err, arrived.Load()}
	}
	defer reply.Body.Close()
	if reply.StatusCode < 300 {
		answer, err = io.ReadAll(io.LimitReader(reply.Body, mostAnswer))
		if err != nil {
			return nil, 0, &temporary{fmt.Errorf("read the answer: %w", err), true}
		}
		return answer, 0, nil
	}
	text, err := io.ReadAll(io.LimitReader(reply.Body, mostRefusal))
	if err != nil {
		text = []byte(err.Error())
	}
	refused := &Refused{Status: reply.StatusCode, Text: strings.TrimSpace(string(text))}
	if !passes(reply.StatusCode) || r.Final != nil && r.Final(refused) {
		return nil, 0, refused
	}
	doubtful := reply.StatusCode != http.StatusTooManyRequests && reply.Header.Get(keptHeader) != "no"
	return nil, retryAfter(reply.Header.Get("Retry-After")), &temporary{refused, doubtful}
}

// passes reports whether another attempt may be answered with another status.
func passes(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// Headers of pushes that are sent again.
const (
	onceHeader = "Idempotency-Key"
	ageHeader  = "Idempotency-Age"  // seconds since the push may have arrived for the first time
	keptHeader = "Idempotency-Kept" // "no": what is answered with 503 surely left nothing
)
