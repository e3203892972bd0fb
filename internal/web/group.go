package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/route"

	"holdfast"
)

// Numbers of metrics of one family in one answer.
const (
	presetMetrics = 1000
	mostMetrics   = 100_000
)

// groupDetail is the answer to a query for one group.
type groupDetail struct {
	Group    *groupReply    `json:"group"`
	Families []*familyReply `json:"families"`
}

// familyReply is a family of a group. Its metrics come last.
type familyReply struct {
	Name    string         `json:"name"`
	Type    string         `json:"type"`
	Help    string         `json:"help"`
	Unit    string         `json:"unit,omitempty"`
	Pushed  time.Time      `json:"pushed"`
	Series  int            `json:"series"`
	Masked  bool           `json:"masked"`
	Omitted int            `json:"omitted"` // metrics that are not listed
	Metrics []*metricReply `json:"metrics"`
}

// apiGroup answers with one group and its samples.
func (s *site) apiGroup(w http.ResponseWriter, r *http.Request) error {
	p := newParams(r, "limit")
	limit := p.count("limit", presetMetrics, mostMetrics)
	if p.problem != nil {
		return p.problem
	}
	id, err := holdfast.ParseID(route.Param(r.Context(), "id"))
	if err != nil {
		return err
	}
	found, err := s.Gateway.GroupByID(id)
	if err != nil {
		return err
	}
	if found == nil {
		return &failure{http.StatusNotFound, "there is no group of this id\nhint: it may have been deleted; GET /api/v1/groups lists all"}
	}
	group := s.Gateway.List(found)
	out := newJSONStream(w)
	out.object("group", s.groupReply(group))
	out.begin("families")
	for _, m := range group.Members() {
		s.writeFamily(out, m, slices.Contains(group.Masked, m.Name), limit)
	}
	out.end()
	return out.close()
}

// writeFamily writes a family metric by metric.
func (s *site) writeFamily(out *jsonStream, m holdfast.Member, masked bool, limit int) {
	out.open()
	out.object("name", m.Name)
	out.object("type", strings.ToLower(m.Type.String()))
	out.object("help", m.Help)
	if m.Unit != "" {
		out.object("unit", m.Unit)
	}
	out.object("pushed", m.Pushed().UTC())
	out.object("series", m.Series())
	out.object("masked", masked)
	out.object("omitted", max(0, m.Series()-limit))
	out.begin("metrics")
	listed := 0
	for metric, err := range m.Each() {
		if listed == limit {
			break
		}
		if err != nil {
			out.fail(err)
			break
		}
		listed++
		out.item(newMetricReply(m.Type, metric))
	}
	out.end()
	out.shut()
}
