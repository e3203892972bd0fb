package exposition

import (
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
)

// schemes lists the escaping schemes that change names.
func schemes() []model.EscapingScheme {
	return []model.EscapingScheme{model.UnderscoreEscaping, model.DotsEscaping, model.ValueEncodingEscaping}
}

// IsPlain reports whether name is a metric name that no escaping scheme changes: letters, digits, _ and
// colons, and no digit in front.
func IsPlain(name string) bool {
	return isLegacy(name, true)
}

// isPlainLabel is IsPlain for a label name, in which a colon is not legal. The writer of
// prometheus/common prints such a name bare, which no Prometheus reads; here it counts as not plain.
func isPlainLabel(name string) bool {
	return isLegacy(name, false)
}

func isLegacy(name string, colon bool) bool {
	for i, r := range name {
		if !isLegacyRune(r, i) && (r != ':' || !colon) {
			return false
		}
	}
	return name != ""
}

// isLegacyRune reports whether r may stand at byte i of a plain label name.
func isLegacyRune(r rune, i int) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r >= '0' && r <= '9' && i > 0
}

// Form is what a name becomes under a scheme.
type Form struct {
	Scheme model.EscapingScheme
	Name   string
}

// Forms returns the four forms of a metric name that is not plain: itself under allow-utf-8, and its
// forms under underscores, dots and values. A plain name has no other form than itself: nil.
func Forms(name string) []Form {
	if IsPlain(name) {
		return nil
	}
	forms := []Form{{model.NoEscaping, name}}
	for _, s := range schemes() {
		forms = append(forms, Form{s, escapeName(name, s)})
	}
	return forms
}

// escapeName returns the form of a metric name.
func escapeName(name string, s model.EscapingScheme) string {
	if s == model.NoEscaping || IsPlain(name) {
		return name
	}
	return model.EscapeName(name, s)
}

// escapeLabel returns the form of a label name. It differs from model.EscapeName in one thing: a colon is
// escaped like any other character that is not legal.
func escapeLabel(name string, s model.EscapingScheme) string {
	if s == model.NoEscaping || isPlainLabel(name) {
		return name
	}
	var b strings.Builder
	if s == model.ValueEncodingEscaping {
		b.WriteString("U__")
	}
	for i, r := range name {
		switch {
		case r == '_' && s != model.UnderscoreEscaping:
			b.WriteString("__")
		case isLegacyRune(r, i):
			b.WriteRune(r)
		case s == model.UnderscoreEscaping:
			b.WriteByte('_')
		case s == model.DotsEscaping && r == '.':
			b.WriteString("_dot_")
		case s == model.DotsEscaping:
			b.WriteString("__")
		default:
			b.WriteString("_" + strconv.FormatInt(int64(r), 16) + "_")
		}
	}
	return b.String()
}

// escapeLabels appends labels with their names in the form of the scheme, sorted.
func escapeLabels(dst, labels Labels, s model.EscapingScheme) Labels {
	from := len(dst)
	for _, l := range labels {
		dst = append(dst, Label{escapeLabel(l.Name, s), l.Value})
	}
	dst[from:].sort()
	return dst
}

// SameWhenEscaped returns two different label names of the set that become equal under some escaping
// scheme. The name of the metric counts as the label __name__ of every set.
func SameWhenEscaped(ls Labels) (a, b string, found bool) {
	if allPlain(ls) {
		return "", "", false
	}
	for _, s := range schemes() {
		from := map[string]string{model.MetricNameLabel: model.MetricNameLabel}
		for _, l := range ls {
			form := escapeLabel(l.Name, s)
			if other, taken := from[form]; taken && other != l.Name {
				return other, l.Name, true
			}
			from[form] = l.Name
		}
	}
	return "", "", false
}

// allPlain reports whether no label name of the set needs escaping.
func allPlain(ls Labels) bool {
	return !slices.ContainsFunc(ls, func(l Label) bool { return !isPlainLabel(l.Name) })
}
