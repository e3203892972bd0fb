package holdfast

import (
	"errors"
	"strings"
	"testing"

	"holdfast/internal/exposition"
)

func TestSelectorSelects(t *testing.T) {
	key := NewKey(exposition.Label{Name: "job", Value: "backup"}, exposition.Label{Name: "instance", Value: "db-1\nx"}, exposition.Label{Name: "zone.name", Value: `a"b`})
	for _, c := range []struct {
		text string
		want bool
	}{
		{`{}`, true},
		{`{job="backup"}`, true},
		{`{ job = "backup" , }`, true},
		{`{job='backup',instance=~"db-.*"}`, true},
		{`{job="back"}`, false},
		{`{job=~"back"}`, false}, // anchored at both ends
		{`{job=~"back|up"}`, false},
		{`{job=~"back.*|up"}`, true},
		{`{job!~"back"}`, true},
		{`{job!="backup"}`, false},
		{`{absent=""}`, true},
		{`{absent!=""}`, false},
		{`{absent=~".*"}`, true},
		{`{job="\x62ackup"}`, true},
		{"{job=`backup`}", true},
		{`{"zone.name"="a\"b"}`, true},
		{`{'zone.name'='a"b'}`, true},
		{"{job!=`back\\x75p`}", true}, // no escapes in backticks
		{`{job=~"(?i)BACKUP"}`, true},
	} {
		s, err := ParseSelector(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := s.MatchesKey(key); got != c.want {
			t.Errorf("%s selects: %v, want %v", c.text, got, c.want)
		}
		if got := s.MatchesLabels(key.Labels()); got != c.want {
			t.Errorf("%s selects the labels: %v, want %v", c.text, got, c.want)
		}
		again, err := ParseSelector(s.String())
		if err != nil || again.String() != s.String() || again.MatchesKey(key) != c.want {
			t.Errorf("%s was written as %s, which reads as %s (%v)", c.text, s, again, err)
		}
	}
}

func TestSelectorOfNames(t *testing.T) {
	for _, c := range []struct {
		text, name string
		want       bool
	}{
		{`up`, "up", true},
		{`up`, "down", false},
		{`job:up:sum{job="a"}`, "job:up:sum", true},
		{`{"my.metric"}`, "my.metric", true},
		{`{"my.metric",job="a"}`, "my", false},
		{`{__name__=~"up|down"}`, "down", true},
		{`{__name__!~"up.*"}`, "upper", false},
		{`{job="a"}`, "whatever", true},
	} {
		s, err := ParseSelector(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := s.MatchesName(c.name); got != c.want {
			t.Errorf("%s selects %s: %v, want %v", c.text, c.name, got, c.want)
		}
	}
}

// A selector that is not PromQL is refused, with what is wrong and where.
func TestSelectorErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{``, `expected a metric name or {, found the end at character 1`},
		{`{`, `expected a label name or }, found the end at character 2`},
		{`{job`, `expected =, !=, =~ or !~, found the end at character 5`},
		{`{job=backup}`, `expected a quoted value, found 'b' at character 6`},
		{`{job=="a"}`, `expected a quoted value, found '=' at character 6`},
		{`{job="a"`, `expected , or }, found the end at character 9`},
		{`{job="a"} or up`, `expected the end, found 'o' at character 11`},
		{`{job="a}`, `the quoted text has no end at character 6`},
		{`{job=~"(a"}`, "the regular expression cannot be read"},
		{`{zone="ä",b=~"["}`, "missing closing ]: `[`) at character 14"},
		{`{job="\q"}`, `the escape cannot be read at character 7`},
		{`up{__name__="x"}`, "the metric name is given twice"},
		{`up{"down"}`, "the metric name is given twice"},
		{`up[5m]`, `expected the end, found '[' at character 3`},
		{`{1job="a"}`, `expected a label name or }, found '1' at character 2`},
		{"{job=\"\xff\"}", "it is not UTF-8"},
	} {
		_, err := ParseSelector(c.text)
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Kind != Malformed || refusal.Hint == "" || !strings.Contains(refusal.Message, c.want) {
			t.Errorf("%s: got %v, want a refusal with %q", c.text, err, c.want)
		}
	}
}

func TestSelectsAll(t *testing.T) {
	for text, want := range map[string]bool{
		`{}`: true, `{job=~".*"}`: true, `{absent=""}`: true, `{job!="a"}`: true, `{job=~".+"}`: false, `{job="a"}`: false, `up`: false, `{job!=""}`: false,
	} {
		s, err := ParseSelector(text)
		if err != nil || s.SelectsAll() != want {
			t.Errorf("%s selects all: %v (%v), want %v", text, s.SelectsAll(), err, want)
		}
	}
}
