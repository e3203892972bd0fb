package holdfast

import (
	"errors"
	"strings"
	"testing"
	"time"
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
