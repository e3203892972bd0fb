package web

import (
	"fmt"
	"net/http"
	"strings"

	"holdfast"
)

// deleteReply is the answer to a deletion of groups by selector: what went, or would go. Groups are listed
// by key, up to the limit.
type deleteReply struct {
	DryRun bool        `json:"dry_run"`
	Totals totalsReply `json:"totals"`
	Groups []keyReply  `json:"groups"`
}

type keyReply struct {
	ID     string            `json:"id"`
	Labels map[string]string `json:"labels"`
	Path   string            `json:"path"`
}

// apiDeleteGroups deletes all groups that selectors select. Without a selector it would be a wipe, which
// has a call of its own.
func (s *site) apiDeleteGroups(w http.ResponseWriter, r *http.Request) error {
	p := newParams(r, "match[]", "older_than", "dry_run", "limit")
	q := holdfast.Query{
		Selectors: p.selectors("match[]"), Before: p.age("older_than"), Limit: p.count("limit", presetGroups, mostGroups),
	}
	reply := deleteReply{DryRun: p.flag("dry_run"), Groups: []keyReply{}}
	if err := selective(p, q.Selectors); err != nil {
		return err
	}
	if !reply.DryRun {
		removal, err := s.Gateway.Remove(q)
		s.logDeletion(r, p, removal.Totals.Groups, err)
		if err != nil {
			return partly(removal.Totals.Groups, err)
		}
		reply.Totals = newTotals(removal.Totals)
		for _, key := range removal.Keys {
			reply.Groups = append(reply.Groups, s.keyReply(key))
		}
		return writeReply(w, reply)
	}
	found, err := s.Gateway.Select(q)
	if err != nil {
		return err
	}
	reply.Totals = newTotals(found.Totals)
	for _, g := range found.Groups {
		reply.Groups = append(reply.Groups, s.keyReply(g.Key()))
	}
	return writeReply(w, reply)
}

// selective refuses to delete by selectors that select whatever there is.
func selective(p *params, selectors []holdfast.Selector) error {
	if len(selectors) == 0 {
		p.fail("parameter match[] is missing: it says which groups to delete, such as {job=\"backup\"}\n" +
			"hint: PUT /api/v1/admin/wipe deletes all")
	}
	for _, s := range selectors {
		if s.SelectsAll() {
			p.fail("parameter match[]: selector %s selects every group: ask for at least one label that is not empty\n"+
				"hint: PUT /api/v1/admin/wipe deletes all", s)
		}
	}
	return p.problem
}

// partly tells of groups that went before an error.
func partly(gone int, err error) error {
	refusal, refused := err.(*holdfast.Refusal)
	if !refused || gone == 0 {
		return err
	}
	told := *refusal
	told.Message = fmt.Sprintf("%d groups were deleted, then: %s", gone, refusal.Message)
	return &told
}

func (s *site) logDeletion(r *http.Request, p *params, gone int, err error) {
	attrs := []any{"source", r.RemoteAddr, "selector", bounded(strings.Join(p.values["match[]"], " or ")), "groups", gone}
	if age := p.values.Get("older_than"); age != "" {
		attrs = append(attrs, "older_than", age)
	}
	if err != nil {
		attrs = append(attrs, "err", err)
	}
	s.Logger.Info("deleted groups by selector", attrs...)
}

func (s *site) keyReply(key holdfast.Key) keyReply {
	reply := keyReply{key.ID().String(), map[string]string{}, key.Path(s.Names)}
	for _, l := range key.Labels() {
		reply.Labels[l.Name] = l.Value
	}
	return reply
}

// notEnabled answers calls that only an operator may switch on, as if there were none.
func notEnabled(http.ResponseWriter, *http.Request) error {
	return &failure{http.StatusNotFound, "404 page not found"}
}
