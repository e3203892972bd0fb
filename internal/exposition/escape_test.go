package exposition

import (
	"strings"
	"testing"

	"github.com/prometheus/common/model"
)

func TestIsPlain(t *testing.T) {
	for name, want := range map[string][2]bool{ // as a metric, as a label
		"a": {true, true}, "_A9": {true, true}, "a:b": {true, false}, ":": {true, false},
		"": {}, "9a": {}, "a.b": {}, "a b": {}, "é": {}, "a\n": {}, "\xff": {}, "a\xff": {},
	} {
		if got := [2]bool{IsPlain(name), isPlainLabel(name)}; got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
		if want[0] != model.LegacyValidation.IsValidMetricName(name) || want[1] != model.LegacyValidation.IsValidLabelName(name) {
			t.Errorf("%q: the library differs", name)
		}
	}
}

func TestForms(t *testing.T) {
	if got := Forms("plain:name"); got != nil {
		t.Errorf("a plain name has forms %v", got)
	}
	want := []Form{
		{model.NoEscaping, "x.y"},
		{model.UnderscoreEscaping, "x_y"},
		{model.DotsEscaping, "x_dot_y"},
		{model.ValueEncodingEscaping, "U__x_2e_y"},
	}
	got := Forms("x.y")
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got[i], want[i])
		}
	}
}

func TestEscapeLabel(t *testing.T) {
	for name, want := range map[string][3]string{ // underscores, dots, values
		"l x-é": {"l_x__", "l__x____", "U__l_20_x_2d__e9_"},
		"a_b.c": {"a_b_c", "a__b_dot_c", "U__a__b_2e_c"},
		"9":     {"_", "__", "U___39_"},
		"a9.":   {"a9_", "a9_dot_", "U__a9_2e_"},
		"a:b":   {"a_b", "a__b", "U__a_3a_b"},
		":":     {"_", "__", "U___3a_"},
		"a_b":   {"a_b", "a_b", "a_b"},
	} {
		for i, s := range schemes() {
			if got := escapeLabel(name, s); got != want[i] {
				t.Errorf("%q under %v: got %q, want %q", name, s, got, want[i])
			}
		}
		if got := escapeLabel(name, model.NoEscaping); got != name {
			t.Errorf("%q changed to %q", name, got)
		}
	}
}

func TestSameWhenEscaped(t *testing.T) {
	set := func(names ...string) Labels {
		var ls Labels
		for _, n := range names {
			ls = append(ls, Label{n, "v"})
		}
		return ls
	}
	for _, c := range []struct {
		labels Labels
		a, b   string
		found  bool
	}{
		{set(), "", "", false},
		{set("a", "b"), "", "", false},
		{set("a", "a.b", "a-c"), "", "", false},
		{set("a.b", "a_b"), "a.b", "a_b", true},
		{set("a.b", "a-b"), "a.b", "a-b", true},
		{set("a.b", "a_dot_b"), "a.b", "a_dot_b", true},
		{set("U__a_2e_b", "a.b"), "U__a_2e_b", "a.b", true},
		{set("é", "à"), "é", "à", true},
		{set("énameé"), "__name__", "énameé", true},
		{set("a.b", "a.b"), "", "", false}, // the same name, not two
	} {
		a, b, found := SameWhenEscaped(c.labels)
		if a != c.a || b != c.b || found != c.found {
			t.Errorf("%v: got %q, %q, %v", c.labels, a, b, found)
		}
	}
}

// FuzzEscapeLabel compares with the library, which takes colons for legal.
func FuzzEscapeLabel(f *testing.F) {
	f.Add("foo.bar")
	f.Add("9_é\x00")
	f.Fuzz(func(t *testing.T, name string) {
		for _, s := range schemes() {
			got := escapeLabel(name, s)
			if name != "" && !isPlainLabel(got) {
				t.Errorf("%q under %v is %q, which is not plain", name, s, got)
			}
			if isPlainLabel(name) || name == "" || strings.Contains(name, ":") {
				continue
			}
			if want := model.EscapeName(name, s); got != want {
				t.Errorf("%q under %v: got %q, want %q", name, s, got, want)
			}
		}
	})
}
