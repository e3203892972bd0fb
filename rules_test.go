package holdfast

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"holdfast/internal/exposition"
)

func mustSelect(t testing.TB, texts ...string) []Selector {
	t.Helper()
	var all []Selector
	for _, text := range texts {
		s, err := ParseSelector(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// keyOfPairs makes a key of names and values in turn.
func keyOfPairs(pairs ...string) Key {
	var labels exposition.Labels
	for i := 0; i < len(pairs); i += 2 {
		labels = append(labels, exposition.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	return NewKey(labels...)
}

func TestRulesFirstMatchCounts(t *testing.T) {
	texts := []string{
		`{job="exact"}`, `{job=~"ci-.*",host!=""}`, `{job=~"ci-.*"}`, `{job=~"a|b"}`, `{team="x"}`, `{job=~".*-nightly"}`,
		`{job=~"(?i)upper"}`, `{job="exact"}`, `{host=""}`, `{job=~"ci-x"}`,
	}
	var rules []Rule
	for _, text := range texts {
		rules = append(rules, Rule{Match: mustSelect(t, text)})
	}
	r := NewRules(rules...)
	for _, c := range []struct {
		key  Key
		want int
	}{
		{keyOfPairs("job", "exact"), 0},
		{keyOfPairs("job", "ci-x", "host", "h"), 1},
		{keyOfPairs("job", "ci-x"), 2},
		{keyOfPairs("job", "ci-"), 2},
		{keyOfPairs("job", "a", "host", "h"), 3},
		{keyOfPairs("job", "b", "team", "x"), 3},
		{keyOfPairs("job", "ab", "team", "x"), 4},
		{keyOfPairs("job", "db-nightly", "host", "h"), 5},
		{keyOfPairs("job", "UPPER", "host", "h"), 6},
		{keyOfPairs("job", "none"), 8},
		{keyOfPairs("job", "none", "host", "h"), -1},
		{keyOfPairs("job", "c", "host", "h"), -1},
	} {
		rule := r.For(c.key)
		got := slices.IndexFunc(r.rules, func(known Rule) bool { return rule != nil && &known.Match[0] == &rule.Match[0] })
		if got != c.want {
			t.Errorf("%v: got rule %d, want %d", c.key, got, c.want)
		}
	}
}

func TestRuleOfSeveralSelectors(t *testing.T) {
	r := NewRules(Rule{Match: mustSelect(t, `{job="a"}`, `{job=~"b.*"}`, `{team!=""}`)})
	for key, want := range map[Key]bool{
		keyOfPairs("job", "a"): true, keyOfPairs("job", "bb"): true, keyOfPairs("job", "c", "team", "t"): true, keyOfPairs("job", "c"): false,
	} {
		if got := r.For(key) != nil; got != want {
			t.Errorf("%v: matched is %v", key, got)
		}
	}
	var none *Rules
	if none.For(keyOfPairs("job", "a")) != nil || none.Len() != 0 || r.Len() != 1 {
		t.Error("no rules match something")
	}
}

// TestRulesAgainstAScan compares the index with trying all rules in turn.
func TestRulesAgainstAScan(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	words := []string{"a", "ab", "abc", "b", "b.c", "c"}
	word := func() string { return words[rnd.IntN(len(words))] }
	labels := []string{"job", "host", "team"}
	for range 100 {
		var rules []Rule
		for range 12 {
			var texts []string
			for range 1 + rnd.IntN(2) {
				text := "{"
				for range 1 + rnd.IntN(2) {
					op := []string{"=", "!=", "=~", "!~"}[rnd.IntN(4)]
					value := word()
					if op == "=~" || op == "!~" {
						value = []string{value, value + ".*", value + "|" + word(), ".*" + value, value + "?" + word(), "(" + word() + "|" + value + ")x*"}[rnd.IntN(6)]
					}
					text += fmt.Sprintf("%s%s%q,", labels[rnd.IntN(3)], op, value)
				}
				texts = append(texts, text+"}")
			}
			rules = append(rules, Rule{Match: mustSelect(t, texts...)})
		}
		r := NewRules(rules...)
		for range 50 {
			key := keyOfPairs("job", word())
			if rnd.IntN(2) == 0 {
				key = keyOfPairs("job", word(), "host", word(), "team", word())
			}
			want := slices.IndexFunc(rules, func(r Rule) bool { return r.matches(key) })
			got := r.index.first(key, func(i int) bool { return r.rules[i].matches(key) })
			if got != want {
				t.Fatalf("%v: got rule %d, want %d of %v", key, got, want, rules)
			}
		}
	}
}

func TestRulesOverlayTerms(t *testing.T) {
	minutes := func(n int) *time.Duration { return new(time.Duration(n) * time.Minute) }
	r := NewRules(Rule{
		Match: mustSelect(t, `{job="a"}`), Terms: Terms{TTL: minutes(30), Mode: new(Upsert)},
		TTL: Bounds{Min: minutes(10), Max: minutes(60)}, Every: Bounds{Min: minutes(1)},
	})
	a := keyOfPairs("job", "a")
	for _, c := range []struct {
		name       string
		said       Terms
		ttl, every time.Duration // -1 for not said
	}{
		{"nothing said", Terms{}, 30 * time.Minute, -1},
		{"within the bounds", Terms{TTL: minutes(20), Every: minutes(2)}, 20 * time.Minute, 2 * time.Minute},
		{"below", Terms{TTL: minutes(1), Every: new(time.Second)}, 10 * time.Minute, time.Minute},
		{"above", Terms{TTL: minutes(61), Every: minutes(9999)}, time.Hour, 9999 * time.Minute},
		{"for ever", Terms{TTL: minutes(0), Every: minutes(0)}, time.Hour, 0},
	} {
		got := r.Terms(a, c.said)
		if *got.TTL != c.ttl || c.every < 0 && got.Every != nil || c.every >= 0 && *got.Every != c.every || *got.Mode != Upsert {
			t.Errorf("%s: got %v, %v, want %v, %v", c.name, *got.TTL, got.Every, c.ttl, c.every)
		}
	}
	if got := r.Terms(keyOfPairs("job", "b"), Terms{TTL: minutes(1)}); *got.TTL != time.Minute || got.Mode != nil {
		t.Errorf("a key without a rule: got %v", got)
	}
}

// BenchmarkPushUnderRules defends that 500 rules cost less than a twentieth of a push, that of 20 series to
// a gateway that keeps nothing on disk: compare cpu-ns/op.
func BenchmarkPushUnderRules(b *testing.B) {
	for _, n := range []int{0, 500} {
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) {
			g := newTestGateway(b, nil)
			var rules []Rule
			for i := range n {
				text := []string{`{job="team_%d"}`, `{job=~"team_%d_.*"}`, `{zone="eu-%d"}`}[i%3]
				rules = append(rules, Rule{Match: mustSelect(b, fmt.Sprintf(text, i))})
			}
			g.SetRules(NewRules(append(rules, Rule{Match: mustSelect(b, `{job=~"batch_.*"}`), Terms: Terms{TTL: new(time.Hour)}})...))
			families := batch(1)
			spent := cpuTime()
			for i := 0; b.Loop(); i++ {
				key := shapedKey(i%1000, 4)
				if err := g.Push(b.Context(), Push{Key: key, Families: families, Time: time.Now(), Terms: g.Terms(key, Terms{})}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((cpuTime()-spent).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
}

// BenchmarkRules defends that 500 rules cost a push next to nothing: the rule of a key is found in far less
// than the tens of microseconds that the smallest push takes.
func BenchmarkRules(b *testing.B) {
	for name, text := range map[string]string{
		"by value": `{job="team-%d"}`, "by prefix": `{job=~"team-%d-.*"}`, "by another label": `{job=~".+",team="t%d"}`,
	} {
		var rules []Rule
		for i := range 500 {
			rules = append(rules, Rule{Match: mustSelect(b, fmt.Sprintf(text, i))})
		}
		r := NewRules(rules...)
		for _, c := range []struct {
			found bool
			key   Key
		}{
			{true, keyOfPairs("instance", "host-17", "job", map[bool]string{true: "team-499-x", false: "team-499"}[name == "by prefix"], "team", "t499")},
			{false, keyOfPairs("instance", "host-17", "job", "backup", "team", "none")},
		} {
			b.Run(fmt.Sprintf("%s/found %v", name, c.found), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if found := r.For(c.key) != nil; found != c.found {
						b.Fatalf("found is %v", found)
					}
				}
			})
		}
	}
}
