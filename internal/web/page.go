package web

import (
	"bufio"
	"html/template"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/version"

	"holdfast"
)

const (
	pageGroups = 200    // groups on one page
	pageRows   = 20_000 // metrics on one page, so that a few huge groups don't make it endless
	familyRows = 500    // metrics of one family
)

// contentPolicy lets the page load its own files and talk to its own gateway, and nothing else: whatever
// a pushed text might smuggle in finds nothing that would run it.
const contentPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'self'"

// page is the page for people, its template parsed.
type page struct {
	templates *template.Template
	assets    string
	admin     bool
	started   string
	flags     []labelView
	build     []labelView
}

func newPage(o Options) (*page, error) {
	templates, err := template.ParseFS(ui, "ui/page.html")
	if err != nil {
		return nil, err
	}
	assets := strings.TrimSuffix(o.ExternalPath, "/")
	if assets == "" {
		assets = "."
	}
	return &page{
		templates: templates, assets: assets + "/static", admin: o.AdminAPI,
		started: o.Started.Format(time.RFC3339), flags: sortedViews(o.Flags), build: sortedViews(buildInformation()),
	}, nil
}

type labelView struct{ Name, Value string }

func sortedViews(pairs map[string]string) []labelView {
	var views []labelView
	for name, value := range pairs {
		views = append(views, labelView{name, value})
	}
	slices.SortFunc(views, func(a, b labelView) int { return strings.Compare(a.Name, b.Name) })
	return views
}

// frame is what the page shows around its groups.
type frame struct {
	Assets, Revision   string
	Admin              bool
	Total, Page, Shown int
	First, Last        int // numbers of the groups shown, from 1; only without a filter
	Query              string
	Previous, Next     string // links, "" for none
	Started            string
	Flags, Build       []labelView
}

// servePage writes the page group by group. ?page=N counts from 1; ?q= keeps the groups in whose labels
// or family names the text occurs.
func (s *site) servePage(w http.ResponseWriter, r *http.Request) error {
	total, groups := 0, iter.Seq[*holdfast.Group](func(func(*holdfast.Group) bool) {})
	if s.Gateway.Ready() == nil {
		var err error
		if total, groups, err = s.Gateway.Groups(); err != nil {
			return err
		}
	}
	query := r.URL.Query()
	number, err := strconv.Atoi(query.Get("page"))
	if err != nil || number < 1 {
		number = 1
	}
	text := query.Get("q")
	shown, more := pick(groups, text, number)
	f := frame{
		Assets: s.page.assets, Revision: version.GetRevision(), Admin: s.page.admin,
		Total: total, Page: number, Shown: len(shown), Query: text,
		First: (number-1)*pageGroups + 1, Last: (number-1)*pageGroups + len(shown),
		Started: s.page.started, Flags: s.page.flags, Build: s.page.build,
	}
	if number > 1 {
		f.Previous = pageLink(text, number-1)
	}
	if more {
		f.Next = pageLink(text, number+1)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	if err := s.page.write(w, f, shown); err != nil {
		s.Logger.Debug("writing the page failed", "err", err)
		return ended(err)
	}
	return nil
}

// pick returns the groups of one page and whether others follow.
func pick(groups iter.Seq[*holdfast.Group], text string, number int) (shown []*holdfast.Group, more bool) {
	skip := (number - 1) * pageGroups
	for g := range groups {
		if text != "" && !mentions(g, text) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if len(shown) == pageGroups {
			return shown, true
		}
		shown = append(shown, g)
	}
	return shown, false
}

func mentions(g *holdfast.Group, text string) bool {
	return strings.Contains(g.Key().String(), text) ||
		slices.ContainsFunc(g.Members(), func(m holdfast.Member) bool { return strings.Contains(m.Name, text) })
}

func pageLink(text string, number int) string {
	query := url.Values{"page": {strconv.Itoa(number)}}
	if text != "" {
		query.Set("q", text)
	}
	return "?" + query.Encode()
}

func (p *page) write(w http.ResponseWriter, f frame, groups []*holdfast.Group) error {
	out := bufio.NewWriterSize(w, 32<<10)
	if err := p.templates.ExecuteTemplate(out, "head", f); err != nil {
		return err
	}
	room := pageRows
	for _, g := range groups {
		view, err := viewGroup(g, &room)
		if err != nil {
			return err
		}
		if err := p.templates.ExecuteTemplate(out, "group", view); err != nil {
			return err
		}
	}
	if err := p.templates.ExecuteTemplate(out, "foot", f); err != nil {
		return err
	}
	return out.Flush()
}
