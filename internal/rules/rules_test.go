package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/exposition"
)

const complete = `# All that a file can say.
restart_grace: 10m
rules:
  - match: '{job=~"ci-.*",host!=""}'
    ttl: 6h
    every: 1d12h
    keep_push_time: 7d
    mode: add
    gauge: max
    drop_labels: [instance, pod]
    timestamps: strip
    text: lenient
    min: {ttl: 10s, every: 1m}
    max: {ttl: 30d}
  - match:
      - '{job="flink"}'
      - '{team="data"}'
    ttl: 0
    timestamps: reject
`

func jobKey(pairs ...string) holdfast.Key {
	var labels exposition.Labels
	for i := 0; i < len(pairs); i += 2 {
		labels = append(labels, exposition.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	return holdfast.NewKey(labels...)
}

func TestParse(t *testing.T) {
	r, err := Parse("f.yaml", []byte(complete))
	if err != nil {
		t.Fatal(err)
	}
	if r.Len() != 2 || *r.RestartGrace != 10*time.Minute {
		t.Errorf("got %d rules, grace %v", r.Len(), r.RestartGrace)
	}
	first := r.For(jobKey("job", "ci-a", "host", "h"))
	terms := first.Terms
	if *terms.TTL != 6*time.Hour || *terms.Every != 36*time.Hour || *terms.KeepPushTime != 7*24*time.Hour ||
		*terms.Mode != holdfast.Add || *terms.Gauge != exposition.GaugeMax || strings.Join(terms.DropLabels, " ") != "instance pod" ||
		!*terms.Strip || !*terms.Lenient {
		t.Errorf("got terms %+v", terms)
	}
	if *first.TTL.Min != 10*time.Second || *first.TTL.Max != 30*24*time.Hour || *first.Every.Min != time.Minute || first.Every.Max != nil {
		t.Errorf("got bounds %+v, %+v", first.TTL, first.Every)
	}
	second := r.For(jobKey("job", "x", "team", "data"))
	if second == nil || second != r.For(jobKey("job", "flink")) || *second.Terms.TTL != 0 || *second.Terms.Strip || second.Terms.Mode != nil {
		t.Errorf("got second rule %+v", second)
	}
	if r.For(jobKey("job", "ci-a")) != nil {
		t.Error("a key without host has a rule")
	}
}

func TestParseNothing(t *testing.T) {
	for _, text := range []string{"", "# only a comment\n", "---\n", "rules: []\n"} {
		if r, err := Parse("f.yaml", []byte(text)); err != nil || r.Len() != 0 || r.RestartGrace != nil {
			t.Errorf("%q: got %v, %v", text, r, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const rule = "rules:\n  - match: '{job=\"a\"}'\n    "
	for _, c := range []struct{ text, want string }{
		{"rules: [\n", "f.yaml:1:1: not YAML: "},
		{"a:\n\t- b\n", "f.yaml:2:1: not YAML: found character that cannot start any token"},
		{"rules: []\n---\nrules: []\n", "f.yaml:2:1: a second document"},
		{"- match: x\n", "f.yaml:1:1: the file has to be a mapping of keys to values, not a list"},
		{"just text\n", `f.yaml:1:1: the file has to be a mapping of keys to values, not "just text"`},
		{"rules: []\nrules: []\n", "f.yaml:2:1: key rules is given twice"},
		{"rule: []\n", `f.yaml:1:1: unknown key "rule" in the file; known are rules, restart_grace`},
		{"rules: {}\n", "f.yaml:1:8: rules has to be a list of rules, not a mapping"},
		{"rules:\n  - 5\n", `f.yaml:2:5: a rule has to be a mapping of keys to values, not "5"`},
		{"rules:\n  -\n", "a rule has to be a mapping of keys to values, not nothing"},
		{"rules:\n  - ttl: 5m\n", "f.yaml:2:5: a rule has no match: "},
		{"restart_grace: soon\n", `f.yaml:1:16: restart_grace: "soon" is no duration such as 90s, 24h or 7d`},
		{rule + "tll: 5m\n", `f.yaml:3:5: unknown key "tll" in a rule; known are match, ttl, every,`},
		{rule + "ttl: 90\n", `f.yaml:3:10: ttl: "90" is no duration`},
		{rule + "ttl: -5m\n", `f.yaml:3:10: ttl: "-5m" is no duration`},
		{rule + "ttl:\n", `ttl has to be a text, not nothing`},
		{rule + "ttl: [5m]\n", "f.yaml:3:10: ttl has to be a text, not a list"},
		{rule + "mode: sum\n", `f.yaml:3:11: mode: "sum" is none of add, replace-family, replace-group, upsert`},
		{rule + "gauge: avg\n", `f.yaml:3:12: gauge: "avg" is none of last, max, min, sum`},
		{rule + "timestamps: drop\n", `f.yaml:3:17: timestamps: "drop" is none of reject, strip`},
		{rule + "text: loose\n", `f.yaml:3:11: text: "loose" is none of lenient, strict`},
		{rule + "drop_labels: pod\n", `f.yaml:3:18: drop_labels has to be a list of label names, not "pod"`},
		{rule + "drop_labels: ['']\n", `f.yaml:3:19: "" is no label name`},
		{rule + "min: 5m\n", `f.yaml:3:10: min has to be a mapping of keys to values, not "5m"`},
		{rule + "min: {ttl: 0}\n", "f.yaml:3:10: min: a bound of 0 bounds nothing"},
		{rule + "min: {tt: 1m}\n", `f.yaml:3:11: unknown key "tt" in min; known are ttl, every`},
		{rule + "min: {ttl: 2h}\n    max: {ttl: 1h}\n", "f.yaml:2:5: the min of ttl, 2h, is above its max, 1h"},
		{rule + "ttl: 5m\n    min: {ttl: 1h}\n", "f.yaml:2:5: ttl is 5m, which is outside the min and max"},
		{rule + "every: 0\n    max: {every: 1h}\n", "f.yaml:2:5: every is 0s, which is outside the min and max"},
		{"rules:\n  - match: []\n", "f.yaml:2:12: match is an empty list"},
		{"rules:\n  - match: {job: a}\n", "f.yaml:2:12: match has to be a text, not a mapping"},
		{"rules:\n  - match: ['{job=\"a\"}', '{job=']\n", "f.yaml:2:26: match: selector "},
		{"rules:\n  - match: '{job=~\"(\"}'\n", "f.yaml:2:12: match: selector "},
		{"rules:\n  - match: 'up{job=\"a\"}'\n", "f.yaml:2:12: match: up{job=\"a\"} asks for a metric name"},
	} {
		_, err := Parse("f.yaml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %s", c.text, err, c.want)
		}
	}
}

func TestParseTellsAllProblems(t *testing.T) {
	_, err := Parse("f.yaml", []byte("rules:\n  - match: '{job='\n    ttl: x\n  - tll: 5m\n"))
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("got %v, want four lines", err)
	}
	_, err = Parse("f.yaml", []byte("rules:\n"+strings.Repeat("  - 5\n", 100)))
	if err == nil || strings.Count(err.Error(), "\n") != maxProblems-1 {
		t.Errorf("got %v, want %d lines", err, maxProblems)
	}
}

func TestParseFollowsAliases(t *testing.T) {
	r, err := Parse("f.yaml", []byte("rules:\n  - match: &m '{job=\"a\"}'\n    ttl: 1m\n    min: &b {ttl: 30s}\n  - match: [*m, '{job=\"b\"}']\n    min: *b\n"))
	if err != nil || r.Len() != 2 || *r.For(jobKey("job", "b")).TTL.Min != 30*time.Second {
		t.Errorf("got %v, %v", r, err)
	}
	if _, err := Parse("f.yaml", []byte("rules: &a\n  - *a\n")); err == nil {
		t.Error("a list that holds itself was taken")
	}
}

func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules.yaml")
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a missing file: got %v", err)
	}
	if err := os.WriteFile(file, []byte(complete), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := Load(file); err != nil || r.Len() != 2 {
		t.Errorf("got %v, %v", r, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(complete))
	f.Add([]byte("rules: &a [*a]\n"))
	f.Add([]byte("a: &a {<<: *a}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Parse("f.yaml", text)
		if err == nil {
			r.Terms(jobKey("job", "a"), holdfast.Terms{TTL: new(time.Minute)})
			return
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			if !strings.HasPrefix(line, "f.yaml:") {
				t.Fatalf("a problem without its place: %q", err)
			}
		}
	})
}
