package web

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

type labelView struct{ Name, Value string }

func sortedViews(pairs map[string]string) []labelView {
	var views []labelView
	for name, value := range pairs {
		views = append(views, labelView{name, value})
	}
	slices.SortFunc(views, func(a, b labelView) int { return strings.Compare(a.Name, b.Name) })
	return views
}

// statusView is what the gateway is and how it was started.
type statusView struct {
	Started time.Time
	Uptime  string
	Groups  int
	Series  int
	Bytes   float64
	Loading bool
	Build   []labelView
	Limits  []labelView
	Flags   []labelView
	Engine  engineView
	Rules   RulesStatus
	Example exampleView // a scrape configuration for this gateway
}

func (s *site) status(r *http.Request, t *tongue) (any, error) {
	groups, series, bytes := s.Gateway.Totals()
	v := &statusView{
		Started: s.Started, Uptime: s.uptime(t), Groups: groups, Series: series, Bytes: float64(bytes),
		Loading: s.Gateway.Ready() != nil, Build: s.page.build, Flags: s.page.flags, Engine: s.engine(), Example: exampleView{"scrape", "Scrape configuration", s.scrapeText(r)},
	}
	if s.Rules != nil {
		v.Rules = s.Rules()
	}
	for _, flag := range s.page.flags {
		if name, limit := strings.CutPrefix(flag.Name, "limit."); limit {
			v.Limits = append(v.Limits, labelView{name, flag.Value})
		}
	}
	return v, nil
}
