package web

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"holdfast"
)

// A replier answers a request, or returns why it does not. It returns an error only if it has not begun
// its answer.
type replier func(w http.ResponseWriter, r *http.Request) error

// failure is an error that belongs to HTTP alone.
type failure struct {
	status int
	text   string
}

func (f *failure) Error() string { return f.text }

// reply turns the error of a replier into an answer in plain text.
func (s *site) reply(next replier) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := next(w, r)
		if err == nil {
			return
		}
		status, text := http.StatusInternalServerError, "internal error"
		var refusal *holdfast.Refusal
		var own *failure
		switch {
		case errors.As(err, &refusal):
			status, text = statusOf(refusal.Kind), refusal.Text(s.base(r), s.Names)
			if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
				w.Header().Set("Retry-After", retryAfter(refusal.RetryAfter))
			}
			if refusal.Kind == holdfast.Unavailable {
				w.Header().Set(keptHeader, "no")
			}
		case errors.As(err, &own):
			status, text = own.status, own.text
		default:
			s.Logger.Error("request failed", "method", r.Method, "path", r.URL.Path, "err", err)
		}
		http.Error(w, text, status)
	}
}

// base is the gateway's URL for the sender of r, in a form that may stand between single quotes: the
// external one where it is known, else the host that the sender asked for.
func (s *site) base(r *http.Request) string {
	base := strings.TrimSuffix(s.ExternalURL, "/")
	if base == "" {
		scheme := "http://"
		if r.TLS != nil {
			scheme = "https://"
		}
		base = scheme + r.Host + s.RoutePrefix
	}
	return strings.ReplaceAll(base, "'", "%27")
}

func statusOf(kind holdfast.Kind) int {
	switch kind {
	case holdfast.Malformed, holdfast.Inconsistent:
		return http.StatusBadRequest
	case holdfast.Mixing, holdfast.Doubtful:
		return http.StatusConflict
	case holdfast.TooLarge:
		return http.StatusRequestEntityTooLarge
	case holdfast.TooMany:
		return http.StatusTooManyRequests
	case holdfast.Unavailable, holdfast.Unknown:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// retryAfter renders whole seconds, at least one.
func retryAfter(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}

// whenReady refuses requests until the gateway has loaded all it keeps: half a page would make series
// stale, and a push could clash with what is not there yet.
func (s *site) whenReady(next replier) replier {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.Gateway.Ready(); err != nil {
			return err
		}
		return next(w, r)
	}
}

// empty answers with a status and no body.
func empty(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(status)
}
