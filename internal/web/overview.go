package web

import (
	"net/http"
	"time"

	"holdfast"
)

// tileView is one figure with its last hour.
type tileView struct {
	ID, Name string
	Value    string
	Unit     string
	Plot     lineView
	Top      string // greatest value of the plot
	Text     string // the plot in words
}

// overviewView is how the gateway is doing.
type overviewView struct {
	Tiles     []tileView
	Since     string // how far back the plots go, "" for a whole hour
	Failed    []rowView
	Silent    []rowView // the groups that were pushed to longest ago
	Totals    holdfast.Totals
	DayOld    int // groups without a push for a day
	Engine    engineView
	Started   time.Time
	Uptime    string
	Unguarded bool // pushes are not checked against other groups
}

// engineView is the state of what keeps the groups.
type engineView struct {
	Kind, Path string
	Problem    string // why changes are refused now, "" while they are taken
	Fatal      bool
	Held, Free float64 // bytes of its files, and free on its disk; 0 where not known
}

// shownGroups is how many groups the overview lists of a kind.
const shownGroups = 5

func (s *site) overview(r *http.Request, t *tongue) (any, error) {
	v := &overviewView{Tiles: s.tiles(t), Engine: s.engine(), Started: s.Started, Uptime: s.uptime(t), Unguarded: s.Gateway.Unchecked()}
	if all := s.History.readings(); len(all) > 0 && len(all) < historyLength {
		v.Since = t.ago(all[0].at)
	}
	whole, err := s.Gateway.Select(holdfast.Query{Sort: holdfast.ByPushed, Limit: shownGroups})
	if err != nil {
		return nil, err
	}
	old, err := s.Gateway.Select(holdfast.Query{Before: time.Now().Add(-24 * time.Hour)})
	if err != nil {
		return nil, err
	}
	failed, err := s.Gateway.Select(holdfast.Query{State: holdfast.Failed, Sort: holdfast.ByPushed, Descending: true, Limit: shownGroups})
	if err != nil {
		return nil, err
	}
	v.Totals, v.DayOld = whole.Totals, old.Totals.Groups
	for _, g := range whole.Groups {
		v.Silent = append(v.Silent, s.row(g, nil, nil, t))
	}
	for _, g := range failed.Groups {
		v.Failed = append(v.Failed, s.row(g, nil, nil, t))
	}
	return v, nil
}

func (s *site) engine() engineView {
	status := s.Gateway.Engine.Status()
	v := engineView{
		Kind: s.Flags["storage.engine"], Path: s.Flags["storage.path"], Fatal: status.Fatal,
		Held: float64(status.Held), Free: float64(status.Free),
	}
	if status.Err != nil {
		v.Problem = status.Err.Error()
	}
	return v
}

// tiles are the figures of the overview, with plots.
func (s *site) tiles(t *tongue) []tileView {
	all := s.History.readings()
	now := s.read()
	now.at = time.Now()
	all = append(all, now)
	count := func(f float64) string { return grouped(f) }
	return []tileView{
		tile(t, "groups", "Groups", "", levels(all, func(r reading) float64 { return r.groups }), count),
		tile(t, "series", "Series", "", levels(all, func(r reading) float64 { return r.series }), count),
		tile(t, "bytes", "Held", "", levels(all, func(r reading) float64 { return r.bytes }), bytesText),
		tile(t, "pushes", "Pushes", t.say("per second"), rates(all, func(r reading) float64 { return r.pushes }), short),
		tile(t, "refusals", "Refusals", t.say("per second"), rates(all, func(r reading) float64 { return r.refusals }), short),
	}
}

func tile(t *tongue, id, name, unit string, points []point, write func(float64) string) tileView {
	v := tileView{ID: id, Name: t.say(name), Unit: unit, Value: write(0)}
	lowest := 0.0
	for i, p := range points {
		if i == 0 || p.value < lowest {
			lowest = p.value
		}
	}
	if n := len(points); n > 0 {
		v.Value = write(points[n-1].value)
	}
	var top float64
	v.Plot, top = linePlot(points, time.Now())
	v.Top = write(top)
	v.Text = t.say("%s over the last hour: between %s and %s, now %s.", v.Name, write(lowest), v.Top, v.Value)
	return v
}
