package web

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"holdfast"
)

// params reads the parameters of a call of the API. It keeps the first problem.
type params struct {
	values  url.Values
	problem error
}

// newParams takes the query of a request. A parameter that the call does not know is a problem: to pass
// over a misspelt condition would answer, or delete, more than was asked for.
func newParams(r *http.Request, known ...string) *params {
	p := &params{}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		p.fail("the query cannot be read: %v", err)
	}
	p.values = values
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(known, name) {
			p.fail("parameter %.100q is not known here, only %s", name, strings.Join(known, ", "))
		}
	}
	return p
}

func (p *params) fail(format string, args ...any) {
	if p.problem == nil {
		p.problem = &failure{http.StatusBadRequest, fmt.Sprintf(format, args...)}
	}
}

// refuse keeps an error of the core as the problem of a parameter.
func (p *params) refuse(name string, err error) {
	hint := ""
	var refusal *holdfast.Refusal
	if errors.As(err, &refusal) && refusal.Hint != "" {
		hint = "\nhint: " + refusal.Hint
	}
	p.fail("parameter %s: %v%s", name, err, hint)
}

// text returns a parameter that may be given once; "" if it is not.
func (p *params) text(name string) string {
	if given := len(p.values[name]); given > 1 {
		p.fail("parameter %s is given %d times", name, given)
	}
	return p.values.Get(name)
}

// count returns a number from 1 to most, preset if it is not given.
func (p *params) count(name string, preset, most int) int {
	text := p.text(name)
	if text == "" {
		return preset
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		p.fail("parameter %s: %.100q is not a number from 1 to %d", name, text, most)
	}
	return n
}

// flag returns a parameter that is true or false; false if it is not given.
func (p *params) flag(name string) bool {
	return oneOf(p, name, []named[bool]{{"false", false}, {"true", true}})
}

// duration returns a parameter such as 90s; preset if it is not given.
func (p *params) duration(name string, preset time.Duration) time.Duration {
	text := p.text(name)
	if text == "" {
		return preset
	}
	d, err := model.ParseDuration(text)
	if err != nil {
		p.fail("parameter %s: %.100q is not a duration such as 90s, 24h or 7d", name, text)
	}
	return time.Duration(d)
}

// age returns the moment that is as long ago as a duration says; the zero time if it is not given.
func (p *params) age(name string) time.Time {
	d := p.duration(name, -1)
	if d < 0 {
		return time.Time{}
	}
	return time.Now().Add(-d)
}

// selectors returns the selectors of all parameters of a name.
func (p *params) selectors(name string) []holdfast.Selector {
	var selectors []holdfast.Selector
	for _, text := range p.values[name] {
		s, err := holdfast.ParseSelector(text)
		if err != nil {
			p.refuse(name, err)
		}
		selectors = append(selectors, s)
	}
	return selectors
}

// named is a value that a parameter may have, and what it means.
type named[V any] struct {
	name  string
	value V
}

// oneOf returns one of several values; the first one if the parameter is not given.
func oneOf[V any](p *params, name string, choices []named[V]) V {
	text := p.text(name)
	if text == "" {
		return choices[0].value
	}
	names := make([]string, 0, len(choices))
	for _, c := range choices {
		if c.name == text {
			return c.value
		}
		names = append(names, c.name)
	}
	p.fail("parameter %s: %.100q is none of %s", name, text, strings.Join(names, ", "))
	return choices[0].value
}
