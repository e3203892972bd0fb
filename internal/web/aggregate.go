package web

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/prometheus/common/route"

	"holdfast"
)

// addAggregation answers pushes in the shape of other aggregating gateways, below a path of its own, where
// the operator wants that.
func (s *site) addAggregation(r *route.Router) {
	if s.AggregationPath == "" {
		return
	}
	add := s.meters.push(s.reply(sameOrigin(s.whenReady(s.aggregate))))
	for _, rest := range []string{"", "/*labels"} {
		r.Put(s.RoutePrefix+s.AggregationPath+"/metrics"+rest, add)
		r.Post(s.RoutePrefix+s.AggregationPath+"/metrics"+rest, add)
	}
}

// aggregate adds a push to the group of the labels in its path, which need no job. It answers 202, as those
// gateways do.
func (s *site) aggregate(w http.ResponseWriter, r *http.Request) error {
	key, err := s.aggregationKey(r)
	if err != nil {
		return err
	}
	terms := s.Gateway.Terms(key, holdfast.Terms{})
	terms.Mode = nil // this path adds, whatever a rule says of others
	if err := s.carryOut(r, holdfast.Push{Key: key, Mode: holdfast.Add, Terms: terms, Compatible: true}); err != nil {
		return err
	}
	empty(w, http.StatusAccepted)
	return nil
}

// aggregatedJob is the job of groups whose path names none.
const aggregatedJob = "aggregated"

// aggregationKey reads labels in any order, job among them or not.
func (s *site) aggregationKey(r *http.Request) (holdfast.Key, error) {
	job, isBase64, others := aggregatedJob, false, ""
	seen := map[string]bool{}
	rest := strings.Trim(route.Param(r.Context(), "labels"), "/")
	for rest != "" {
		name, value, more := "", "", false
		if name, rest, more = strings.Cut(rest, "/"); more {
			value, rest, _ = strings.Cut(rest, "/")
		}
		bare, encoded := strings.CutSuffix(name, "@base64")
		switch {
		case seen[bare]:
			return holdfast.Key{}, &failure{http.StatusBadRequest, fmt.Sprintf("the path has the label %.64q twice\nhint: labels follow as /name/value, each once", bare)}
		case bare == "job" && more:
			job, isBase64 = value, encoded
		case more:
			others += "/" + name + "/" + value
		default: // a name without a value, which is refused as such
			others += "/" + name
		}
		seen[bare] = true
	}
	return holdfast.ParseKey(job, isBase64, others, s.Names)
}
