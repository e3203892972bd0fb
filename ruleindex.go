package holdfast

import (
	"regexp"
	"regexp/syntax"
	"slices"

	"github.com/prometheus/common/model"
)

// ruleIndex finds the rules that may match a key, by a label that they ask for.
type ruleIndex struct {
	values   map[asked][]int // rules by a label and its value
	prefixes map[asked][]int // rules by a label and what its value begins with
	lengths  map[string][]int
	rest     []int // rules that have to be tried on each key
}

// asked is a label and a value, or what a value begins with.
type asked struct{ label, text string }

// add files a rule under what each of its selectors asks for. Rules are added in their order.
func (x *ruleIndex) add(rule int, match []Selector) {
	if x.values == nil {
		x.values, x.prefixes, x.lengths = map[asked][]int{}, map[asked][]int{}, map[string][]int{}
	}
	for _, selector := range match {
		if value, found := selector.askedValue(); found {
			file(x.values, value, rule)
			continue
		}
		prefixes := selector.askedPrefixes()
		if len(prefixes) == 0 {
			x.rest = once(x.rest, rule)
		}
		for _, p := range prefixes {
			file(x.prefixes, p, rule)
			if n := len(p.text); !slices.Contains(x.lengths[p.label], n) {
				x.lengths[p.label] = append(x.lengths[p.label], n)
			}
		}
	}
}

// file adds a rule to those under what it asks for.
func file(rules map[asked][]int, under asked, rule int) {
	rules[under] = once(rules[under], rule)
}

// once appends a rule, unless another selector of it did already.
func once(rules []int, rule int) []int {
	if n := len(rules); n > 0 && rules[n-1] == rule {
		return rules
	}
	return append(rules, rule)
}

// first returns the first rule that matches a key, or -1; matches judges those that may.
func (x *ruleIndex) first(key Key, matches func(rule int) bool) int {
	best := -1
	try := func(rules []int) {
		for _, rule := range rules {
			if best >= 0 && rule >= best {
				return
			}
			if matches(rule) {
				best = rule
				return
			}
		}
	}
	for label, value := range key.all() {
		try(x.values[asked{label, value}])
		for _, n := range x.lengths[label] {
			if n <= len(value) {
				try(x.prefixes[asked{label, value[:n]}])
			}
		}
	}
	try(x.rest)
	return best
}

// askedValue returns a label and the value that the selector wants it to have, where it wants one.
func (s Selector) askedValue() (asked, bool) {
	for i := range s {
		m := &s[i]
		if m.Negated || m.Value == "" || m.Label == model.MetricNameLabel {
			continue
		}
		if m.anchored == nil {
			return asked{m.Label, m.Value}, true
		}
	}
	return asked{}, false
}

// askedPrefixes returns what the value of some label has to begin with, one of them, where the selector
// wants that.
func (s Selector) askedPrefixes() []asked {
	for i := range s {
		m := &s[i]
		if m.Negated || m.anchored == nil || m.Label == model.MetricNameLabel {
			continue
		}
		if prefixes := literalPrefixes(m.Value); len(prefixes) > 0 {
			all := make([]asked, len(prefixes))
			for i, p := range prefixes {
				all[i] = asked{m.Label, p}
			}
			return all
		}
	}
	return nil
}

// literalPrefixes returns the texts with which everything begins that an expression matches as a whole;
// none where it may begin with anything.
func literalPrefixes(expression string) []string {
	parsed, err := syntax.Parse(expression, syntax.Perl|syntax.DotNL)
	if err != nil {
		return nil
	}
	alternatives := []*syntax.Regexp{parsed}
	if parsed.Op == syntax.OpAlternate {
		alternatives = parsed.Sub
	}
	var prefixes []string
	for _, a := range alternatives {
		compiled, err := regexp.Compile("(?s:" + a.String() + ")")
		if err != nil {
			return nil
		}
		prefix, _ := compiled.LiteralPrefix()
		if prefix == "" {
			return nil
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes
}
