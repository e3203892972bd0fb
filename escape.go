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
func (x *index) checkEscaped(after *Group, m *Member) verdict {
	strange := after.strange()
	if len(x.forms) == 0 && len(strange) == 0 {
		return verdict{}
	}
	var v verdict
	for _, scheme := range escapings {
		for form, counts := range rivals(exposition.EscapeName(m.Name, scheme), m.Type) {
			for _, name := range x.named(form, scheme, strange) {
				if name == m.Name || exposition.IsPlain(name) && exposition.IsPlain(m.Name) {
					continue
				}
				h := x.holding(after, name, counts)
				if h.held {
					return verdict{refusal: escapedClash(after.key, m.Name, name, scheme, h)}
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

// strange returns the names of the group's families that need escaping.
func (g *Group) strange() []string {
	var names []string
	for i := range g.members {
		if !exposition.IsPlain(g.members[i].Name) {
			names = append(names, g.members[i].Name)
		}
	}
	return names
}

// named returns the names that a scrape under a scheme shows as the given form; more are those that
// may not be known to the index yet.
func (x *index) named(form string, scheme model.EscapingScheme, more []string) []string {
	names := append([]string{form}, x.forms[exposition.Form{Scheme: scheme, Name: form}]...)
	for _, name := range more {
		if exposition.EscapeName(name, scheme) == form {
			names = append(names, name)
		}
	}
	return names
}

func escapedClash(key Key, pushed, other string, scheme model.EscapingScheme, h holding) *Refusal {
	r := inconsistent("escaping",
		fmt.Sprintf("metric families %q and %q collide once they are escaped for a scrape with escaping=%s, as %q and %q",
			pushed, other, scheme, exposition.EscapeName(pushed, scheme), exposition.EscapeName(other, scheme)),
		"rename one of them")
	r.Where, r.Other = whereBoth(key, pushed, h)
	return r
}
