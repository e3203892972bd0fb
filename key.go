package holdfast

import (
	"encoding/base64"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

// Key is a grouping key: the exact set of labels, job among them, under which a group stands. Keys are
// comparable, and equal however they were spelled in a path. The zero Key is no key.
type Key struct {
	// canonical holds name 0xFF value pairs joined by 0xFF, sorted by name. 0xFF occurs in no UTF-8, so
	// the form is unambiguous. Its bytewise order is the order of groups everywhere.
	canonical string
}

const (
	jobLabel      = "job"
	instanceLabel = "instance"
	base64Suffix  = "@base64"
	keySeparator  = "\xff"
)

// NewKey makes a key of labels, which need not be sorted. Names and values must be valid UTF-8.
func NewKey(labels ...exposition.Label) Key {
	return keyOf(slices.SortedFunc(slices.Values(labels), compareNames))
}

func compareNames(a, b exposition.Label) int { return strings.Compare(a.Name, b.Name) }

func keyOf(sorted exposition.Labels) Key {
	var b strings.Builder
	for i, l := range sorted {
		if i > 0 {
			b.WriteString(keySeparator)
		}
		b.WriteString(l.Name)
		b.WriteString(keySeparator)
		b.WriteString(l.Value)
	}
	return Key{b.String()}
}

// ParseKey reads the part of a push path that follows "/metrics/job": the job, whether it is written in
// base64, and rest, the labels ("/name/value…", percent-decoded once, "" or starting with a slash). Its
// errors are of kind Malformed and have the reference's wording.
func ParseKey(job string, jobBase64 bool, rest string, names model.ValidationScheme) (Key, error) {
	if jobBase64 {
		decoded, err := decodeBase64(job)
		if err != nil {
			return Key{}, malformed("base64", fmt.Sprintf("invalid base64 encoding in job name %q: %v", decoded, err), base64Hint)
		}
		job = decoded
	}
	labels, err := parseLabels(rest, names)
	if err != nil {
		return Key{}, err
	}
	labels[jobLabel] = job
	sorted := make(exposition.Labels, 0, len(labels))
	for name, value := range labels {
		sorted = append(sorted, exposition.Label{Name: name, Value: value})
	}
	slices.SortFunc(sorted, compareNames)
	return checkedKey(sorted)
}

// checkedKey makes a key of sorted labels unless a group could not stand under it.
func checkedKey(sorted exposition.Labels) (Key, error) {
	for _, l := range sorted {
		if !utf8.ValidString(l.Value) {
			return Key{}, unstorable("utf8",
				fmt.Sprintf("grouping label %s has a value that is not UTF-8: %q", l.Name, l.Value),
				"write the value in UTF-8 before percent-encoding it, or encode its UTF-8 bytes as base64 behind "+l.Name+base64Suffix)
		}
		// Prometheus' reader of the text format ends at a NUL in a name.
		if !model.UTF8Validation.IsValidLabelName(l.Name) || strings.HasPrefix(l.Name, model.ReservedLabelPrefix) ||
			strings.Contains(l.Name, "\x00") {
			return Key{}, unstorable("label_name", fmt.Sprintf("improper label name %q", l.Name), labelNameHint(model.UTF8Validation))
		}
	}
	if a, b, ok := exposition.SameWhenEscaped(sorted); ok {
		return Key{}, unstorable("escaping",
			fmt.Sprintf("grouping labels %q and %q have the same name once they are escaped for a scrape", a, b),
			"rename one of them")
	}
	if job, _ := sorted.Get(jobLabel); job == "" {
		return Key{}, malformed("job", "job name is required", "")
	}
	return keyOf(sorted), nil
}

func unstorable(reason, message, hint string) *Refusal {
	r := malformed(reason, message, hint)
	r.Unstorable = true
	return r
}

const base64Hint = "use the URL-safe alphabet (- and _); padding is optional; an empty value is written ="

func parseLabels(rest string, names model.ValidationScheme) (map[string]string, error) {
	result := map[string]string{}
	if len(rest) <= 1 {
		return result, nil
	}
	parts := strings.Split(rest[1:], "/")
	if len(parts)%2 != 0 {
		return nil, malformed("path",
			fmt.Sprintf("odd number of components in label string %q", rest),
			"labels follow the job as /name/value; write a value that holds a slash in base64: /name"+base64Suffix+"/"+encodeBase64("a/b")+" for a/b")
	}
	for i := 0; i < len(parts); i += 2 {
		name, value := parts[i], parts[i+1]
		trimmed, isBase64 := strings.CutSuffix(name, base64Suffix)
		written := trimmed
		if names == model.UTF8Validation {
			trimmed = model.UnescapeName(trimmed, model.ValueEncodingEscaping)
		}
		if !names.IsValidLabelName(trimmed) || strings.HasPrefix(written, model.ReservedLabelPrefix) ||
			strings.HasPrefix(trimmed, model.ReservedLabelPrefix) {
			return nil, malformed("label_name", fmt.Sprintf("improper label name %q", written), labelNameHint(names))
		}
		if isBase64 {
			decoded, err := decodeBase64(value)
			if err != nil {
				return nil, malformed("base64",
					fmt.Sprintf("invalid base64 encoding for label %s=%q: %v", trimmed, value, err), base64Hint)
			}
			value = decoded
		}
		result[trimmed] = value
	}
	return result, nil
}

func labelNameHint(names model.ValidationScheme) string {
	if names == model.UTF8Validation {
		return "a label name is any UTF-8 that does not start with __"
	}
	return "a label name is letters, digits and _, does not start with a digit or __; --push.enable-utf8-names allows more"
}

// decodeBase64 reads the URL-safe alphabet with any amount of padding. On error it returns what it had
// decoded before it.
func decodeBase64(s string) (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	return string(b), err
}

func encodeBase64(s string) string {
	if s == "" {
		return "="
	}
	return base64.RawURLEncoding.EncodeToString([]byte(s))
}

// Labels returns the key's labels, sorted by name.
func (k Key) Labels() exposition.Labels {
	var labels exposition.Labels
	for name, value := range k.all() {
		labels = append(labels, exposition.Label{Name: name, Value: value})
	}
	return labels
}

// Get returns the value of a grouping label and whether the key has it.
func (k Key) Get(name string) (value string, found bool) {
	for label, value := range k.all() {
		if label == name {
			return value, true
		}
	}
	return "", false
}

// all yields names and values, by name.
func (k Key) all() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for rest, more := k.canonical, k.canonical != ""; more; {
			var name, value string
			name, rest, _ = strings.Cut(rest, keySeparator)
			value, rest, more = strings.Cut(rest, keySeparator)
			if !yield(name, value) {
				return
			}
		}
	}
}

