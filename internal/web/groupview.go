package web

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/route"

	"holdfast"
)

const (
	familyRows = 200   // metrics of one family on a page that shows all families
	pageRows   = 2_000 // metrics on such a page
	aloneRows  = 1_000 // metrics of one family on a page of its own
)

// groupView is a group with what it holds.
type groupView struct {
	rowView
	First    time.Time
	Failed   time.Time
	Expires  time.Time // zero if never
	Every    string    // how often it is to be pushed to, "" where nobody said
	Failure  *holdfast.Failure
	Origin   holdfast.Origin
	Members  []familyView
	Only     string // the one family that is shown, "" for all
	Whole    string // link to all families
	Examples []exampleView
}

// familyView is one family of a group.
type familyView struct {
	Name, Type, Help, Unit string
	Masked                 bool
	Pushed                 time.Time
	Metrics                []metricView
	Inline                 bool // its one metric has no label of its own and a plain value
	Alone                  bool // its one metric has no label of its own and several values
	Series                 int
	Omitted                int
	Link, Next             string // to this family alone, and to its further metrics
}

// metricView is one label set with what it says.
type metricView struct {
	Labels []labelLink
	Value  string
	Easy   string // the value for people, "" where it says no more
	Parts  []partView
	Plot   *barsView
}

// partView is a bucket, a quantile, a count or a sum. Names of kinds are translated, bounds are not.
type partView struct {
	Name, Value, Easy string
	Wide              bool // the value is long
}

// group fills the view of one group. ?family= shows one family alone, ?from= skips metrics of it.
func (s *site) group(r *http.Request, t *tongue) (any, error) {
	missing := missingView{t.say("No such group"), t.say("It may have been deleted meanwhile, or the link is not whole.")}
	id, err := holdfast.ParseID(route.Param(r.Context(), "id"))
	if err != nil {
		return missing, nil
	}
	g, err := s.Gateway.GroupByID(id)
	if err != nil {
		return nil, err
	}
	if g == nil {
		return missing, nil
	}
	listed := s.Gateway.List(g)
	v := &groupView{
		rowView: s.row(listed, nil, nil, t),
		First:   g.FirstPushed(), Failed: g.Failed(), Failure: g.Failure(), Origin: g.Origin(),
		Only: r.URL.Query().Get("family"), Whole: "./" + id.String(), Examples: s.examples(r, g.Key()),
	}
	v.Expires = g.Expires()
	if every := g.Every(); every > 0 {
		v.Every = t.span(every.Seconds())
	}
	for i, l := range v.Labels {
		if l.Link != "" {
			v.Labels[i].Link = s.root(r) + "/" + l.Link
		}
	}
	return v, v.members(g, listed.Masked, r.URL.Query(), t)
}

// members fills the families in, pushed ones before those that the gateway adds.
func (v *groupView) members(g *holdfast.Group, masked []string, query url.Values, t *tongue) error {
	room := pageRows
	for _, own := range []bool{false, true} {
		for _, m := range g.Members() {
			if ofGateway(g, m.Name) != own || v.Only != "" && v.Only != m.Name {
				continue
			}
			from, rows := 0, min(familyRows, room)
			if v.Only != "" {
				from, _ = strconv.Atoi(query.Get("from"))
				rows = aloneRows
			}
			family, err := viewFamily(m, g.Key(), from, rows, t)
			if err != nil {
				return fmt.Errorf("family %s of %s: %w", m.Name, v.Name, err)
			}
			family.Masked = slices.Contains(masked, m.Name)
			room -= len(family.Metrics)
			v.Members = append(v.Members, family)
		}
	}
	return nil
}

