package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/route"

	"holdfast"
	"holdfast/internal/exposition"
)

// inconsistent is how the reference's answer to a clash begins, and its log line.
const inconsistent = "pushed metrics are invalid or inconsistent with existing metrics"

// onceHeader names a push: one that was accepted is not applied again when it is repeated with the same
// value. With ageHeader a client says how many seconds ago it sent the push, or the first of a batch, for
// the first time. With keptHeader a 503 says that surely nothing was kept, which one of a proxy does not.
const (
	onceHeader = "Idempotency-Key"
	ageHeader  = "Idempotency-Age"
	keptHeader = "Idempotency-Kept"
	maxOnce    = 256     // bytes of onceHeader
	maxAge     = 1 << 32 // seconds in ageHeader, which is over a hundred years
)

// push takes a PUT, POST or PATCH on a grouping key.
func (s *site) push(mode holdfast.Mode, jobBase64 bool) replier {
	return s.noting(jobBase64, func(w http.ResponseWriter, r *http.Request) error {
		key, err := s.key(r, jobBase64)
		if err != nil {
			return err
		}
		if err := s.carryOut(r, holdfast.Push{Key: key, Mode: mode, Terms: s.Gateway.Terms(key, termsOf(r))}); err != nil {
			return err
		}
		if s.Gateway.Unchecked() {
			empty(w, http.StatusAccepted)
		} else {
			empty(w, http.StatusOK)
		}
		return nil
	})
}

// carryOut takes a push, with its idempotency key, and applies it.
func (s *site) carryOut(r *http.Request, p holdfast.Push) error {
	if p.IdempotencyKey = r.Header.Get(onceHeader); len(p.IdempotencyKey) > maxOnce {
		return &failure{http.StatusBadRequest, fmt.Sprintf("the %s header has %d bytes, which is over the limit of %d\nhint: a UUID is enough", onceHeader, len(p.IdempotencyKey), maxOnce)}
	}
	var err error
	if p.FirstSent, err = firstSent(r); err != nil {
		return err
	}
	return s.take(r, p, func(p holdfast.Push) error {
		// Once read, a push is carried out even if its sender has left.
		err := s.Gateway.Push(context.WithoutCancel(r.Context()), p)
		if err != nil {
			s.logRefusal(r, err)
		}
		return err
	})
}

// firstSent reads ageHeader; 0 where there is none.
func firstSent(r *http.Request) (time.Duration, error) {
	text := r.Header.Get(ageHeader)
	if text == "" {
		return 0, nil
	}
	seconds, err := strconv.ParseUint(text, 10, 64)
	if err != nil || seconds > maxAge {
		return 0, &failure{http.StatusBadRequest, fmt.Sprintf("the %s header is %.64q\nhint: it is a number of whole seconds, such as 90", ageHeader, text)}
	}
	return time.Duration(seconds) * time.Second, nil
}

// take reads the body of a push, decodes it and hands the push on.
func (s *site) take(r *http.Request, p holdfast.Push, carryOut func(holdfast.Push) error) error {
	b, err := s.readBody(r)
	if err != nil {
		s.Logger.Debug("failed to parse text", "source", r.RemoteAddr, "err", err)
		return err
	}
	defer b.release()
	// What is decoded takes several times the room of its text, so large bodies take turns.
	if len(b.bytes) > lightBody {
		turn := s.heavy
		if len(b.bytes) > smallBody {
			turn = s.alone
		}
		turn <- struct{}{}
		defer func() { <-turn }()
	}
	p.Origin = s.origin(r, b)
	var d exposition.Decoder
	defer d.Release()
	if p.Families, err = s.families(&d, r, b, p.Terms); err != nil {
		return err
	}
	p.Time = time.Now()
	return carryOut(p)
}

// origin tells where a push comes from.
func (s *site) origin(r *http.Request, b *body) holdfast.Origin {
	contentType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return holdfast.Origin{Remote: r.RemoteAddr, ContentType: s.contentTypes.share(strings.TrimSpace(contentType)), Bytes: int64(len(b.bytes))}
}

