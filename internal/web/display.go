package web

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// plain writes numbers of everyday size without an exponent.
func plain(f float64) string {
	if size := max(f, -f); size < 1e-6 || size >= 1e18 {
		return number(f)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// grouped writes a number with a comma between thousands: 1,234,567.5.
func grouped(f float64) string {
	text := plain(f)
	whole, fraction, hasFraction := strings.Cut(text, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	if strings.ContainsFunc(whole, func(c rune) bool { return c < '0' || c > '9' }) {
		return text
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if hasFraction {
		whole += "." + fraction
	}
	return sign + whole
}

// short writes a number in three digits or so.
func short(f float64) string {
	switch size := math.Abs(f); {
	case size == 0 || math.IsInf(f, 0) || math.IsNaN(f):
		return number(f)
	case size < 0.001 || size >= 1e15:
		return strconv.FormatFloat(f, 'g', 3, 64)
	case size < 1:
		return strings.TrimRight(strconv.FormatFloat(f, 'f', 3, 64), "0")
	case size < 100:
		return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(f, 'f', 2, 64), "0"), ".")
	}
	return grouped(math.Round(f))
}

// bytesText writes a number of bytes with a binary unit: 1.5 MiB.
func bytesText(n float64) string {
	size, unit := math.Abs(n), 0
	units := [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	for size >= 1023.95 && unit+1 < len(units) {
		size /= 1024
		unit++
	}
	if n < 0 {
		size = -size
	}
	if unit == 0 {
		return short(size) + " B"
	}
	return strconv.FormatFloat(size, 'f', 1, 64) + " " + units[unit]
}

// span writes a duration with its two greatest units.
func (t *tongue) span(seconds float64) string {
	size := math.Abs(seconds)
	if math.IsNaN(size) || size > 1e11 {
		return plain(seconds) + " s"
	}
	sign := ""
	if seconds < 0 {
		sign = "-"
	}
	switch {
	case size == 0:
		return t.say("%s s", "0")
	case size < 1e-3:
		return sign + t.say("%s µs", short(size*1e6))
	case size < 1:
		return sign + t.say("%s ms", short(size*1e3))
	case size < 60:
		return sign + t.say("%s s", short(size))
	case size < 3600:
		return sign + t.pair(size, 60, "%s min", 1, "%s s")
	case size < 86400:
		return sign + t.pair(size, 3600, "%s h", 60, "%s min")
	}
	return sign + t.pair(size, 86400, "%s d", 3600, "%s h")
}

func (t *tongue) pair(size, great float64, greatText string, small float64, smallText string) string {
	size = math.Floor(size/small) * small
	whole := math.Floor(size / great)
	rest := (size - whole*great) / small
	text := t.say(greatText, plain(whole))
	if rest >= 1 {
		text += " " + t.say(smallText, plain(rest))
	}
	return text
}

// ago writes how long ago a moment was; a moment ahead is told as such.
func (t *tongue) ago(at time.Time) string {
	if at.IsZero() {
		return t.say("never")
	}
	d := time.Since(at)
	text := "%s ago"
	if d < 0 {
		d, text = -d, "in %s"
	}
	switch {
	case d < 2*time.Second:
		return t.say("just now")
	case d < time.Minute:
		return t.say(text, t.say("%s s", plain(math.Floor(d.Seconds()))))
	case d < time.Hour:
		return t.say(text, t.say("%s min", plain(math.Floor(d.Minutes()))))
	case d < 48*time.Hour:
		return t.say(text, t.say("%s h", plain(math.Floor(d.Hours()))))
	}
	return t.say(text, t.say("%s d", plain(math.Floor(d.Hours()/24))))
}

// moment writes a time in full.
func moment(at time.Time) string { return at.Format(time.RFC3339) }

// clock writes a time for people, with its zone.
func clock(at time.Time) string { return at.Format("2006-01-02 15:04:05 MST") }

// shown is how many characters of a text a view shows before it cuts it.
const (
	shownInList = 80
	shownInFull = 400
)

// shownText is a text as a view shows it.
type shownText struct {
	Parts []textPart
	Cut   string // how much there is of it all, where it is cut
}

// textPart is a stretch of a text, or the code point of a character in the place of it.
type textPart struct{ Text, Code string }

// visible returns a text to be shown: what could reorder, hide or break the text around it is shown as
// its code point, and after limit characters it is cut, with its whole length told.
func (t *tongue) visible(text string, limit int) (shown shownText) {
	begin, characters := 0, 0
	plain := func(end int) {
		if end > begin {
			shown.Parts = append(shown.Parts, textPart{Text: text[begin:end]})
		}
	}
	for i, c := range text {
		if characters == limit {
			plain(i)
			shown.Cut = t.say("(%s in all)", bytesText(float64(len(text))))
			return shown
		}
		characters++
		if hidden(c) {
			plain(i)
			shown.Parts = append(shown.Parts, textPart{Code: fmt.Sprintf("U+%04X", c)})
			begin = i + utf8.RuneLen(c)
		}
	}
	plain(len(text))
	return shown
}

// clipped returns a text for an attribute: what hides is told, and what is long is cut.
func clipped(text string) string {
	var b strings.Builder
	characters := 0
	for _, c := range text {
		if characters++; characters > 2*shownInList {
			return b.String() + "…"
		}
		if hidden(c) {
			fmt.Fprintf(&b, "U+%04X", c)
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}

// hidden reports whether a character shows nothing by itself: controls, marks of direction, zero widths.
func hidden(c rune) bool {
	return unicode.Is(unicode.Cc, c) || unicode.Is(unicode.Cf, c) || unicode.Is(unicode.Zl, c) || unicode.Is(unicode.Zp, c)
}
