package holdfast

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

func TestParseKeyRefusals(t *testing.T) {
	for _, test := range []struct {
		job    string
		base64 bool
		rest   string
		names  model.ValidationScheme
		want   string
	}{
		{"Zm9v*", true, "", model.LegacyValidation, `invalid base64 encoding in job name "foo": illegal base64 data at input byte 4`},
		{"=", true, "", model.LegacyValidation, "job name is required"},
		{"a", false, "/instance", model.LegacyValidation, `odd number of components in label string "/instance"`},
		{"a", false, "/a.b/1", model.LegacyValidation, `improper label name "a.b"`},
		{"a", false, "/__x/1", model.LegacyValidation, `improper label name "__x"`},
		{"a", false, "/__x/1", model.UTF8Validation, `improper label name "__x"`},
		{"a", false, "/U______x/1", model.UTF8Validation, `improper label name "U______x"`},
		{"a", false, "/l@base64@base64/Zg", model.LegacyValidation, `improper label name "l@base64"`},
		{"a", false, "/l@base64/a.b", model.LegacyValidation, `invalid base64 encoding for label l="a.b": illegal base64 data at input byte 1`},
		{"\xff", false, "", model.LegacyValidation, `grouping label job has a value that is not UTF-8: "\xff"`},
		{"a", false, "/a\x00b/1", model.UTF8Validation, `improper label name "a\x00b"`},
		{"a", false, "/a.b/1/a_b/2", model.UTF8Validation, "have the same name once they are escaped"},
	} {
		_, err := ParseKey(test.job, test.base64, test.rest, test.names)
		var refusal *Refusal
		if !errors.As(err, &refusal) {
			t.Errorf("%s%s: error is %v, want a refusal", test.job, test.rest, err)
			continue
		}
		if refusal.Kind != Malformed || !strings.Contains(refusal.Message, test.want) {
			t.Errorf("%s%s: refused with %q, want %q", test.job, test.rest, refusal.Message, test.want)
		}
	}
}

func TestParseKeySpellings(t *testing.T) {
	want := NewKey(exposition.Label{Name: "job", Value: "a"}, exposition.Label{Name: "l", Value: ""})
	for _, test := range []struct {
		job    string
		base64 bool
		rest   string
	}{
		{"a", false, "/l/"},
		{"a", false, "/l@base64/"},
		{"YQ", true, "/l@base64/="},
		{"YQ==", true, "/l/x/l/"},
		{"a", false, "/job/b/l/"},
	} {
		got, err := ParseKey(test.job, test.base64, test.rest, model.LegacyValidation)
		if err != nil || got != want {
			t.Errorf("%s%s is %v (%v), want %v", test.job, test.rest, got, err, want)
		}
	}
}

// Path must lead back to the same key whatever its labels hold.
func FuzzKeyRoundTrip(f *testing.F) {
	f.Add("a", "instance", "b")
	f.Add("a/b", "U__x", "..")
	f.Add("作业", "a.b", "100%25")
	f.Add("'\"", "a/b", "")
	f.Fuzz(func(t *testing.T, job, name, value string) {
		if name == "job" || job == "" || strings.Contains(name, "/") {
			return
		}
		// Only what a path can say at all is of interest.
		written := "/" + model.EscapeName(name, model.ValueEncodingEscaping) + "@base64/" + encodeBase64(value)
		key, err := ParseKey(encodeBase64(job), true, written, model.UTF8Validation)
		if err != nil {
			return
		}
		raw, err := url.PathUnescape(key.Path(model.UTF8Validation))
		if err != nil {
			t.Fatalf("path %q of %v: %v", key.Path(model.UTF8Validation), key, err)
		}
		rest := strings.TrimPrefix(raw, "/metrics/job")
		rest, isBase64 := strings.CutPrefix(rest, "@base64")
		parsedJob, rest, more := strings.Cut(rest[1:], "/")
		if more {
			rest = "/" + rest
		}
		got, err := ParseKey(parsedJob, isBase64, rest, model.UTF8Validation)
		if err != nil || got != key {
			t.Errorf("%v has path %q, which reads as %v (%v)", key, key.Path(model.UTF8Validation), got, err)
		}
	})
}