// Compare orders keys as they are listed and exposed.
func (k Key) Compare(other Key) int { return strings.Compare(k.canonical, other.canonical) }

// String renders the key as a label set, job first: {job="a",instance="b"}.
func (k Key) String() string { return jobFirst(k.Labels()).String() }

// Path returns a path below the route prefix that addresses the key where names are read as given, such
// as /metrics/job/a/instance/b. Values that a path cannot carry plainly are written in base64.
func (k Key) Path(names model.ValidationScheme) string {
	var b strings.Builder
	b.WriteString("/metrics")
	for _, l := range jobFirst(k.Labels()) {
		name, value := l.Name, l.Value
		if names == model.UTF8Validation {
			name = escapePathName(name)
		}
		if value == "" || value == "." || value == ".." || strings.Contains(value, "/") {
			name, value = name+base64Suffix, encodeBase64(value)
		}
		b.WriteString("/" + name + "/" + url.PathEscape(value))
	}
	return b.String()
}

// escapePathName writes a label name so that a path can carry it and reads back as the name.
func escapePathName(name string) string {
	escaped := model.EscapeName(name, model.ValueEncodingEscaping)
	if escaped == name && model.UnescapeName(name, model.ValueEncodingEscaping) != name {
		return "U__" + strings.ReplaceAll(name, "_", "__")
	}
	return escaped
}

func jobFirst(labels exposition.Labels) exposition.Labels {
	i := slices.IndexFunc(labels, func(l exposition.Label) bool { return l.Name == jobLabel })
	if i < 0 {
		return labels
	}
	first := exposition.Labels{labels[i]}
	return append(append(first, labels[:i]...), labels[i+1:]...)
}
