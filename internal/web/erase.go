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
	All     string // everyGroup or foundGroups, "" for the listed ones
	More    int    // groups that are not listed
	Back    string // query of the list that the reader came from
}

// Whole reports whether all groups of the gateway are meant.
func (v *eraseView) Whole() bool { return v.All == everyGroup }

const maxErased = 2 * listedMost // groups that one form may name

// What a form may mean by "all", instead of naming groups.
const (
	everyGroup  = "yes"
	foundGroups = "found" // by the list that the reader came from
)

// askErase shows what a deletion would remove: the groups with the given ids, or all.
func (s *site) askErase(r *http.Request, t *tongue) (any, error) {
	query := r.URL.Query()
	v := &eraseView{Back: query.Get("back")}
	if v.All = query.Get("all"); v.All != "" && s.AdminAPI {
		asked, err := meant(v.All, v.Back)
		if err != nil {
			return nil, err
		}
		asked.Limit = shownGroups
		selection, err := s.Gateway.Select(asked)
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

// meant returns what a form means by all groups, which comes from the list of the given query.
func meant(all, back string) (holdfast.Query, error) {
	switch all {
	case everyGroup:
		return holdfast.Query{}, nil
	case foundGroups:
		query, err := url.ParseQuery(back)
		if err != nil {
			break
		}
		asked, _, err := readQuery(query)
		if err == nil && leavesOut(&asked) {
			return asked, nil
		}
	}
	return holdfast.Query{}, &failure{http.StatusBadRequest, "the form does not say which groups it means\n" +
		"hint: go back to the list, search again, and delete what is found from there"}
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
	if all := r.PostForm.Get("all"); all != "" {
		if !s.AdminAPI {
			return &failure{http.StatusForbidden, "deleting all groups is switched off\nhint: start the gateway with --web.enable-admin-api"}
		}
		var err error
		if gone, err = s.eraseAll(ctx, all, r.PostForm.Get("back")); err != nil {
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

// eraseAll deletes all groups that a form means, and returns their number.
func (s *site) eraseAll(ctx context.Context, all, back string) (gone int, err error) {
	asked, err := meant(all, back)
	if err != nil {
		return 0, err
	}
	if all == everyGroup { // as one change
		gone, _, _ = s.Gateway.Totals()
		return gone, s.Gateway.Wipe(ctx)
	}
	removal, err := s.Gateway.Remove(asked)
	return removal.Totals.Groups, partly(removal.Totals.Groups, err)
}
