package web

import (
	"net/http"
	"time"

	"holdfast"
)

// failuresView lists the last refused pushes, newest first.
type failuresView struct{ Rows []refusedView }

// refusedView is a refused push as the page shows it.
type refusedView struct {
	*refusedPush
	Labels []labelLink // of its grouping key, if it has one and the group is there
	Link   string      // to the group, "" if it is not there
	Since  time.Time   // the first of several, zero if it was the only one
}

// shownFailures is how many refused pushes the view shows.
const shownFailures = 100

func (s *site) failuresPage(r *http.Request, t *tongue) (any, error) {
	v := &failuresView{}
	for _, refused := range s.refusals.last(shownFailures) {
		row := refusedView{refusedPush: refused}
		if refused.Count > 1 {
			row.Since = refused.First
		}
		if id, err := holdfast.ParseID(refused.ID); err == nil {
			g, err := s.Gateway.GroupByID(id)
			if err != nil {
				return nil, err
			}
			if g != nil {
				row.Labels, row.Link = s.row(holdfast.Listed{Group: g}, nil, nil, t).Labels, s.root(r)+"/groups/"+refused.ID
			}
		}
		for i := range row.Labels {
			row.Labels[i].Link = "" // the row has one link, to the group
		}
		v.Rows = append(v.Rows, row)
	}
	return v, nil
}
