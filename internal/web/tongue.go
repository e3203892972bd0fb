package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// A tongue is a language of the page, with all its texts. English texts are the keys of the others.
type tongue struct {
	tag   string // as in BCP 47
	name  string // as its speakers write it
	texts map[string]string
}

const (
	english = "en"
	chinese = "zh-CN"
)

// tongues returns the languages of the page, the default first.
func tongues() ([]*tongue, error) {
	text, err := ui.ReadFile("ui/words/" + chinese + ".json")
	if err != nil {
		return nil, err
	}
	zh := &tongue{tag: chinese, name: "中文"}
	if err := json.Unmarshal(text, &zh.texts); err != nil {
		return nil, fmt.Errorf("the words of %s: %w", chinese, err)
	}
	return []*tongue{{tag: english, name: "English"}, zh}, nil
}

// say returns a text in this language, with its arguments filled in.
func (t *tongue) say(text string, args ...any) string {
	if translated, known := t.texts[text]; known {
		text = translated
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// count says how many there are: one holds the text for 1, many that for all other counts. Each has a
// place for the number.
func (t *tongue) count(n int, one, many string) string {
	if n == 1 {
		return t.say(one, "1")
	}
	return t.say(many, grouped(float64(n)))
}

// accepted picks the language that a reader prefers: what was chosen by hand, else what the browser asks
// for first among those that there are.
func accepted(all []*tongue, r *http.Request) *tongue {
	if cookie, err := r.Cookie(languageCookie); err == nil {
		if t := tongueOf(all, cookie.Value); t != nil {
			return t
		}
	}
	best, weight := all[0], 0.0
	for _, part := range strings.Split(r.Header.Get("Accept-Language"), ",") {
		tag, parameter, weighted := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		if weighted {
			value, found := strings.CutPrefix(strings.TrimSpace(parameter), "q=")
			parsed, err := strconv.ParseFloat(value, 64)
			if !found || err != nil {
				continue
			}
			q = parsed
		}
		if t := tongueOf(all, tag); t != nil && q > weight {
			best, weight = t, q
		}
	}
	return best
}

// tongueOf finds the language of a tag by its first part: zh, zh-Hans and zh-CN are one here.
func tongueOf(all []*tongue, tag string) *tongue {
	first := func(s string) string {
		language, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(s)), "-")
		return language
	}
	for _, t := range all {
		if first(t.tag) == first(tag) {
			return t
		}
	}
	return nil
}
