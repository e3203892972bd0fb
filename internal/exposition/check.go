package exposition

import (
	"fmt"
	"strings"
	"unicode/utf8"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
)

// Invalid is why a family cannot be exposed.
type Invalid struct {
	Family  string
	Series  string // the labels of the metric at fault, or "" where the whole family is
	Problem string // in the words that the reference uses, where it knows the problem
	Hint    string // what to do; may be empty
	Reason  string // a short constant: one of the Reason… values
}

// The reasons an *Invalid can have.
const (
	ReasonName      = "name"
	ReasonUTF8      = "utf8"
	ReasonType      = "type"
	ReasonLabelName = "label_name"
	ReasonLe        = "le"
	ReasonQuantile  = "quantile"
	ReasonExemplar  = "exemplar"
	ReasonNative    = "native_histogram"
	ReasonEscaping  = "escaping"
	ReasonDuplicate = "duplicate"
)

// Error returns one line of valid UTF-8 that begins like the reference's.
func (e *Invalid) Error() string {
	text := fmt.Sprintf("collected metric %q ", e.Family)
	if e.Series != "" {
		text += strings.ToValidUTF8(e.Series, "\uFFFD") + " "
	}
	return text + e.Problem
}

// maxSeriesText bounds what an error says of a series, in bytes. Errors are sent back and logged.
const maxSeriesText = 1000

// checkHead checks what concerns all metrics of the family.
func (f *Family) checkHead() error {
	switch {
	case f.Name == "":
		return f.invalid(nil, ReasonName, "has no name", "give each metric family a name")
	case !utf8.ValidString(f.Name):
		return f.invalid(nil, ReasonUTF8, "has a name that is not utf8", "names must be UTF-8")
	case strings.IndexByte(f.Name, 0) >= 0:
		return f.invalid(nil, ReasonName, "has a NUL byte in its name", "no Prometheus can read such a name")
	case !utf8.ValidString(f.Help):
		return f.invalid(nil, ReasonUTF8, fmt.Sprintf("has help that is not utf8: %.200q", f.Help),
			"HELP must be UTF-8; convert what is Latin-1 or Windows-1252")
	case !utf8.ValidString(f.Unit):
		return f.invalid(nil, ReasonUTF8, fmt.Sprintf("has a unit that is not utf8: %.200q", f.Unit), "units must be UTF-8")
	}
	return nil
}

func (f *Family) invalid(labels Labels, reason, problem, hint string) *Invalid {
	e := &Invalid{Family: f.Name, Problem: problem, Hint: hint, Reason: reason}
	if labels != nil {
		e.Series = labels.String()
	}
	if len(e.Series) > maxSeriesText {
		e.Series = e.Series[:maxSeriesText] + "…"
	}
	return e
}

// checker checks the metrics of one family one after the other.
type checker struct {
	family  *Family
	names   Labels // the last set whose names were found good; most families have but one
	shapes  int    // how often the names changed
	escaped bool   // whether some label name needs escaping
}

// metric checks one metric by itself.
func (c *checker) metric(r *row) error {
	if !r.metric.typed {
		return c.family.invalid(r.labels, ReasonType, "is not a "+c.family.Type.String(),
			"give each metric the value of its family's type")
	}
	if c.names == nil || !c.names.sameNames(r.labels) {
		if err := c.labelNames(r); err != nil {
			return err
		}
		c.names = r.labels
		c.shapes++
	}
	for _, l := range r.labels {
		if !utf8.ValidString(l.Value) {
			return c.family.invalid(r.labels, ReasonUTF8,
				fmt.Sprintf("has a label named %q whose value is not utf8: %.200q", l.Name, l.Value),
				"label values must be UTF-8; convert what is Latin-1 or Windows-1252")
		}
	}
	return c.value(r)
}

// labelNames checks the names of a label set.
func (c *checker) labelNames(r *row) error {
	last := ""
	for _, l := range r.labels {
		if reason, problem, hint := c.labelName(r, l.Name, last); reason != "" {
			return c.family.invalid(r.labels, reason, problem, hint)
		}
		last = l.Name
	}
	if allPlain(r.labels) {
		return nil
	}
	c.escaped = true
	if a, b, found := SameWhenEscaped(r.labels); found {
		return c.family.invalid(r.labels, ReasonEscaping,
			fmt.Sprintf("has labels named %q and %q, which are the same once escaped", a, b),
			"rename one of the two labels")
	}
	return nil
}

// labelName checks one name; last is the one before it.
func (c *checker) labelName(r *row, name, last string) (reason, problem, hint string) {
	t := c.family.Type
	switch {
	case name == last: // an empty name too, as the reference words it
		return ReasonLabelName, "has two or more labels with the same name: " + strings.ToValidUTF8(name, "\uFFFD"),
			"send each label once"
	case !utf8.ValidString(name), strings.HasPrefix(name, model.ReservedLabelPrefix):
		return ReasonLabelName, "has a label with an invalid name: " + strings.ToValidUTF8(name, "\uFFFD"),
			"label names are UTF-8 and do not begin with __, which is reserved"
	case strings.IndexByte(name, 0) >= 0:
		return ReasonLabelName, fmt.Sprintf("has a label with an invalid name: %q", name),
			"no Prometheus can read a name with a NUL byte"
	case name == model.QuantileLabel && r.metric.summarised:
		return ReasonQuantile, `must not have an explicit "quantile" label`,
			"the quantiles of a summary carry this label; rename yours, also in the grouping key"
	case name == model.BucketLabel && (t == dto.MetricType_HISTOGRAM || t == dto.MetricType_GAUGE_HISTOGRAM):
		return ReasonLe, `must not have an explicit "le" label`,
			"the buckets of a histogram carry this label; rename yours, also in the grouping key"
	}
	return "", "", ""
}

// value checks what the text cannot show but a protobuf scrape would.
func (c *checker) value(r *row) error {
	if err := checkExemplar(r.metric.value.counter.GetExemplar()); err != "" {
		return c.family.invalid(r.labels, ReasonExemplar, err, "mend the exemplar or leave it out")
	}
	h := r.metric.value.histogram
	if h == nil {
		return nil
	}
	for _, b := range h.GetBucket() {
		if err := checkExemplar(b.GetExemplar()); err != "" {
			return c.family.invalid(r.labels, ReasonExemplar, err, "mend the exemplar or leave it out")
		}
	}
	for _, e := range h.GetExemplars() {
		if err := checkExemplar(e); err != "" {
			return c.family.invalid(r.labels, ReasonExemplar, err, "mend the exemplar or leave it out")
		}
	}
	if problem := checkNative(h); problem != "" {
		return c.family.invalid(r.labels, ReasonNative, "is not a native histogram that Prometheus takes: "+problem,
			"send it as the client library encodes it, or as a classic histogram")
	}
	return nil
}

// checkExemplar returns what is wrong with an exemplar, or "".
func checkExemplar(e *dto.Exemplar) string {
	for _, pair := range e.GetLabel() {
		if !utf8.ValidString(pair.GetName()) || !utf8.ValidString(pair.GetValue()) {
			return fmt.Sprintf("has an exemplar whose label is not utf8: %.200q", pair.GetName()+"="+pair.GetValue())
		}
	}
	if e.GetTimestamp() != nil && !e.Timestamp.IsValid() {
		return "has an exemplar whose timestamp is no valid time"
	}
	return ""
}
