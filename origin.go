package holdfast

import "strings"

// Origin is where a push came from.
type Origin struct {
	Remote      string // network address of the sender, "" if unknown
	ContentType string // of the body, without parameters
	Bytes       int64  // of the body, once inflated
}

// Failure is why a push was refused, for those who look at its group later.
type Failure struct {
	Reason  string // as in Refusal
	Message string // as in Refusal, cut to a sensible length
	Origin  Origin
}

// maxNoted bounds the bytes of a text that is kept with a group to tell how its last pushes went.
const maxNoted = 1000

func newFailure(r *Refusal, from Origin) *Failure {
	from.ContentType = cut(from.ContentType)
	return &Failure{Reason: r.Reason, Message: cut(r.Error()), Origin: from}
}

// cut returns a text of at most maxNoted bytes that keeps no longer one in memory.
func cut(text string) string {
	if len(text) <= maxNoted {
		return text
	}
	return strings.ToValidUTF8(strings.Clone(text[:maxNoted]), "") + "…"
}
