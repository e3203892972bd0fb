package web

import (
	"net/http"

	"holdfast"
)

// failuresView lists what was refused.
type failuresView struct{ Rows []rowView }

func (s *site) failed(_ *http.Request, t *tongue) (any, error) {
	selection, err := s.Gateway.Select(holdfast.Query{State: holdfast.Failed, Sort: holdfast.ByPushed, Descending: true, Limit: listedGroups})
	if err != nil {
		return nil, err
	}
	v := &failuresView{}
	for _, g := range selection.Groups {
		v.Rows = append(v.Rows, s.row(g, nil, nil, t))
	}
	return v, nil
}
