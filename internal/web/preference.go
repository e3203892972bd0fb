package web

import (
	"net/http"
	"slices"
)

// What a reader chose is kept in cookies of the browser, and nowhere else.
const (
	languageCookie    = "holdfast_language"
	themeCookie       = "holdfast_theme"
	languageParameter = "lang"
	themeParameter    = "theme"
	yearSeconds       = 365 * 24 * 60 * 60
)

var themes = [...]string{"auto", "light", "dark"}

func themeOf(r *http.Request) string {
	if cookie, err := r.Cookie(themeCookie); err == nil && slices.Contains(themes[:], cookie.Value) {
		return cookie.Value
	}
	return themes[0]
}

// with returns a link to the page that r asks for with one parameter set.
func with(r *http.Request, name, value string) string {
	query := r.URL.Query()
	query.Set(name, value)
	return here(r, query.Encode())
}

// chooses answers a request that chooses a language or a theme: it notes the choice and sends the reader
// back to the page without it. It reports whether there was a choice.
func (s *site) chooses(w http.ResponseWriter, r *http.Request) bool {
	query := r.URL.Query()
	language, theme := query.Get(languageParameter), query.Get(themeParameter)
	if language == "" && theme == "" {
		return false
	}
	if t := tongueOf(s.page.tongues, language); t != nil {
		keep(w, languageCookie, t.tag)
	}
	if slices.Contains(themes[:], theme) {
		keep(w, themeCookie, theme)
	}
	query.Del(languageParameter)
	query.Del(themeParameter)
	w.Header().Set("Location", here(r, query.Encode()))
	empty(w, http.StatusSeeOther)
	return true
}

func keep(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: yearSeconds, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
