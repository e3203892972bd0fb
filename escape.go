package holdfast

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

// escapings are the schemes under which names change.
var escapings = [...]model.EscapingScheme{model.UnderscoreEscaping, model.DotsEscaping, model.ValueEncodingEscaping}

// keyForms returns what a key becomes under each scheme where it changes: none for most keys.
func keyForms(key Key) []string {
	var forms []string
	labels := key.Labels()
	if exposition.AllPlain(labels) {
		return nil
	}
	for _, scheme := range escapings {
		if form := keyOf(exposition.EscapeLabels(labels, scheme)).canonical; !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	return forms
}

// checkEscaped refuses a family that becomes equal to another one under an escaping scheme, or to the
// samples of another one. Where all names are plain there is nothing to look for.
func (c *check) checkEscaped(m *Member) verdict {
	if len(c.forms) == 0 && len(c.strange()) == 0 {
		return verdict{}
	}
	var v verdict
	for _, scheme := range escapings {
		for form, counts := range rivals(exposition.EscapeName(m.Name, scheme), m.Type) {
			for _, name := range c.named(exposition.Form{Scheme: scheme, Name: form}) {
				if name == m.Name || exposition.IsPlain(name) && exposition.IsPlain(m.Name) {
					continue
				}
				h := c.holding(c.after, name, counts)
				if h.held {
					return verdict{refusal: escapedClash(c.after.key, m.Name, name, scheme, h)}
				}
				v.wait = v.wait || h.claimed
			}
		}
	}
	return v
}

// rivals yields the names that no other family may have beside one of the given name and type, and of
// which types: the name itself, what its samples are called, and of what it would be a sample.
func rivals(name string, typ dto.MetricType) iter.Seq2[string, func(dto.MetricType) bool] {
	return func(yield func(string, func(dto.MetricType) bool) bool) {
		any := func(dto.MetricType) bool { return true }
		if !yield(name, any) {
			return
		}
		for _, suffix := range suffixes {
			if takesSuffix(typ, suffix) && !yield(name+suffix, any) {
				return
			}
			base, found := strings.CutSuffix(name, suffix)
			if found && !yield(base, func(t dto.MetricType) bool { return takesSuffix(t, suffix) }) {
				return
			}
		}
	}
}

// collide reports whether no page may show two families of these names and types, under some escaping.
func collide(a string, aType dto.MetricType, b string, bType dto.MetricType) bool {
	for _, scheme := range append([]model.EscapingScheme{model.NoEscaping}, escapings[:]...) {
		shown := exposition.EscapeName(b, scheme)
		for form, counts := range rivals(exposition.EscapeName(a, scheme), aType) {
			if form == shown && counts(bType) {
				return true
			}
		}
	}
	return false
}

// strange returns the names of the group's families that need escaping, by what they become.
func (c *check) strange() map[exposition.Form][]string {
	if c.own == nil {
		c.own = map[exposition.Form][]string{}
		for i := range c.after.members {
			name := c.after.members[i].Name
			for _, form := range exposition.Forms(name) {
				c.own[form] = append(c.own[form], name)
			}
		}
	}
	return c.own
}

// named returns the names that become the given form: stored ones, and those of the group itself, which
// the index may not know yet.
func (c *check) named(form exposition.Form) []string {
	return slices.Concat([]string{form.Name}, c.forms[form], c.strange()[form])
}

func escapedClash(key Key, pushed, other string, scheme model.EscapingScheme, h holding) *Refusal {
	r := inconsistent("escaping",
		fmt.Sprintf("metric families %q and %q collide once they are escaped for a scrape with escaping=%s, as %q and %q",
			pushed, other, scheme, exposition.EscapeName(pushed, scheme), exposition.EscapeName(other, scheme)),
		"rename one of them")
	r.Where, r.Other = whereBoth(key, pushed, h)
	r.within = h.by == key
	return r
}
