package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

// The modes of a push, as the batch endpoint names them; Delete is none of its.
const (
	Put    = "put"    // the group holds what is pushed, nothing else
	Post   = "post"   // each pushed family takes the place of its namesake
	Patch  = "patch"  // each pushed series takes the place of its namesake
	Add    = "add"    // each pushed series is added to its namesake
	Delete = "delete" // the group goes
)

// Content types of bodies.
const (
	textType     = "text/plain; version=0.0.4; charset=utf-8"
	protobufType = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
)

// Push is one change of one group.
type Push struct {
	Mode    string // one of the constants above
	Labels  []exposition.Label
	Options string // as in the option prefix, "ttl=90s,every=24h"; "" for none
	Body    []byte
	Once    string // idempotency key; Prepare gives one
	Made    time.Time
}

// Prepare gives p its idempotency key and time, and refuses what no gateway would take, so that it is
// said to who is still there to hear it. A body of OpenMetrics becomes text.
func (p *Push) Prepare() error {
	if _, err := Path(p.Labels); err != nil {
		return err
	}
	if p.Once == "" {
		p.Once = rand.Text()
	}
	if p.Made.IsZero() {
		p.Made = time.Now()
	}
	var err error
	if p.Body, err = Text(p.Body); err != nil {
		return err
	}
	if p.Mode == Delete || strings.Contains(p.Options, "text=lenient") {
		return nil
	}
	switch ContentType(p.Body) {
	case textType:
		_, err = exposition.DecodeText(p.Body, model.UTF8Validation)
	case protobufType:
		_, err = exposition.DecodeProtobuf(p.Body)
	}
	if err != nil {
		return &Malformed{err}
	}
	return nil
}

// Malformed is why a body is not one of metrics.
type Malformed struct{ Err error }

// Error tells where the body cannot be read.
func (m *Malformed) Error() string { return "the metrics cannot be read: " + m.Err.Error() }

// Unwrap returns the decoder's error.
func (m *Malformed) Unwrap() error { return m.Err }

// ContentType tells by its content what a body is: text has no control characters.
func ContentType(body []byte) string {
	if !utf8.Valid(body) || bytes.ContainsFunc(body, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' }) {
		return protobufType
	}
	return textType
}

// request returns p as a request of its own.
func (p *Push) request() (Request, error) {
	path, err := Path(p.Labels)
	if err != nil {
		return Request{}, err
	}
	r := Request{Path: path, Body: p.Body, Header: http.Header{onceHeader: {p.Once}}}
	options := p.Options
	switch p.Mode {
	case Put:
		r.Method = http.MethodPut
	case Post:
		r.Method = http.MethodPost
	case Patch:
		r.Method = http.MethodPatch
	case Add:
		r.Method = http.MethodPost
		options = strings.TrimPrefix(options+",mode=add", ",")
	case Delete:
		r.Method, r.Body, options = http.MethodDelete, nil, ""
	default:
		return Request{}, fmt.Errorf("unknown mode %q of a push", p.Mode)
	}
	if r.Body != nil {
		r.Header.Set("Content-Type", ContentType(p.Body))
	}
	if options != "" {
		r.Path = "/with/" + options + r.Path
	}
	return r, nil
}

// Push delivers p, which is prepared. Errors are those of Do.
func (c *Client) Push(ctx context.Context, p *Push) error {
	return c.pushAgain(ctx, p, time.Time{})
}

// pushAgain is Push of what may have arrived before, at a time; the zero time if it surely has not.
func (c *Client) pushAgain(ctx context.Context, p *Push, firstSent time.Time) error {
	r, err := p.request()
	if err != nil {
		return err
	}
	r.FirstSent = firstSent
	_, err = c.Do(ctx, r)
	return err
}