func viewFamily(m holdfast.Member, key holdfast.Key, from, rows int, t *tongue) (familyView, error) {
	v := familyView{
		Name: m.Name, Type: typeText(m.Type), Help: m.Help, Unit: m.Unit, Pushed: m.Pushed(), Series: m.Series(),
		Link: "?" + url.Values{"family": {m.Name}}.Encode(),
	}
	from = max(0, min(from, v.Series))
	if rows > 0 {
		metrics, err := m.Metrics()
		if err != nil {
			return v, err
		}
		end := min(len(metrics), from+rows)
		for _, metric := range metrics[from:end] {
			v.Metrics = append(v.Metrics, viewMetric(m, metric, key, t))
		}
		if end < len(metrics) {
			v.Next = "?" + url.Values{"family": {m.Name}, "from": {strconv.Itoa(end)}}.Encode()
		}
	}
	v.Omitted = v.Series - from - len(v.Metrics)
	if v.Series == 1 && len(v.Metrics) == 1 && len(v.Metrics[0].Labels) == 0 {
		v.Inline = len(v.Metrics[0].Parts) == 0
		v.Alone = !v.Inline
	}
	return v, nil
}

func typeText(typ dto.MetricType) string {
	return strings.ReplaceAll(strings.ToLower(typ.String()), "_", " ")
}

// viewMetric prepares a metric. The labels of its group's key are said once for all, so they are left out.
func viewMetric(m holdfast.Member, metric *dto.Metric, key holdfast.Key, t *tongue) metricView {
	var v metricView
	for name, value := range metricLabels(metric) {
		if _, ofKey := key.Get(name); !ofKey && (name != "instance" || value != "") {
			v.Labels = append(v.Labels, labelLink{Name: name, Value: value})
		}
	}
	u := unitOf(m.Name, m.Unit)
	switch m.Type {
	case dto.MetricType_SUMMARY:
		v.summary(metric.GetSummary(), u, t)
	case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		v.histogram(metric.GetHistogram(), u, t)
	default:
		value := valueOf(m.Type, metric)
		v.Value, v.Easy = plain(value), t.easy(value, u)
	}
	return v
}

func (v *metricView) summary(s *dto.Summary, u unit, t *tongue) {
	for _, q := range s.GetQuantile() {
		v.part(t.say("quantile %s", number(q.GetQuantile())), q.GetValue(), u, t)
	}
	v.part(t.say("count"), float64(s.GetSampleCount()), noUnit, t)
	v.part(t.say("sum"), s.GetSampleSum(), u, t)
	v.mean(s.GetSampleSum(), float64(s.GetSampleCount()), u, t)
	v.Plot = barPlot(quantileBars(s), t.say("Plot of the quantiles"))
}

func (v *metricView) histogram(h *dto.Histogram, u unit, t *tongue) {
	for _, b := range classicBuckets(h) {
		v.Parts = append(v.Parts, partView{Name: "≤ " + b[0], Value: b[1]})
	}
	count := float64(h.GetSampleCount())
	if f := h.GetSampleCountFloat(); f > 0 {
		count = f
	}
	bars := classicBars(h)
	if isNative(h) {
		bars = nativeBars(h)
	}
	v.part(t.say("count"), count, noUnit, t)
	v.part(t.say("sum"), h.GetSampleSum(), u, t)
	v.mean(h.GetSampleSum(), count, u, t)
	if isNative(h) {
		v.Parts = append(v.Parts, partView{Name: t.say("native"), Value: nativeText(h), Wide: true})
	}
	v.Plot = barPlot(bars, t.say("Plot of the distribution"))
}

func (v *metricView) part(name string, value float64, u unit, t *tongue) {
	v.Parts = append(v.Parts, partView{Name: name, Value: plain(value), Easy: t.easy(value, u)})
}

func (v *metricView) mean(sum, count float64, u unit, t *tongue) {
	if mean := sum / count; count > 0 && !math.IsInf(mean, 0) && !math.IsNaN(mean) {
		v.Parts = append(v.Parts, partView{Name: t.say("mean"), Value: short(mean), Easy: t.easy(mean, u)})
	}
}

// nativeText writes a native histogram on one line, with mathematical intervals.
func nativeText(h *dto.Histogram) string {
	var b strings.Builder
	for bucket := range nativeBuckets(h) {
		left, right := interval(bucket.bounds)
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s%s,%s%s:%s", left, number(bucket.lower), number(bucket.upper), right, number(bucket.count))
	}
	return "{" + b.String() + "}"
}
