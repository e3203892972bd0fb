package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"holdfast"
	"holdfast/internal/exposition"
)

// config is a file as it is read.
type config struct {
	restartGrace *time.Duration
	rules        []holdfast.Rule
}

func fileKeys() []key[config] {
	return []key[config]{
		{
			name: "rules", about: "Rules for groups. The first that matches a group counts, alone.",
			schema: map[string]any{"type": "array", "items": objectSchema(ruleKeys())},
			read: func(r *reader, n *yaml.Node, c *config) {
				if n.Kind != yaml.SequenceNode {
					r.fail(n, "rules has to be a list of rules, not %s", kindOf(n))
					return
				}
				for _, item := range n.Content {
					c.rules = append(c.rules, r.rule(resolve(item)))
				}
			},
		},
		duration("restart_grace", "How long a group stays after a start whose ttl ran out while the gateway was down, unless its ttl is shorter. Default 5m.",
			func(c *config) **time.Duration { return &c.restartGrace }),
	}
}

// rule reads one rule and checks that it keeps its own bounds.
func (r *reader) rule(n *yaml.Node) holdfast.Rule {
	var rule holdfast.Rule
	readMapping(r, n, ruleKeys(), &rule, "a rule")
	for _, c := range []struct {
		name   string
		said   *time.Duration
		bounds holdfast.Bounds
	}{{"ttl", rule.Terms.TTL, rule.TTL}, {"every", rule.Terms.Every, rule.Every}} {
		low, high := c.bounds.Min, c.bounds.Max
		switch {
		case low != nil && high != nil && *low > *high:
			r.fail(n, "the min of %s, %s, is above its max, %s", c.name, model.Duration(*low), model.Duration(*high))
		case c.said != nil && !c.bounds.Admits(*c.said):
			r.fail(n, "%s is %s, which is outside the min and max that the rule itself sets", c.name, model.Duration(*c.said))
		}
	}
	return rule
}

func ruleKeys() []key[holdfast.Rule] {
	return []key[holdfast.Rule]{
		{
			name: "match", required: true,
			about: "Which groups the rule is for: a selector on their grouping labels as PromQL writes it, such as {job=~\"ci-.*\",instance!=\"\"}, or a list of which one has to match. Expressions are matched as a whole.",
			schema: map[string]any{"anyOf": []any{
				map[string]any{"type": "string"},
				map[string]any{"type": "array", "minItems": 1, "items": map[string]any{"type": "string"}},
			}},
			read: readMatch,
		},
		duration("ttl", "The group leaves once its last accepted push is older. 0: never.",
			func(rule *holdfast.Rule) **time.Duration { return &rule.Terms.TTL }),
		duration("every", "Within which time the group is to be pushed to again; it exposes push_expected_interval_seconds and push_overdue. 0: says nothing.",
			func(rule *holdfast.Rule) **time.Duration { return &rule.Terms.Every }),
		duration("keep_push_time", "How long push_time_seconds and push_failure_time_seconds stay after the ttl has taken the rest of the group.",
			func(rule *holdfast.Rule) **time.Duration { return &rule.Terms.KeepPushTime }),
		choice("mode", "What a push does to its group, however it is sent.", map[string]holdfast.Mode{
			"replace-group": holdfast.ReplaceGroup, "replace-family": holdfast.ReplaceFamily, "upsert": holdfast.Upsert, "add": holdfast.Add,
		}, func(rule *holdfast.Rule) **holdfast.Mode { return &rule.Terms.Mode }),
		choice("gauge", "How the gauges of an adding group come to one value.", exposition.GaugeRules(),
			func(rule *holdfast.Rule) **exposition.GaugeRule { return &rule.Terms.Gauge }),
		{
			name: "drop_labels", about: "Labels that are taken off the metrics of an adding push; those that are equal then add up.",
			schema: map[string]any{"type": "array", "items": map[string]any{"type": "string", "minLength": 1}},
			read:   readDropLabels,
		},
		choice("timestamps", "Whether timestamps of pushed metrics are refused, or stripped and ignored.",
			map[string]bool{"reject": false, "strip": true}, func(rule *holdfast.Rule) **bool { return &rule.Terms.Strip }),
		choice("text", "Whether the text format is read as it is defined, or also with CRLF, a byte order mark, or without the last line feed.",
			map[string]bool{"strict": false, "lenient": true}, func(rule *holdfast.Rule) **bool { return &rule.Terms.Lenient }),
		bounds("min", "The least ttl and every that a client may ask for. Less is raised to it.",
			func(b *holdfast.Bounds) **time.Duration { return &b.Min }),
		bounds("max", "The greatest ttl and every that a client may ask for. More, and 0, is lowered to it.",
			func(b *holdfast.Bounds) **time.Duration { return &b.Max }),
	}
}

