package holdfast

import (
	"errors"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

// Errors of an Engine. A caller branches on them with errors.Is.
var (
	ErrConflict    = errors.New("a guarded key has moved on")
	ErrUnavailable = errors.New("storage unavailable, surely not kept")
	ErrUnknown     = errors.New("outcome unknown, may be kept")
	ErrTooLarge    = errors.New("record too large")
	ErrFull        = errors.New("storage full")
)

// Kind classes a Refusal; internal/web turns it into a status code.
type Kind uint8

// The kinds of refusal.
const (
	Malformed    Kind = iota // the key or the body cannot be read, or the key itself is at fault: 400, no trace
	Inconsistent             // the push clashes with itself or with what is stored: 400, failure time noted
	Mixing                   // the push adds up and its group does not, or the other way round: 409, failure time noted
	Doubtful                 // the push may have been added before, and it is forgotten whether it was: 409, no trace
	TooLarge                 // one push is larger than a limit allows: 413
	TooMany                  // the gateway holds as much as a limit allows: 429
	Unavailable              // not now; surely not kept: 503
	Unknown                  // not now; may be kept: 503
)

// noted reports whether a refusal of the kind leaves its time in the group.
func (k Kind) noted() bool { return k == Inconsistent || k == Mixing }

// Refusal is why a push, delete or wipe was not carried out, in words for the one who sent it.
type Refusal struct {
	Kind   Kind
	Reason string // a short constant for counters, such as "type" or the name of a limit
	// Message is one line that starts as the reference's would.
	Message string
	// Where and Hint may be empty. Hint says what to do.
	Where, Hint string
	Other       Key           // the group that stands in the way, if one does
	RetryAfter  time.Duration // for TooMany, Unavailable and Unknown
	// Unstorable is set where the key is well-formed, but no group can ever stand under it: to delete
	// it is no error.
	Unstorable bool

	within bool  // the group clashes with itself, which no flag lets in
	Err    error // the cause, where there is one
}

// Error returns Message and Where, for a log.
func (r *Refusal) Error() string {
	if r.Where == "" {
		return r.Message
	}
	return r.Message + " (" + r.Where + ")"
}

// Text returns Message, Where, Hint and how to delete the group in the way, a line each, for the client.
// The base is the gateway's URL as the client knows it, without a trailing slash; names is how the
// gateway reads label names in paths.
func (r *Refusal) Text(base string, names model.ValidationScheme) string {
	lines := []string{r.Message}
	if r.Where != "" {
		lines = append(lines, "where: "+r.Where)
	}
	if r.Hint != "" {
		lines = append(lines, "hint: "+r.Hint)
	}
	if r.Other != (Key{}) {
		lines = append(lines, "delete: curl -X DELETE '"+base+r.Other.Path(names)+"'")
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// inconsistentPrefix starts every message that says why metrics were not taken, as the reference's does.
const inconsistentPrefix = "pushed metrics are invalid or inconsistent with existing metrics: "

func malformed(reason, message, hint string) *Refusal {
	return &Refusal{Kind: Malformed, Reason: reason, Message: message, Hint: hint}
}

func inconsistent(reason, problem, hint string) *Refusal {
	return &Refusal{Kind: Inconsistent, Reason: reason, Message: inconsistentPrefix + problem, Hint: hint}
}

// invalid turns an error of encoding into a refusal.
func invalid(err error) *Refusal {
	var fault *exposition.Invalid
	if !errors.As(err, &fault) {
		return &Refusal{Kind: Inconsistent, Reason: "invalid", Message: inconsistentPrefix + err.Error(), Err: err}
	}
	r := inconsistent(fault.Reason, fault.Error(), fault.Hint)
	r.Where = "metric " + fault.Family + fault.Series
	r.Err = err
	return r
}

// unavailable turns an engine's error into a refusal.
func unavailable(err error) *Refusal {
	r := &Refusal{Kind: Unavailable, Reason: "storage", RetryAfter: retryAfter, Err: err}
	switch {
	case errors.Is(err, ErrUnknown):
		r.Kind, r.Reason = Unknown, "unknown"
		r.Message = "storage did not answer in time: the change may or may not have been kept"
		r.Hint = "send it again; a push that was kept is replaced by its repetition"
	case errors.Is(err, ErrFull):
		r.Reason = "full"
		r.Message = "storage is full, nothing was changed: " + err.Error()
		r.Hint = "retry later; the operator has to make room on the gateway's disk"
	case errors.Is(err, ErrTooLarge):
		r.Kind, r.Reason, r.RetryAfter = TooLarge, "record", 0
		r.Message = "push is too large for the storage: " + err.Error()
		r.Hint = "split it over several grouping keys"
	default:
		r.Message = "storage is not available, nothing was changed: " + err.Error()
		r.Hint = "retry later; the gateway's log says why"
	}
	return r
}

// retryAfter is what a client that was refused for a passing reason is told to wait.
const retryAfter = 5 * time.Second
