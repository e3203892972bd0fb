package web

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"holdfast"
)

// mostAdvice is how many pieces of advice one answer holds.
const mostAdvice = 100

// checkReply is the answer to a check of a push that would be accepted.
type checkReply struct {
	Accepted bool              `json:"accepted"`
	Labels   map[string]string `json:"labels,omitempty"` // of the group, where one was given
	Families int               `json:"families"`
	Series   int               `json:"series"`
	Advice   []adviceReply     `json:"advice"`
	Omitted  int               `json:"omitted"` // pieces of advice that are not listed
}

// adviceReply is what promlint says of a family.
type adviceReply struct {
	Family string `json:"family"`
	Text   string `json:"text"`
}

// apiCheck answers as the push of a body would, but keeps nothing.
func (s *site) apiCheck(w http.ResponseWriter, r *http.Request) error {
	p := newParams(r, "grouping", "method")
	mode := oneOf(p, "method", []named[holdfast.Mode]{
		{http.MethodPost, holdfast.ReplaceFamily}, {http.MethodPut, holdfast.ReplaceGroup}, {http.MethodPatch, holdfast.Upsert},
	})
	push := holdfast.Push{Mode: mode}
	grouping := p.text("grouping")
	if p.problem != nil {
		return p.problem
	}
	var err error
	if push.Key, push.Terms, err = s.parseGrouping(grouping); err != nil {
		return err
	}
	if push.Key != (holdfast.Key{}) {
		push.Terms = s.Gateway.Terms(push.Key, push.Terms)
	}
	var pushed []holdfast.Member
	err = s.take(r, push, func(push holdfast.Push) (err error) {
		pushed, err = s.Gateway.Rehearse(push)
		return err
	})
	if err != nil {
		return err
	}
	reply, err := newCheckReply(push.Key, pushed)
	if err != nil {
		return err
	}
	return writeReply(w, reply)
}

// parseGrouping reads a path as a push would be sent to, with options or without: /metrics/job/a/zone/b.
// "" is the zero key.
func (s *site) parseGrouping(path string) (key holdfast.Key, terms holdfast.Terms, err error) {
	if path == "" {
		return key, terms, nil
	}
	if rest, found := strings.CutPrefix(path, withPath); found {
		said, target, _ := strings.Cut(rest, "/")
		path = "/" + target
		if terms, err = holdfast.ParseTerms(said); err != nil {
			return key, terms, err
		}
	}
	rest, found := strings.CutPrefix(path, jobPath)
	rest, isBase64 := strings.CutPrefix(rest, "@base64")
	if !found || !strings.HasPrefix(rest, "/") {
		return key, terms, &failure{http.StatusBadRequest, fmt.Sprintf(
			"parameter grouping: %.100q is not the path of a push, such as /metrics/job/backup/instance/db-1", path)}
	}
	if err := behindOptions(path); err != nil {
		return key, terms, err
	}
	job, labels, more := strings.Cut(rest[1:], "/")
	if more {
		labels = "/" + labels
	}
	key, err = holdfast.ParseKey(job, isBase64, labels, s.Names)
	return key, terms, err
}

func newCheckReply(key holdfast.Key, pushed []holdfast.Member) (*checkReply, error) {
	reply := &checkReply{Accepted: true, Labels: map[string]string{}, Families: len(pushed), Advice: []adviceReply{}}
	for _, l := range key.Labels() {
		reply.Labels[l.Name] = l.Value
	}
	families := make([]*dto.MetricFamily, 0, len(pushed))
	for _, m := range pushed {
		reply.Series += m.Series()
		metrics, err := m.Metrics()
		if err != nil {
			return nil, err
		}
		mf := &dto.MetricFamily{Name: &m.Name, Type: m.Type.Enum(), Metric: metrics}
		if m.Help != "" {
			mf.Help = &m.Help
		}
		families = append(families, mf)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		return nil, fmt.Errorf("linting a push: %w", err)
	}
	reply.Omitted = max(0, len(problems)-mostAdvice)
	for _, problem := range problems[:len(problems)-reply.Omitted] {
		reply.Advice = append(reply.Advice, adviceReply{problem.Metric, problem.Text})
	}
	return reply, nil
}
