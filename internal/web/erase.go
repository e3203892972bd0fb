package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"holdfast"
)

// eraseView asks whether groups shall be deleted, and lists them.
type eraseView struct {
	IDs     []string
	Rows    []rowView
	Missing int // that are not there any more
	Count   int
	Series  int
	Whole   bool   // all groups of the gateway
	More    int    // groups that are not listed
	Back    string // query of the list that the reader came from
}

const maxErased = 2 * listedMost // groups that one form may name

// askErase shows what a deletion would remove: the groups with the given ids, or with ?all=yes all.
func (s *site) askErase(r *http.Request, t *tongue) (any, error) {
	query := r.URL.Query()
	v := &eraseView{Back: query.Get("back")}
	if query.Get("all") != "" && s.AdminAPI {
		v.Whole = true
		selection, err := s.Gateway.Select(holdfast.Query{Limit: shownGroups})
		if err != nil {
			return nil, err
		}
		v.Count, v.Series = selection.Totals.Groups, selection.Totals.Series
		for _, g := range selection.Groups {
			v.Rows = append(v.Rows, s.row(g, nil, nil, t))
		}
		v.More = v.Count - len(v.Rows)
		return v, nil
	}
	groups, missing, err := s.named(query["id"])
	if err != nil {
		return nil, err
	}
	v.Missing = missing
	for _, g := range groups {
		row := s.row(holdfast.Listed{Group: g}, nil, nil, t)
		v.IDs, v.Rows = append(v.IDs, row.ID), append(v.Rows, row)
		v.Count++
		v.Series += row.Series
	}
	return v, nil
}

// named finds groups by their ids, and counts those that are not there.
func (s *site) named(ids []string) (groups []*holdfast.Group, missing int, err error) {
	if len(ids) > maxErased {
		return nil, 0, &failure{http.StatusBadRequest, "more than " + strconv.Itoa(maxErased) + " groups are named in one form\nhint: delete them in several steps"}
	}
	for _, text := range ids {
		id, err := holdfast.ParseID(text)
		if err != nil {
			return nil, 0, err
		}
		g, err := s.Gateway.GroupByID(id)
		if err != nil {
			return nil, 0, err
		}
		if g == nil {
			missing++
			continue
		}
		groups = append(groups, g)
	}
	return groups, missing, nil
}

// maxForm bounds the bytes of a form.
const maxForm = 1 << 16

// erase deletes what the form names, and sends the reader back to the list.
func (s *site) erase(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return &failure{http.StatusBadRequest, "the form cannot be read: " + err.Error()}
	}
	ctx := context.WithoutCancel(r.Context())
	gone := 0
	if r.PostForm.Get("all") != "" {
		if !s.AdminAPI {
			return &failure{http.StatusForbidden, "deleting all groups is switched off\nhint: start the gateway with --web.enable-admin-api"}
		}
		gone, _, _ = s.Gateway.Totals()
		if err := s.Gateway.Wipe(ctx); err != nil {
			return err
		}
	}
	groups, _, err := s.named(r.PostForm["id"])
	if err != nil {
		return err
	}
	for _, g := range groups {
		if err := s.Gateway.Delete(ctx, g.Key()); err != nil {
			return err
		}
		gone++
	}
	s.Logger.Info("deleted groups from the page", "source", r.RemoteAddr, "groups", gone)
	back, err := url.ParseQuery(r.PostForm.Get("back"))
	if err != nil {
		back = url.Values{}
	}
	w.Header().Set("Location", s.root(r)+"/"+linkTo(back, "gone", strconv.Itoa(gone)))
	empty(w, http.StatusSeeOther)
	return nil
}
