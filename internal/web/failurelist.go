package web

import "net/http"

// failuresReply is the answer to a query for refused pushes.
type failuresReply struct {
	Failures []*refusedPush `json:"failures"`
}

// apiFailures lists the last refused pushes, newest first.
func (s *site) apiFailures(w http.ResponseWriter, r *http.Request) error {
	p := newParams(r, "limit")
	limit := p.count("limit", maxRefusals, maxRefusals)
	if p.problem != nil {
		return p.problem
	}
	out := newJSONStream(w)
	out.begin("failures")
	for _, refused := range s.refusals.last(limit) {
		out.item(refused)
	}
	out.end()
	return out.close()
}
