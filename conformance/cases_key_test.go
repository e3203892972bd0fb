package conformance

import (
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestKeys holds how a path names a group: labels for an accepted path, else the first line of the 400,
// which a DELETE gets too.
func TestKeys(t *testing.T) {
	foo := func(more ...string) map[string]string { return labelMap(append([]string{"job", "foo"}, more...)) }
	holdKeys(t, open(t, defaultMode), []keyCase{
		{"/job/foo", foo(), ""},
		{"/job/foo/", foo(), ""},
		{"/job/foo/l/", foo("l", ""), ""},
		{"/job/foo/l@base64/", foo("l", ""), ""},
		{"/job/foo/l@base64/=", foo("l", ""), ""},
		{"/job/foo/a@base64/=/b/c", foo("a", "", "b", "c"), ""},
		{"/job/foo/l/%2e%2e", foo("l", ".."), ""},
		{"/job/foo/l/a+b", foo("l", "a+b"), ""},
		{"/job/foo/l/a%20b", foo("l", "a b"), ""},
		{"/job/foo/l/100%25", foo("l", "100%"), ""},
		{"/job/foo/l/%2541", foo("l", "%41"), ""},
		{"/job/foo/l/%E4%BD%9C%e4%b8%9a", foo("l", "作业"), ""},
		{"/job/foo/l%2Fv", foo("l", "v"), ""},
		{"/job/foo/l/1/l/2", foo("l", "2"), ""},
		{"/job/foo/job/bar", foo(), ""},
		{"/job/foo/U__a_2e_b/v", foo("U__a_2e_b", "v"), ""},
		{"/job/foo/le/1/quantile/0.5", foo("le", "1", "quantile", "0.5"), ""},
		{"/job@base64/Zm9v", foo(), ""},
		{"/job@base64/Zm9v====", foo(), ""},
		{"/job@base64/Zm9", labelMap([]string{"job", "fo"}), ""},
		{"/job@base64/L3Zhci90bXA", labelMap([]string{"job", "/var/tmp"}), ""},
		{"/job/foo/p@base64/Pz8_fn4-", foo("p", "???~~>"), ""},

		{"/job@base64/=", nil, "job name is required"},
		{"/job/foo/instance", nil, `odd number of components in label string "/instance"`},
		{"/job/foo/path/a%2Fb", nil, `odd number of components in label string "/path/a/b"`},
		{"/job/foo/a/b/", nil, `odd number of components in label string "/a/b/"`},
		{"/job/foo/a.b/1", nil, `improper label name "a.b"`},
		{"/job/foo/__x/1", nil, `improper label name "__x"`},
		{"/job/foo/1a/1", nil, `improper label name "1a"`},
		{"/job/foo/a%20b/1", nil, `improper label name "a b"`},
		{"/job/foo/@base64/1", nil, `improper label name ""`},
		{"/job/foo/l@BASE64/1", nil, `improper label name "l@BASE64"`},
		{"/job/foo/l@base64@base64/1", nil, `improper label name "l@base64"`},
		{"/job/foo/l@base64/a.b", nil, `invalid base64 encoding for label l="a.b": illegal base64 data at input byte 1`},
		{"/job/foo/l@base64/a+b", nil, `invalid base64 encoding for label l="a+b": illegal base64 data at input byte 1`},
		{"/job@base64/Zm9v!", nil, `invalid base64 encoding in job name "foo": illegal base64 data at input byte 4`},
		{"/job@base64/!", nil, `invalid base64 encoding in job name "": illegal base64 data at input byte 0`},
		{"/job@base64/!/a.b/1", nil, `invalid base64 encoding in job name "": illegal base64 data at input byte 0`},
	})
}

// TestUTF8Keys: what names mean once any UTF-8 is allowed.
func TestUTF8Keys(t *testing.T) {
	foo := func(more ...string) map[string]string { return labelMap(append([]string{"job", "foo"}, more...)) }
	holdKeys(t, open(t, utf8Mode), []keyCase{
		{"/job/foo/%C3%A9/1", foo("é", "1"), ""},
		{"/job/foo/a.b/1", foo("a.b", "1"), ""},
		{"/job/foo/U__a_2e_b/1", foo("a.b", "1"), ""},
		{"/job/foo/U__a_2E_b@base64/Zm8", foo("a.b", "fo"), ""},
		{"/job/foo/U__a__b/1", foo("a_b", "1"), ""},
		{"/job/foo/U__in_xxx_valid/1", foo("U__in_xxx_valid", "1"), ""},
		{"/job/foo/1a/1", foo("1a", "1"), ""},
		{"/job/foo/a@b/1", foo("a@b", "1"), ""},
		{"/job/foo/__x/1", nil, `improper label name "__x"`},
		{"/job/foo/a%FF/1", nil, `improper label name "a\xff"`},
		{"/job/foo/U__/1", nil, `improper label name "U__"`},
	})
}

type keyCase struct {
	path   string // below /metrics
	labels map[string]string
	says   string
}

func labelMap(flat []string) map[string]string {
	labels := map[string]string{}
	for _, p := range pairs(flat) {
		labels[p.GetName()] = p.GetValue()
	}
	return labels
}

func holdKeys(t *testing.T, g *target, cases []keyCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.path, func(t *testing.T) {
			g.wipe(t)
			r := put("/metrics"+c.path, "x 1\n")
			if c.says != "" {
				holdBadKey(t, g, r.path, c.says)
				return
			}
			g.accept(t, r)
			held := g.groups(t)
			if len(held) != 1 {
				t.Fatalf("%d groups, want 1", len(held))
			}
			want := map[string]any{}
			for name, value := range c.labels {
				want[name] = value
			}
			if diff := cmp.Diff(want, held[0]["labels"]); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
			g.accept(t, remove(r.path))
			eventually(t, "DELETE finds the group that PUT made", func() bool { return len(g.groups(t)) == 0 })
		})
	}
}

func holdBadKey(t *testing.T, g *target, path, says string) {
	t.Helper()
	for _, method := range []string{http.MethodPut, http.MethodPost, http.MethodDelete} {
		got := g.do(t, text(method, path, "x 1\n"))
		if line := firstLine(string(got.body)); got.status != http.StatusBadRequest || line != says {
			t.Errorf("%s: %d %q, want 400 %q", method, got.status, line, says)
		}
		if kind := got.header.Get("Content-Type"); kind != plainText {
			t.Errorf("%s: content type %q", method, kind)
		}
	}
	if held := g.groups(t); len(held) != 0 {
		t.Errorf("a bad path left %v", held)
	}
}

// TestKeyIdentity: other spellings of one key address one group, other label sets are other groups.
func TestKeyIdentity(t *testing.T) {
	g := open(t, defaultMode)
	g.wipe(t)
	value := base64.URLEncoding.EncodeToString([]byte("a/b"))
	g.accept(t,
		put("/metrics/job/j/a/1/b/2", "x 1\n"), put("/metrics/job/j/b/2/a/1", "x 2\n"),
		put("/metrics/job@base64/ag/b@base64/Mg/a@base64/MQ==", "x 3\n"),
		put("/metrics/job/j/p@base64/"+value, "x 4\n"),
		put("/metrics/job/j/instance/i", "x 5\n"),
		put("/metrics/job/j", "x 6\n"))
	if held := g.groups(t); len(held) != 4 {
		t.Errorf("%d groups, want 4: %v", len(held), held)
	}
	g.scrape(t).serves(t, `x{a="1",b="2",instance="",job="j"} 3`, `x{instance="",job="j",p="a/b"} 4`,
		`x{instance="i",job="j"} 5`, `x{instance="",job="j"} 6`)
}
