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

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/version"

	"holdfast"
)

const (
	pageGroups = 200    // groups on one page
	pageRows   = 20_000 // metrics on one page, so that a few huge groups don't make it endless
	familyRows = 500    // metrics of one family
	maxPage    = 1e9    // greatest number of a page
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
	names     model.ValidationScheme
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
		templates: templates, assets: assets + "/static", admin: o.AdminAPI, names: o.Names,
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
	Assets, Revision string
	Admin, Loading   bool
	Total, Shown     int
	First, Last      int // numbers of the groups shown, from 1; only without a filter
	Query            string
	Previous, Next   string // links, "" for none
	Started          string
	Flags, Build     []labelView
}

// servePage writes the page group by group. ?page=N counts from 1; ?q= keeps the groups in whose labels
// or family names the text occurs. While the gateway is loading it shows no groups, and says so.
func (s *site) servePage(w http.ResponseWriter, r *http.Request) error {
	f := s.page.frame()
	var shown []*holdfast.Group
	if f.Loading = s.Gateway.Ready() != nil; !f.Loading {
		total, groups, err := s.Gateway.Groups()
		if err != nil {
			return err
		}
		f.Total = total
		shown = f.choose(groups, r.URL.Query())
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	err := s.page.write(w, f, shown)
	if err != nil {
		s.Logger.Debug("writing the page failed", "err", err)
	}
	return ended(err)
}

func (p *page) frame() frame {
	return frame{
		Assets: p.assets, Revision: version.GetRevision(), Admin: p.admin,
		Started: p.started, Flags: p.flags, Build: p.build,
	}
}

// choose picks the groups that a query asks for, and notes what the page says about them.
func (f *frame) choose(groups iter.Seq[*holdfast.Group], query url.Values) []*holdfast.Group {
	number, err := strconv.Atoi(query.Get("page"))
	if err != nil || number < 1 || number > maxPage {
		number = 1
	}
	f.Query = query.Get("q")
	shown, more := pick(groups, f.Query, number)
	f.Shown = len(shown)
	f.First = (number-1)*pageGroups + 1
	f.Last = f.First + len(shown) - 1
	if number > 1 {
		f.Previous = pageLink(f.Query, number-1)
	}
	if more {
		f.Next = pageLink(f.Query, number+1)
	}
	return shown
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
		view, err := viewGroup(g, p.names, &room)
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
