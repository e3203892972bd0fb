package holdfast

import (
	"slices"
	"time"
)

// Rules is what the operator says about groups. It is not to be changed once it is in use. A nil Rules
// says nothing.
type Rules struct {
	// RestartGrace is how long a group stays after a start whose time to leave came while the gateway was
	// down, unless its own ttl is shorter; nil for the default.
	RestartGrace *time.Duration

	rules []Rule
	index ruleIndex
}

// Rule is what the operator says about the groups that it matches.
type Rule struct {
	Match []Selector // one of them selects the grouping labels
	Terms Terms
	TTL   Bounds
	Every Bounds
}

// Bounds are the least and the greatest duration that a client or a rule may ask for; nil is no bound.
type Bounds struct{ Min, Max *time.Duration }

// NewRules returns the rules in their order: the first that matches a group counts.
func NewRules(rules ...Rule) *Rules {
	r := &Rules{rules: slices.Clone(rules)}
	for i := range r.rules {
		r.index.add(i, r.rules[i].Match)
	}
	return r
}

// Len returns the number of rules.
func (r *Rules) Len() int {
	if r == nil {
		return 0
	}
	return len(r.rules)
}

// For returns the first rule that matches a key, nil where there is none. It costs little more where
// there are many rules, as long as they ask for a value of a label or for what a value begins with:
// BenchmarkRules.
func (r *Rules) For(key Key) *Rule {
	if r == nil {
		return nil
	}
	if at := r.index.first(key, func(i int) bool { return r.rules[i].matches(key) }); at >= 0 {
		return &r.rules[at]
	}
	return nil
}

func (r *Rule) matches(key Key) bool {
	return slices.ContainsFunc(r.Match, func(s Selector) bool { return s.MatchesKey(key) })
}

// Terms returns how a push to a key is to be taken: as said, where nothing is said as its rule says, and
// within the bounds of the rule.
func (r *Rules) Terms(key Key, said Terms) Terms {
	rule := r.For(key)
	if rule == nil {
		return said
	}
	terms := said.Over(rule.Terms)
	terms.TTL, terms.Every = rule.TTL.within(terms.TTL), rule.Every.within(terms.Every)
	return terms
}

// Admits reports whether a duration is within the bounds. 0, which is for ever, is so only where there is
// no greatest one.
func (b Bounds) Admits(d time.Duration) bool { return *b.within(&d) == d }

// within returns the nearest duration within the bounds; nil stays nil.
func (b Bounds) within(d *time.Duration) *time.Duration {
	switch {
	case d == nil:
		return nil
	case b.Max != nil && (*d == 0 || *d > *b.Max):
		return b.Max
	case b.Min != nil && *d != 0 && *d < *b.Min:
		return b.Min
	}
	return d
}
