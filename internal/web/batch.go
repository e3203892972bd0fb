package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"holdfast"
	"holdfast/internal/exposition"
)

// batchLine is a line of a batch: one push.
type batchLine struct {
	Labels         map[string]string `json:"labels"`
	Mode           string            `json:"mode,omitempty"` // post if it is not said
	Metrics        string            `json:"metrics,omitempty"`
	TTL            string            `json:"ttl,omitempty"`
	Every          string            `json:"every,omitempty"`
	IdempotencyKey string            `json:"idempotency_key,omitempty"`
}

// batchResult is the answer to a line.
type batchResult struct {
	Line   int    `json:"line"`
	Status int    `json:"status"`
	Error  string `json:"error,omitempty"`

	retryAfter time.Duration // 0 if it is of no use
}

// apiBatch takes many pushes, a JSON object a line, and answers each with a line. With atomic=true all of
// them are kept or none.
func (s *site) apiBatch(w http.ResponseWriter, r *http.Request) error {
	p := newParams(r, "atomic")
	whole := p.flag("atomic")
	if p.problem != nil {
		return p.problem
	}
	age, err := firstSent(r)
	if err != nil {
		return err
	}
	b, err := s.readBody(r)
	if err != nil {
		return err
	}
	defer b.release()
	if len(b.bytes) > lightBody {
		s.alone <- struct{}{}
		defer func() { <-s.alone }()
	}
	results, pushes, places := s.readBatch(r, b)
	for i := range pushes {
		pushes[i].FirstSent = age
	}
	bad := len(pushes) < len(results)
	if whole && bad {
		withhold(results)
		return writeBatch(w, results, true)
	}
	answers, kept := s.Gateway.PushAll(pushes, whole)
	for i, err := range answers {
		if err != nil {
			s.logRefusal(r, err)
			results[places[i]].refuse(s, r, pushes[i].Key, err)
			bad = true
		}
	}
	if whole && !kept {
		withhold(results)
	}
	return writeBatch(w, results, whole && bad)
}

// readBatch reads the lines of a batch, leaving empty ones out: a result for each, and the pushes of
// those that can be read with the places of their results.
func (s *site) readBatch(r *http.Request, b *body) (results []batchResult, pushes []holdfast.Push, places []int) {
	accepted := http.StatusOK
	if s.Gateway.Unchecked() {
		accepted = http.StatusAccepted
	}
	number := 0
	for line := range bytes.Lines(b.bytes) {
		number++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		result := batchResult{Line: number, Status: accepted}
		push, err := s.parseLine(line)
		if err != nil {
			result.refuse(s, r, push.Key, err)
		} else {
			push.Origin = s.origin(r, b)
			push.Origin.Bytes = int64(len(line))
			pushes, places = append(pushes, push), append(places, len(results))
		}
		results = append(results, result)
	}
	return results, pushes, places
}

// parseLine makes a push of a line. With an error, the push has its key if that could be read.
func (s *site) parseLine(text []byte) (p holdfast.Push, err error) {
	var line batchLine
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if !utf8.Valid(text) {
		return p, badLine("the line is not UTF-8")
	}
	if err := in.Decode(&line); err != nil {
		return p, badLine("the line cannot be read: " + err.Error())
	}
	if _, err := in.Token(); err != io.EOF {
		return p, badLine("the line goes on after its JSON object")
	}
	if len(line.IdempotencyKey) > maxOnce {
		return p, badLine(fmt.Sprintf("idempotency_key has %d bytes, which is over the limit of %d", len(line.IdempotencyKey), maxOnce))
	}
	p.IdempotencyKey = line.IdempotencyKey
	if p.Key, err = holdfast.ParseLabels(line.Labels, s.Names); err != nil {
		return p, err
	}
	var terms holdfast.Terms
	if p.Mode, terms, err = line.terms(); err != nil {
		return p, err
	}
	p.Terms = s.Gateway.Terms(p.Key, terms)
	metrics := []byte(line.Metrics)
	if p.Terms.Lenient != nil && *p.Terms.Lenient {
		metrics = exposition.Lenient(metrics)
	}
	if p.Families, err = exposition.DecodeText(metrics, s.Names); err != nil {
		return p, undecodable(err)
	}
	p.Time = time.Now()
	return p, nil
}

// terms returns what a line says of how it is to be taken.
func (line *batchLine) terms() (mode holdfast.Mode, terms holdfast.Terms, err error) {
	var said []string
	for _, option := range [][2]string{{"ttl", line.TTL}, {"every", line.Every}} {
		if strings.Contains(option[1], ",") {
			return mode, terms, badLine(option[0] + " is a duration, such as 90s")
		}
		if option[1] != "" {
			said = append(said, option[0]+"="+option[1])
		}
	}
	switch line.Mode {
	case "put":
		mode = holdfast.ReplaceGroup
	case "", "post":
		mode = holdfast.ReplaceFamily
	case "patch":
		mode = holdfast.Upsert
	case "add":
		said = append(said, "mode=add")
	default:
		return mode, terms, badLine(fmt.Sprintf("mode %.64q is none of put, post, patch, add", line.Mode))
	}
	if len(said) > 0 {
		terms, err = holdfast.ParseTerms(strings.Join(said, ","))
	}
	return mode, terms, err
}

func badLine(problem string) error {
	return &failure{http.StatusBadRequest, problem + "\n" +
		`hint: a line is one JSON object, such as {"labels":{"job":"backup"},"mode":"put","metrics":"m 1\n"}`}
}

// refuse has a result tell an error, which is remembered among the refused pushes.
func (result *batchResult) refuse(s *site, r *http.Request, key holdfast.Key, err error) {
	s.noteRefusal(r, key, err)
	switch err := err.(type) {
	case *holdfast.Refusal:
		result.Status, result.Error = statusOf(err.Kind), err.Text(s.base(r), s.Names)
		result.retryAfter = err.RetryAfter
	case *failure:
		result.Status, result.Error = err.status, err.text
	default:
		result.Status, result.Error = http.StatusInternalServerError, "internal error"
	}
}

// withhold marks what was not kept because of other lines.
func withhold(results []batchResult) {
	for i := range results {
		if results[i].Error == "" {
			results[i].Status, results[i].Error = http.StatusFailedDependency, "not kept, because another line of the batch was refused"
		}
	}
}

// writeBatch answers 200 if all lines were taken, 207 if some were refused, and for a whole batch that
// was refused the status of the first line at fault.
func writeBatch(w http.ResponseWriter, results []batchResult, refused bool) error {
	var text bytes.Buffer
	out := json.NewEncoder(&text)
	status := http.StatusOK
	for _, result := range results {
		if err := out.Encode(result); err != nil {
			return fmt.Errorf("writing the answer to a batch: %w", err)
		}
		switch {
		case result.Error == "":
		case !refused:
			status = http.StatusMultiStatus
		case status == http.StatusOK && result.Status != http.StatusFailedDependency:
			status = result.Status
			if result.retryAfter > 0 {
				w.Header().Set("Retry-After", retryAfter(result.retryAfter))
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(status)
	_, _ = text.WriteTo(w)
	return nil
}
