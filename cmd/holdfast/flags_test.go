package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kingpin/v2"
	"github.com/google/go-cmp/cmp"
)

const flagsDoc = "../../docs/flags.md"

const flagsIntro = `# Flags of holdfast serve

Written by ` + "`go test ./cmd/holdfast -run TestFlagsDoc -update`" + ` from the flags themselves.

Names, defaults and meanings are the Pushgateway's where it has the flag. Write ` + "`--flag=value` or `--flag value`" + `;
a flag without a value is switched off by ` + "`--no-flag`" + `. An argument ` + "`@file`" + ` stands for the lines of that file.
`

// TestFlagsDoc compares docs/flags.md with the flags.
func TestFlagsDoc(t *testing.T) {
	want := describe(newFlags("holdfast"))
	if *update {
		if err := os.WriteFile(flagsDoc, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(flagsDoc)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is out of date, run this test with -update (-flags +file):\n%s", flagsDoc, diff)
	}
}

func describe(f *flags) string {
	var b strings.Builder
	b.WriteString(flagsIntro)
	group := ""
	for _, flag := range f.app.Model().Flags {
		if flag.Hidden {
			continue
		}
		if prefix, _, dotted := strings.Cut(flag.Name, "."); dotted && prefix != group {
			group = prefix
			fmt.Fprintf(&b, "\n## %s\n\n| flag | default | meaning |\n| --- | --- | --- |\n", group)
		} else if !dotted {
			continue
		}
		fmt.Fprintf(&b, "| `--%s` | %s | %s |\n", flag.Name, shownDefault(flag), strings.ReplaceAll(flag.Help, "|", `\|`))
	}
	return b.String()
}

func shownDefault(flag *kingpin.FlagModel) string {
	switch {
	case flag.IsBoolFlag():
		return "off"
	case len(flag.Default) == 0 || flag.Default[0] == "":
		return "none"
	}
	return "`" + strings.Join(flag.Default, ", ") + "`"
}

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "1": 1, "1048576": 1 << 20, "64MiB": 64 << 20, "1KB": 1 << 10, "1.5GiB": 3 << 29} {
		var s size
		if err := s.Set(text); err != nil || int64(s) != want {
			t.Errorf("size %q is %d, %v; want %d", text, s, err, want)
		}
	}
	for _, text := range []string{"", "x", "1 MiB", "-1", "-1KiB", "99999999999999999999"} {
		var s size
		if err := s.Set(text); err == nil {
			t.Errorf("size %q is %d, want an error", text, s)
		}
	}
}

func TestRoutePrefix(t *testing.T) {
	for _, c := range []struct{ prefix, external, wantRoutes, wantLinks string }{
		{"", "", "", ""},
		{"/", "", "", ""},
		{"foo/", "", "/foo", ""},
		{"/a/b/", "", "/a/b", ""},
		{"", "http://x/pgw/", "/pgw", "/pgw"},
		{"", "http://x", "", ""},
		{"/", "http://x/pgw/", "", "/pgw"},
		{"/foo", "http://x/pgw", "/foo", "/pgw"},
	} {
		f := newFlags("holdfast")
		if err := f.parse([]string{"--web.route-prefix=" + c.prefix, "--web.external-url=" + c.external}); err != nil {
			t.Fatal(err)
		}
		if f.routePrefix != c.wantRoutes || f.externalPath() != c.wantLinks {
			t.Errorf("prefix %q, external URL %q: routes at %q, links to %q; want %q, %q",
				c.prefix, c.external, f.routePrefix, f.externalPath(), c.wantRoutes, c.wantLinks)
		}
	}
}
