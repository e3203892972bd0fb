package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// batchPath takes many pushes, a JSON object a line; all of them are kept, or none.
const batchPath = "/api/v1/push?atomic=true"

// batchLine is a push as a line.
type batchLine struct {
	Labels  map[string]string `json:"labels"`
	Mode    string            `json:"mode"`
	Metrics string            `json:"metrics"`
	TTL     string            `json:"ttl,omitempty"`
	Every   string            `json:"every,omitempty"`
	Once    string            `json:"idempotency_key"`
}

// line returns p as a line, or false if it needs a request of its own.
func (p *Push) line() (l batchLine, ok bool) {
	if p.Mode == Delete || ContentType(p.Body) != textType {
		return l, false
	}
	l = batchLine{Labels: map[string]string{}, Mode: p.Mode, Metrics: string(p.Body), Once: p.Once}
	for _, label := range p.Labels {
		l.Labels[label.Name] = label.Value
	}
	for option := range strings.SplitSeq(p.Options, ",") {
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "":
		case "ttl":
			l.TTL = value
		case "every":
			l.Every = value
		default:
			return l, false
		}
	}
	return l, true
}

func (p *Push) batchable() bool {
	_, ok := p.line()
	return ok
}

// batchFault is what a line of an answer says.
type batchFault struct {
	Line, Status int
}

// pushBatch sends pushes that are batchable, all to be kept or none. AtFault are the places of those
// that a *Refused blames, in order; without any, it blames no line. Other errors are those of Do.
func (c *Client) pushBatch(ctx context.Context, pushes []queued, firstSent time.Time) (atFault []int, err error) {
	var body bytes.Buffer
	out := json.NewEncoder(&body)
	for _, p := range pushes {
		l, _ := p.line()
		if err := out.Encode(l); err != nil {
			return nil, fmt.Errorf("write a batch: %w", err)
		}
	}
	_, err = c.Do(ctx, Request{
		Method: http.MethodPost, Path: batchPath, Header: http.Header{"Content-Type": {"application/x-ndjson"}},
		Body: body.Bytes(), FirstSent: firstSent,
		Final: func(r *Refused) bool { return len(faults(r.Text, len(pushes))) > 0 },
	})
	var refused *Refused
	if errors.As(err, &refused) {
		return faults(refused.Text, len(pushes)), err
	}
	return nil, err
}

// faults returns the places of the lines that an answer blames, as far as it can be read. An answer that
// blames the storage blames no line.
func faults(answer string, count int) (places []int) {
	in := json.NewDecoder(strings.NewReader(answer))
	for {
		var f batchFault
		if err := in.Decode(&f); err != nil {
			return places
		}
		switch {
		case f.Line < 1 || f.Line > count || f.Status >= http.StatusInternalServerError:
			return nil
		case f.Status >= http.StatusBadRequest && f.Status != http.StatusFailedDependency:
			places = append(places, f.Line-1)
		}
	}
}
