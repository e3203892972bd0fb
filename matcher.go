package holdfast

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

// Matcher compares the value of one label, as a matcher of PromQL does. A label that is not there has
// the value "".
type Matcher struct {
	Label    string // model.MetricNameLabel for the metric name
	Value    string
	Negated  bool           // != or !~
	anchored *regexp.Regexp // of =~ and !~, else nil
}

// newMatcher makes a matcher of PromQL's operator op: =, !=, =~ or !~. The error is that of the
// expression as it was written, not as it is anchored.
func newMatcher(label, op, value string) (Matcher, error) {
	m := Matcher{Label: label, Value: value, Negated: op[0] == '!'}
	if strings.HasSuffix(op, "~") {
		if _, err := syntax.Parse(value, syntax.Perl|syntax.DotNL); err != nil {
			return Matcher{}, err
		}
		expression, err := regexp.Compile("^(?s:" + value + ")$")
		if err != nil {
			return Matcher{}, err
		}
		m.anchored = expression
	}
	return m, nil
}

// Matches reports whether a value is one that the matcher asks for.
func (m *Matcher) Matches(value string) bool {
	if m.anchored == nil {
		return (value == m.Value) != m.Negated
	}
	return m.anchored.MatchString(value) != m.Negated
}

// String renders the matcher as PromQL does.
func (m *Matcher) String() string {
	op := "="
	switch {
	case m.Negated && m.anchored != nil:
		op = "!~"
	case m.Negated:
		op = "!="
	case m.anchored != nil:
		op = "=~"
	}
	label := m.Label
	if !model.LegacyValidation.IsValidLabelName(label) {
		label = fmt.Sprintf("%q", label)
	}
	return fmt.Sprintf("%s%s%q", label, op, m.Value)
}

// Selector is a series selector of PromQL, {job="a",instance=~"b.*"} or name{…}: what it selects
// satisfies all its matchers. The zero Selector selects everything.
type Selector []Matcher

// String renders the selector as PromQL does.
func (s Selector) String() string {
	texts := make([]string, len(s))
	for i := range s {
		texts[i] = s[i].String()
	}
	return "{" + strings.Join(texts, ",") + "}"
}

// SelectsAll reports whether the selector would also select what has no label at all, as {} and
// {job=~".*"} do. PromQL refuses such selectors.
func (s Selector) SelectsAll() bool {
	return !slices.ContainsFunc(s, func(m Matcher) bool { return !m.Matches("") })
}

// Named reports whether the selector asks for certain metric names.
func (s Selector) Named() bool {
	return slices.ContainsFunc(s, func(m Matcher) bool { return m.Label == model.MetricNameLabel })
}

// MatchesName reports whether a metric name satisfies the matchers of the metric name.
func (s Selector) MatchesName(name string) bool {
	for i := range s {
		if s[i].Label == model.MetricNameLabel && !s[i].Matches(name) {
			return false
		}
	}
	return true
}

// MatchesKey reports whether grouping labels satisfy the matchers of all other labels.
func (s Selector) MatchesKey(key Key) bool {
	for i := range s {
		if s[i].Label == model.MetricNameLabel {
			continue
		}
		if value, _ := key.Get(s[i].Label); !s[i].Matches(value) {
			return false
		}
	}
	return true
}

// MatchesLabels is MatchesKey for the labels of a series.
func (s Selector) MatchesLabels(labels exposition.Labels) bool {
	for i := range s {
		if s[i].Label == model.MetricNameLabel {
			continue
		}
		if value, _ := labels.Get(s[i].Label); !s[i].Matches(value) {
			return false
		}
	}
	return true
}

// matches reports whether a group's key satisfies the selector, and one of its families the matchers of
// the metric name, if there are any.
func (s Selector) matches(g *Group) bool {
	if !s.MatchesKey(g.key) {
		return false
	}
	return !s.Named() || slices.ContainsFunc(g.members, func(m Member) bool { return s.MatchesName(m.Name) })
}
