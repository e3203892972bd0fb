package holdfast

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

func TestUpsert(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, _ *heldEngine) {
		accept(t, pushText(t, g, "a", Upsert, "", "# HELP x old\nx{i=\"1\"} 1\nx{i=\"2\"} 2\ny 1\n"))
		advance(time.Second)
		accept(t, pushText(t, g, "a", Upsert, "", "# HELP x new\nx{i=\"2\"} 22\nx{i=\"3\"} 33\n"))
		want := `x{i="1",instance="",job="a"} 1
x{i="2",instance="",job="a"} 22
x{i="3",instance="",job="a"} 33
`
		if got := scraped(t, g, "x{"); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
		if got := scraped(t, g, "y{"); !strings.HasSuffix(got, " 1\n") {
			t.Errorf("the family that was not pushed is %q", got)
		}
		accept(t, pushText(t, g, "a", ReplaceFamily, "", "x{i=\"9\"} 9\n"))
		if got := scraped(t, g, "x{"); got != "x{i=\"9\",instance=\"\",job=\"a\"} 9\n" {
			t.Errorf("POST after it: got %q, want the pushed series alone", got)
		}
	})
}

func TestUpsertOfNothingRenews(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, _ *heldEngine) {
		accept(t, pushText(t, g, "a", ReplaceGroup, "", "x 1\n"))
		before := scraped(t, g, pushTimeName)
		advance(time.Minute)
		accept(t, pushText(t, g, "a", Upsert, "", ""))
		if scraped(t, g, pushTimeName) == before {
			t.Error("the push time has not moved")
		}
		if got := scraped(t, g, "x{"); got != "x{instance=\"\",job=\"a\"} 1\n" {
			t.Errorf("got %q, want it as it was", got)
		}
	})
}

func TestUpsertRefusesAnotherType(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, _ *heldEngine) {
		accept(t, pushText(t, g, "a", Upsert, "", "# TYPE x counter\nx{i=\"1\"} 1\n"))
		err := pushText(t, g, "a", Upsert, "", "# TYPE x gauge\nx{i=\"2\"} 1\n")
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Kind != Inconsistent || !strings.Contains(refusal.Message, "pushed as gauge, while the group holds it as counter") {
			t.Errorf("got %v, want a refusal that names both types", err)
		}
		if got := scraped(t, g, "x{"); got != "x{i=\"1\",instance=\"\",job=\"a\"} 1\n" {
			t.Errorf("got %q, want it as it was", got)
		}
		accept(t, pushText(t, g, "a", ReplaceFamily, "", "# TYPE x gauge\nx{i=\"2\"} 1\n"))
	})
}

func TestAdd(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, _ *heldEngine) {
		const text = `# TYPE c counter
c{i="1"} 2
# TYPE g gauge
g 5
# TYPE h histogram
h_bucket{le="1"} 1
h_bucket{le="+Inf"} 3
h_sum 7
h_count 3
`
		accept(t, pushText(t, g, "a", ReplaceGroup, "mode=add,gauge=max", text))
		accept(t, pushText(t, g, "a", ReplaceFamily, "mode=add,gauge=max", text))
		accept(t, pushText(t, g, "a", Add, "gauge=max", "# TYPE c counter\nc{i=\"2\"} 9\n# TYPE g gauge\ng 4\n"))
		want := `c{i="1",instance="",job="a"} 4
c{i="2",instance="",job="a"} 9
g{instance="",job="a"} 5
h_bucket{instance="",job="a",le="1"} 2
h_bucket{instance="",job="a",le="+Inf"} 6
h_sum{instance="",job="a"} 14
h_count{instance="",job="a"} 6
`
		var got string
		for _, name := range []string{"c{", "g{", "h_bucket", "h_sum", "h_count"} {
			got += scraped(t, g, name)
		}
		if got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	})
}

func TestAddRefuses(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, _ *heldEngine) {
		accept(t, pushText(t, g, "sum", Add, "", "# TYPE c counter\nc 1\n# TYPE g gauge\ng 1\n"))
		for text, reason := range map[string]string{
			"x 1\n":                     "untyped",
			"# TYPE c counter\nc -1\n":  "increment",
			"# TYPE c counter\nc NaN\n": "increment",
			"# TYPE c gauge\nc 1\n":     "type",
			"# TYPE g gauge\ng 2\n# TYPE c counter\nc -1\n": "increment",
		} {
			var refusal *Refusal
			if err := pushText(t, g, "sum", Add, "", text); !errors.As(err, &refusal) || refusal.Kind != Inconsistent || refusal.Reason != reason || refusal.Hint == "" {
				t.Errorf("%q: got %v, want a refusal because of %s, with a hint", text, err, reason)
			}
		}
		if got := scraped(t, g, "c{") + scraped(t, g, "g{"); got != "c{instance=\"\",job=\"sum\"} 1\ng{instance=\"\",job=\"sum\"} 1\n" {
			t.Errorf("got %q, want nothing of the refused pushes", got)
		}
	})
}

// A group is either plain or adding, as long as it holds anything.
func TestModesDoNotMix(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, _ *heldEngine) {
		const text = "# TYPE c counter\nc 1\n"
		accept(t, pushText(t, g, "sum", Add, "", text))
		accept(t, pushText(t, g, "plain", ReplaceGroup, "", text))
		mixed := func(name string, mode Mode, text string) {
			t.Helper()
			var refusal *Refusal
			if err := pushText(t, g, name, mode, "", text); !errors.As(err, &refusal) || refusal.Kind != Mixing || refusal.Other != job(name) {
				t.Errorf("%s, mode %d: got %v, want a refusal that says how to delete the group", name, mode, err)
			}
		}
		mixed("plain", Add, text)
		mixed("sum", ReplaceGroup, text)
		mixed("sum", ReplaceGroup, "")
		mixed("sum", ReplaceFamily, text)
		mixed("sum", Upsert, text)
		accept(t, pushText(t, g, "sum", ReplaceFamily, "", ""))
		accept(t, pushText(t, g, "sum", Add, "", text))
		if got := scraped(t, g, `c{instance="",job="sum"}`); !strings.HasSuffix(got, " 2\n") {
			t.Errorf("got %q, want 2 after a heartbeat between", got)
		}
		accept(t, pushText(t, g, "plain", ReplaceGroup, "", ""))
		accept(t, pushText(t, g, "plain", Add, "", text))
		accept(t, g.Delete(t.Context(), job("sum")))
		accept(t, pushText(t, g, "sum", ReplaceGroup, "", text))
	})
}

func TestAddDropsLabels(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, _ *heldEngine) {
		families, err := exposition.DecodeText([]byte("# TYPE c counter\nc{pod=\"1\",z=\"a\"} 1\nc{pod=\"2\",z=\"a\"} 2\n"), model.LegacyValidation)
		accept(t, err)
		p := Push{Key: job("a"), Mode: Add, Families: families, Time: time.Now(), Terms: Terms{DropLabels: []string{"pod"}}}
		accept(t, g.Push(t.Context(), p))
		accept(t, g.Push(t.Context(), p))
		if got := scraped(t, g, "c{"); got != "c{instance=\"\",job=\"a\",z=\"a\"} 6\n" {
			t.Errorf("got %q, want 6 without pod", got)
		}
	})
}