func readMatch(r *reader, n *yaml.Node, rule *holdfast.Rule) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	if len(items) == 0 {
		r.fail(n, "match is an empty list, so the rule is for no group")
	}
	for _, item := range items {
		item = resolve(item)
		text, ok := r.text(item, "match")
		if !ok {
			continue
		}
		selector, err := holdfast.ParseSelector(text)
		switch {
		case err != nil:
			r.fail(item, "match: %v", err)
		case selector.Named():
			r.fail(item, "match: %s asks for a metric name, but rules are for groups: leave it out", text)
		default:
			rule.Match = append(rule.Match, selector)
		}
	}
}

func readDropLabels(r *reader, n *yaml.Node, rule *holdfast.Rule) {
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "drop_labels has to be a list of label names, not %s", kindOf(n))
		return
	}
	for _, item := range n.Content {
		item = resolve(item)
		name, ok := r.text(item, "a label name")
		if ok && !model.UTF8Validation.IsValidLabelName(name) {
			r.fail(item, "%q is no label name", name)
		}
		rule.Terms.DropLabels = append(rule.Terms.DropLabels, name)
	}
}

// durationSchema is what Prometheus writes durations like; 0 needs no unit.
func durationSchema() map[string]any {
	return map[string]any{"anyOf": []any{
		map[string]any{"const": 0},
		map[string]any{"type": "string", "pattern": "^(0|([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$", "minLength": 1},
	}}
}

func duration[T any](name, about string, field func(*T) **time.Duration) key[T] {
	return key[T]{name: name, about: about, schema: durationSchema(), read: func(r *reader, n *yaml.Node, into *T) {
		text, ok := r.text(n, name)
		if !ok {
			return
		}
		d, err := model.ParseDuration(text)
		if err != nil {
			r.fail(n, "%s: %.64q is no duration such as 90s, 24h or 7d", name, text)
			return
		}
		*field(into) = new(time.Duration(d))
	}}
}

func choice[T, V any](name, about string, choices map[string]V, field func(*T) **V) key[T] {
	known := slices.Sorted(maps.Keys(choices))
	return key[T]{name: name, about: about, schema: map[string]any{"enum": known}, read: func(r *reader, n *yaml.Node, into *T) {
		text, ok := r.text(n, name)
		if !ok {
			return
		}
		v, found := choices[text]
		if !found {
			r.fail(n, "%s: %.64q is none of %s", name, text, strings.Join(known, ", "))
			return
		}
		*field(into) = &v
	}}
}

// limits are the bounds of one kind, least or greatest.
type limits struct{ ttl, every *time.Duration }

func bounds(name, about string, field func(*holdfast.Bounds) **time.Duration) key[holdfast.Rule] {
	keys := []key[limits]{
		duration("ttl", fmt.Sprintf("The %s of ttl.", name), func(l *limits) **time.Duration { return &l.ttl }),
		duration("every", fmt.Sprintf("The %s of every.", name), func(l *limits) **time.Duration { return &l.every }),
	}
	return key[holdfast.Rule]{name: name, about: about, schema: objectSchema(keys), read: func(r *reader, n *yaml.Node, rule *holdfast.Rule) {
		var l limits
		readMapping(r, n, keys, &l, name)
		for _, d := range []*time.Duration{l.ttl, l.every} {
			if d != nil && *d == 0 {
				r.fail(n, "%s: a bound of 0 bounds nothing: leave it out", name)
			}
		}
		*field(&rule.TTL), *field(&rule.Every) = l.ttl, l.every
	}}
}
