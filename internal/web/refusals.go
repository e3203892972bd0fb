package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast"
)

// Bounds of what is remembered of refused pushes: half a megabyte at most.
const (
	maxRefusals     = 200
	maxRefusalBytes = 600 // of one text
)

// refusedPush is a push that was refused, or several that were refused alike.
type refusedPush struct {
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Count   int       `json:"count"`
	Remote  string    `json:"remote"` // of the last one
	Method  string    `json:"method"`
	Path    string    `json:"path"`  // of the grouping key, below the route prefix
	Group   string    `json:"group"` // the grouping key as labels; "" where the path holds none
	ID      string    `json:"id,omitempty"`
	Code    int       `json:"code"`
	Reason  string    `json:"reason"`
	Message string    `json:"message"`
	Where   string    `json:"where,omitempty"`
	Hint    string    `json:"hint,omitempty"`
}

// refusals remembers the last refused pushes.
type refusals struct {
	mu   sync.Mutex
	list []*refusedPush // newest first
}

// noting remembers the refusals of pushes.
func (s *site) noting(jobBase64 bool, next replier) replier {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := next(w, r)
		if err != nil {
			key, badPath := s.parseKey(r, jobBase64)
			if badPath != nil {
				key = holdfast.Key{}
			}
			s.noteRefusal(r, key, err)
		}
		return err
	}
}

// noteRefusal remembers the refusal of a push to key, the zero one if it could not be read.
func (s *site) noteRefusal(r *http.Request, key holdfast.Key, err error) {
	noted := refusedPush{
		Last: time.Now(), Count: 1, Remote: r.RemoteAddr, Method: r.Method,
		Path: bounded(strings.TrimPrefix(r.URL.EscapedPath(), s.RoutePrefix)), Code: http.StatusInternalServerError,
	}
	noted.First = noted.Last
	if key != (holdfast.Key{}) {
		noted.Path, noted.Group, noted.ID = bounded(key.Path(s.Names)), bounded(key.String()), key.ID().String()
	}
	var refusal *holdfast.Refusal
	var own *failure
	switch {
	case errors.As(err, &refusal):
		noted.Code, noted.Reason = statusOf(refusal.Kind), refusal.Reason
		noted.Message, noted.Where, noted.Hint = bounded(refusal.Message), bounded(refusal.Where), bounded(refusal.Hint)
	case errors.As(err, &own):
		noted.Code, noted.Reason, noted.Message = own.status, "request", bounded(own.text)
	default:
		noted.Reason, noted.Message = "internal", bounded(err.Error())
	}
	s.refusals.note(noted)
}

// bounded cuts a text that is kept.
func bounded(text string) string {
	if len(text) <= maxRefusalBytes {
		return strings.Clone(text)
	}
	return strings.ToValidUTF8(strings.Clone(text[:maxRefusalBytes]), "") + "…"
}

// note puts a refusal first. One that repeats another takes its place, so that a client that keeps
// trying does not push all others out.
func (l *refusals) note(p refusedPush) {
	l.mu.Lock()
	defer l.mu.Unlock()
	same := slices.IndexFunc(l.list, func(o *refusedPush) bool {
		return o.ID == p.ID && o.Method == p.Method && o.Reason == p.Reason && o.Path == p.Path && o.Message == p.Message
	})
	if same >= 0 {
		p.First, p.Count = l.list[same].First, l.list[same].Count+1
		l.list = slices.Delete(l.list, same, same+1)
	}
	l.list = slices.Insert(l.list[:min(len(l.list), maxRefusals-1)], 0, &p)
}

// last returns at most limit refusals, newest first. They are not to be modified.
func (l *refusals) last(limit int) []*refusedPush {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list[:min(limit, len(l.list))])
}
