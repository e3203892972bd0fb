package web

import (
	"net/http"
	"time"

	"holdfast"
)

// expiryReply is the answer to a query for what leaves soon.
type expiryReply struct {
	Count  int              `json:"count"`
	Groups []*expiringReply `json:"groups"`
}

// expiringReply is a group that leaves unless it is pushed to.
type expiringReply struct {
	ID      string            `json:"id"`
	Labels  map[string]string `json:"labels"`
	Path    string            `json:"path"` // below the route prefix
	Series  int               `json:"series"`
	Expires time.Time         `json:"expires"`
}

// apiExpiry lists the groups that leave next, soonest first.
func (s *site) apiExpiry(w http.ResponseWriter, r *http.Request) error {
	p := newParams(r, "within", "limit")
	within := p.duration("within", time.Hour)
	limit := p.count("limit", presetGroups, mostGroups)
	if p.problem != nil {
		return p.problem
	}
	groups, count, err := s.Gateway.Expiring(time.Now().Add(within), limit)
	if err != nil {
		return err
	}
	reply := expiryReply{Count: count, Groups: make([]*expiringReply, 0, len(groups))}
	for _, g := range groups {
		reply.Groups = append(reply.Groups, s.expiringReply(g))
	}
	return writeReply(w, reply)
}

func (s *site) expiringReply(g *holdfast.Group) *expiringReply {
	key := g.Key()
	reply := &expiringReply{
		ID: key.ID().String(), Labels: map[string]string{}, Path: key.Path(s.Names), Series: g.Series(), Expires: g.Expires().UTC(),
	}
	for name, value := range keyLabels(g) {
		reply.Labels[name] = value
	}
	return reply
}
