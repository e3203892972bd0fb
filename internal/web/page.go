package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/prometheus/common/version"
)

// contentPolicy lets the page load its own files and talk to its own gateway, and nothing else: whatever
// a pushed text might smuggle in finds nothing that would run it.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// page is the page for people: its templates in each language, and what never changes on it.
type page struct {
	tongues   []*tongue
	templates map[*tongue]*template.Template
	assets    string // where links begin: the path of the external URL, or "" for relative links
	build     []labelView
	flags     []labelView
}

func newPage(o Options) (*page, error) {
	all, err := tongues()
	if err != nil {
		return nil, err
	}
	p := &page{
		tongues: all, templates: map[*tongue]*template.Template{}, assets: strings.TrimSuffix(o.ExternalPath, "/"),
		flags: sortedViews(o.Flags), build: sortedViews(buildInformation()),
	}
	for _, t := range all {
		p.templates[t], err = template.New("").Funcs(t.functions()).ParseFS(ui, "ui/templates/*.html")
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

// functions are what templates may call, in a language.
func (t *tongue) functions() template.FuncMap {
	return template.FuncMap{
		"t": t.say, "count": t.count, "ago": t.ago, "clock": clock, "moment": moment,
		"bytes":   func(n any) string { return bytesText(floatOf(n)) },
		"pair":    func(root string, rows []rowView) rowsView { return rowsView{root, rows} },
		"grouped": func(n int) string { return grouped(float64(n)) },
		"inlist":  func(text string) shownText { return t.visible(text, shownInList) },
		"infull":  func(text string) shownText { return t.visible(text, shownInFull) },
		"tag":     func() string { return t.tag },
	}
}

// rowsView are groups in a short list.
type rowsView struct {
	Root string
	Rows []rowView
}

func floatOf(n any) float64 {
	switch n := n.(type) {
	case int:
		return float64(n)
	case int64:
		return float64(n)
	case float64:
		return n
	}
	return 0
}

// frame is what every view stands in.
type frame struct {
	Root     string // how links to the gateway's own pages begin, without a slash at the end
	View     string // the name of its template
	Title    string
	Revision string
	Theme    string
	Tongues  []choice
	Themes   []choice
	Admin    bool
	Loading  bool
	Total    int // groups
	Failed   bool
	Content  any
}

// choice is one of several things to pick.
type choice struct {
	Value, Text, Link string
	Chosen            bool
}

// A view prepares what one page shows.
type view struct {
	name  string
	title string
	fill  func(r *http.Request, t *tongue) (any, error)
}

// show serves a view. While the gateway is loading, a view that needs its groups says so instead.
func (s *site) show(v view) replier {
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.chooses(w, r) {
			return nil
		}
		t := accepted(s.page.tongues, r)
		f := s.frame(r, t, v)
		status := http.StatusOK
		var err error
		if f.Loading = s.Gateway.Ready() != nil; !f.Loading || v.name == "status" {
			if f.Content, err = v.fill(r, t); err != nil {
				return err
			}
		}
		if missing, is := f.Content.(missingView); is {
			f.View, f.Title, status = "missing", missing.Title, http.StatusNotFound
		}
		return s.write(w, status, t, f)
	}
}

func (s *site) frame(r *http.Request, t *tongue, v view) frame {
	f := frame{
		Root: s.root(r), View: v.name, Title: t.say(v.title), Revision: version.GetRevision(), Theme: themeOf(r), Admin: s.AdminAPI,
	}
	f.Total, _, _ = s.Gateway.Totals()
	for _, other := range s.page.tongues {
		f.Tongues = append(f.Tongues, choice{other.tag, other.name, with(r, languageParameter, other.tag), other == t})
	}
	names := map[string]string{"auto": "Theme of the system", "light": "Light theme", "dark": "Dark theme"}
	for _, theme := range themes {
		f.Themes = append(f.Themes, choice{theme, t.say(names[theme]), with(r, themeParameter, theme), theme == f.Theme})
	}
	return f
}

// write renders a view whole, so that a template that fails is a 500 and no half page.
func (s *site) write(w http.ResponseWriter, status int, t *tongue, f frame) error {
	var b bytes.Buffer
	if err := s.page.templates[t].ExecuteTemplate(&b, "layout", f); err != nil {
		return fmt.Errorf("rendering the view %s: %w", f.View, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", t.tag)
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Language, Cookie")
	w.WriteHeader(status)
	_, err := w.Write(b.Bytes())
	return ended(err)
}

// root returns how links from the page that r asks for begin. They are relative unless the external URL
// is known to have a path, so that the page works behind proxies which nobody told the gateway of.
func (s *site) root(r *http.Request) string {
	if s.page.assets != "" {
		return s.page.assets
	}
	depth := strings.Count(strings.TrimPrefix(r.URL.Path, s.RoutePrefix), "/") - 1
	if depth <= 0 {
		return "."
	}
	return strings.TrimSuffix(strings.Repeat("../", depth), "/")
}

// here returns a link from the page that r asks for to itself with another query.
func here(r *http.Request, query string) string {
	last := path.Base(r.URL.Path)
	if strings.HasSuffix(r.URL.Path, "/") {
		last = ""
	}
	link := "./" + last
	if query != "" {
		link += "?" + query
	}
	return link
}

// missingView says that what was asked for is not there.
type missingView struct{ Title, Text string }

// uptime is for the status view.
func (s *site) uptime(t *tongue) string {
	return t.span(time.Since(s.Started).Truncate(time.Second).Seconds())
}
