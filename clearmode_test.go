package holdfast

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

// aggregate pushes text as to an aggregating gateway.
func aggregate(t *testing.T, g *Gateway, text string) error {
	t.Helper()
	families, err := exposition.DecodeText([]byte(text), model.LegacyValidation)
	if err != nil {
		t.Fatal(err)
	}
	return g.Push(t.Context(), Push{Key: job("a"), Mode: Add, Compatible: true, Families: families, Time: time.Now()})
}

func TestClearmode(t *testing.T) {
	for _, c := range []struct {
		name  string
		texts []string
		want  string
	}{
		{"none", []string{"# TYPE x counter\nx 1\n", "# TYPE x counter\nx 2\n"}, "x{instance=\"\",job=\"a\"} 3\n"},
		{"untyped", []string{"x 5\n", "x -9\n"}, "x{instance=\"\",job=\"a\"} -4\n"},
		{"gauge", []string{"# TYPE x gauge\nx 5\n", "# TYPE x gauge\nx 3\n"}, "x{instance=\"\",job=\"a\"} 3\n"},
		{
			"gauge that adds",
			[]string{"# TYPE x gauge\nx{clearmode=\"sum\"} 5\n", "# TYPE x gauge\nx{clearmode=\"aggregate\"} 3\n"},
			"x{instance=\"\",job=\"a\"} 8\n",
		},
		{"replace", []string{"# TYPE x counter\nx 5\n", "# TYPE x counter\nx{clearmode=\"replace\"} 3\n"}, "x{instance=\"\",job=\"a\"} 3\n"},
		{
			"replace beside add",
			[]string{"# TYPE x counter\nx{i=\"1\"} 5\nx{i=\"2\"} 5\n", "# TYPE x counter\nx{i=\"1\",clearmode=\"replace\"} 3\nx{i=\"2\"} 3\n"},
			"x{i=\"1\",instance=\"\",job=\"a\"} 3\nx{i=\"2\",instance=\"\",job=\"a\"} 8\n",
		},
		{
			"family",
			[]string{"# TYPE x gauge\nx{v=\"1\"} 1\nx{v=\"2\"} 1\n", "# TYPE x gauge\nx{v=\"3\",clearmode=\"family\"} 1\nx{v=\"4\"} 1\n"},
			"x{instance=\"\",job=\"a\",v=\"3\"} 1\nx{instance=\"\",job=\"a\",v=\"4\"} 1\n",
		},
		{"info", []string{"x{v=\"1\"} 1\n", "x{v=\"2\",clearmode=\"info\"} 1\n"}, "x{instance=\"\",job=\"a\",v=\"2\"} 1\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			expires(t, func(t *testing.T, g *Gateway, _ *heldEngine) {
				for _, text := range c.texts {
					accept(t, aggregate(t, g, text))
				}
				if got := scraped(t, g, "x{"); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
			})
		})
	}
}

func TestClearmodeRefuses(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, _ *heldEngine) {
		accept(t, aggregate(t, g, "# TYPE y counter\ny 1\n"))
		for _, c := range []struct{ text, reason, says string }{
			{"# TYPE x counter\nx{clearmode=\"mean5m\"} 1\n", clearmode, `unknown clearmode "mean5m"`},
			{"# TYPE x counter\nx{clearmode=\"sum\"} 1\nx{clearmode=\"replace\"} 1\n", exposition.ReasonDuplicate, "was collected before"},
			{"# TYPE y counter\ny 1\n# TYPE z counter\nz -1\n", exposition.ReasonIncrement, "would add -1"},
		} {
			var refusal *Refusal
			err := aggregate(t, g, c.text)
			if !errors.As(err, &refusal) || refusal.Reason != c.reason || !strings.Contains(refusal.Message, c.says) || refusal.Hint == "" {
				t.Errorf("%q: got %v", c.text, err)
			}
		}
		if got := scraped(t, g, "y{"); got != "y{instance=\"\",job=\"a\"} 1\n" {
			t.Errorf("a refused push left %s", got)
		}
	})
}

// Outside of that path the label is one like any other.
func TestClearmodeIsOnlyForTheCompatiblePath(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, _ *heldEngine) {
		accept(t, pushText(t, g, "a", Add, "", "# TYPE x counter\nx{clearmode=\"replace\"} 1\n"))
		if got := scraped(t, g, "x{"); got != "x{clearmode=\"replace\",instance=\"\",job=\"a\"} 1\n" {
			t.Errorf("got %s", got)
		}
	})
}