// key reads the grouping key from the path.
func (s *site) key(r *http.Request, jobBase64 bool) (holdfast.Key, error) {
	key, err := s.parseKey(r, jobBase64)
	if err != nil {
		s.logBadPath(r, route.Param(r.Context(), "job"), err)
	}
	return key, err
}

func (s *site) parseKey(r *http.Request, jobBase64 bool) (holdfast.Key, error) {
	return holdfast.ParseKey(route.Param(r.Context(), "job"), jobBase64, route.Param(r.Context(), "labels"), s.Names)
}

func (s *site) logBadPath(r *http.Request, job string, err error) {
	var refusal *holdfast.Refusal
	if !errors.As(err, &refusal) {
		return
	}
	switch {
	case refusal.Reason == "job":
		s.Logger.Debug("job name is required")
	case strings.HasPrefix(refusal.Message, "invalid base64 encoding in job name"):
		s.Logger.Debug("invalid base64 encoding in job name", "job", job, "err", refusal.Message)
	default:
		s.Logger.Debug("failed to parse URL", "url", r.URL.Path, "err", refusal.Message)
	}
}

// families decodes b and gives its room back.
func (s *site) families(d *exposition.Decoder, r *http.Request, b *body, terms holdfast.Terms) (families []*exposition.Family, err error) {
	if exposition.IsProtobuf(r.Header.Get("Content-Type")) {
		families, err = d.Protobuf(b.bytes)
	} else {
		if terms.Lenient != nil && *terms.Lenient {
			b.bytes = exposition.Lenient(b.bytes)
		}
		families, err = d.Text(b.bytes, s.Names)
	}
	b.reuse()
	if err == nil {
		return families, nil
	}
	s.Logger.Debug("failed to parse text", "source", r.RemoteAddr, "err", err)
	return nil, undecodable(err)
}

// undecodable turns an error of decoding into a refusal.
func undecodable(err error) *holdfast.Refusal {
	refusal := &holdfast.Refusal{Kind: holdfast.Malformed, Reason: "body", Message: err.Error(), Err: err}
	var teaching interface{ Hint() string }
	if errors.As(err, &teaching) {
		refusal.Hint = teaching.Hint()
	}
	return refusal
}

// maxLogged bounds the bytes of a refusal in the log, which may name long labels.
const maxLogged = 1000

// logRefusal logs what a client would otherwise be alone to know: its metrics clash.
func (s *site) logRefusal(r *http.Request, err error) {
	var refusal *holdfast.Refusal
	if !errors.As(err, &refusal) || refusal.Kind != holdfast.Inconsistent {
		return
	}
	reason := strings.TrimPrefix(refusal.Error(), inconsistent+": ")
	if len(reason) > maxLogged {
		reason = strings.ToValidUTF8(reason[:maxLogged], "") + "…"
	}
	s.Logger.Error(inconsistent, "method", r.Method, "source", r.RemoteAddr, "err", reason)
}

// delete takes a DELETE on a grouping key, whatever its body.
func (s *site) delete(jobBase64 bool) replier {
	return func(w http.ResponseWriter, r *http.Request) error {
		key, err := s.key(r, jobBase64)
		if heldByNone(err) {
			empty(w, http.StatusAccepted)
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.Gateway.Delete(context.WithoutCancel(r.Context()), key); err != nil {
			return err
		}
		empty(w, http.StatusAccepted)
		return nil
	}
}

// heldByNone reports whether a key was refused for what only this gateway refuses. No group has such a
// key, and deleting what is not there succeeds, as it does with the reference.
func heldByNone(err error) bool {
	var refusal *holdfast.Refusal
	return errors.As(err, &refusal) && refusal.Unstorable
}

// wipe deletes all groups.
func (s *site) wipe(w http.ResponseWriter, r *http.Request) error {
	s.Logger.Debug("start wiping metric store")
	if err := s.Gateway.Wipe(context.WithoutCancel(r.Context())); err != nil {
		return err
	}
	empty(w, http.StatusAccepted)
	return nil
}
