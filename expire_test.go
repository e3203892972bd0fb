package holdfast

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

// pushText pushes text to the group of a job under the terms that options say.
func pushText(t *testing.T, g *Gateway, name string, mode Mode, options, text string) error {
	t.Helper()
	families, err := exposition.DecodeText([]byte(text), model.LegacyValidation)
	if err != nil {
		t.Fatal(err)
	}
	p := Push{Key: job(name), Mode: mode, Families: families, Time: time.Now()}
	if options != "" {
		if p.Terms, err = ParseTerms(options); err != nil {
			t.Fatal(err)
		}
	}
	return g.Push(t.Context(), p)
}

// scraped returns the sample lines of a scrape that hold a text.
func scraped(t *testing.T, g *Gateway, part string) string {
	t.Helper()
	var page strings.Builder
	if err := g.Scrape(t.Context(), &page, ScrapeOptions{Format: exposition.Format{}}); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(page.String()) {
		if strings.Contains(line, part) && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// expires runs a test on a gateway whose engine takes all, under fake time.
func expires(t *testing.T, test func(t *testing.T, g *Gateway, e *heldEngine)) {
	inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
		close(e.answers)
		test(t, g, e)
	})
}

func TestGroupExpires(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, _ *heldEngine) {
		accept(t, pushText(t, g, "a", ReplaceGroup, "ttl=60s", "x 1\n"))
		accept(t, pushText(t, g, "stays", ReplaceGroup, "", "x 1\n"))
		advance(60*time.Second - 1)
		if got := scraped(t, g, `job="a"`); !strings.Contains(got, "x{") {
			t.Errorf("gone before its time: %q", got)
		}
		advance(1)
		if got := scraped(t, g, `job="a"`); got != "" {
			t.Errorf("there after its time: %q", got)
		}
		if got := scraped(t, g, `job="stays"`); !strings.Contains(got, "x{") {
			t.Errorf("the other group is gone too: %q", got)
		}
		if n := testutil.ToFloat64(g.meters.expired); n != 1 {
			t.Errorf("%v expired groups counted, want 1", n)
		}
	})
}

// Each accepted push renews, a refused one does not, and the last one's terms count.
func TestExpiryIsRenewed(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, _ *heldEngine) {
		accept(t, pushText(t, g, "a", ReplaceGroup, "ttl=60s", "x 1\n"))
		advance(59 * time.Second)
		accept(t, pushText(t, g, "a", ReplaceFamily, "ttl=60s", ""))
		advance(59 * time.Second)
		if pushText(t, g, "a", ReplaceFamily, "ttl=60s", "x 1 1\n") == nil {
			t.Fatal("a timestamp was accepted")
		}
		if got := scraped(t, g, "x{"); got == "" {
			t.Error("gone although it was renewed")
		}
		advance(time.Second)
		if got := scraped(t, g, `job="a"`); got != "" {
			t.Errorf("a refused push renewed it: %q", got)
		}
		accept(t, pushText(t, g, "a", ReplaceGroup, "ttl=60s", "x 1\n"))
		accept(t, pushText(t, g, "a", ReplaceGroup, "", "x 1\n"))
		advance(time.Hour)
		if got := scraped(t, g, "x{"); got == "" {
			t.Error("gone although its last push set no time to live")
		}
	})
}

func TestExpiryKeepsPushTime(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, _ *heldEngine) {
		terms := Terms{TTL: new(time.Minute), KeepPushTime: new(time.Hour), Every: new(30 * time.Second)}
		families, _ := exposition.DecodeText([]byte("x 1\n"), model.LegacyValidation)
		accept(t, g.Push(t.Context(), Push{Key: job("a"), Families: families, Time: time.Now(), Terms: terms}))
		advance(time.Minute)
		if got := scraped(t, g, "x{"); got != "" {
			t.Errorf("what was pushed is there after its time: %q", got)
		}
		for _, name := range []string{pushTimeName, failureTimeName, expectedName} {
			if got := scraped(t, g, name); got == "" {
				t.Errorf("%s is gone", name)
			}
		}
		if got := scraped(t, g, overdueName); !strings.HasSuffix(got, " 1\n") {
			t.Errorf("got %q, want it overdue", got)
		}
		advance(time.Hour - 1)
		if got := scraped(t, g, pushTimeName); got == "" {
			t.Error("the push time is gone before its time")
		}
		advance(1)
		if got := scraped(t, g, `job="a"`); got != "" {
			t.Errorf("there after all its time: %q", got)
		}
		accept(t, pushText(t, g, "a", ReplaceFamily, "", "x 2\n"))
		advance(24 * time.Hour)
		if got := scraped(t, g, "x{"); !strings.HasSuffix(got, " 2\n") {
			t.Errorf("got %q after it came back, want its new value", got)
		}
	})
}

// An engine that is away delays expiry, and loses nothing.
func TestExpiryWaitsForTheEngine(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
		go func() { e.answers <- nil }()
		accept(t, pushText(t, g, "a", ReplaceGroup, "ttl=60s", "x 1\n"))
		go func() { e.answers <- errors.New("broken disk") }()
		advance(time.Minute)
		if got := scraped(t, g, "x{"); got == "" {
			t.Error("gone although the engine did not keep that")
		}
		close(e.answers)
		advance(failureInterval)
		if got := scraped(t, g, `job="a"`); got != "" {
			t.Errorf("still there once the engine works: %q", got)
		}
	})
}

func TestManyGroupsExpireInFewCommits(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, e *heldEngine) {
		const groups = 2500
		for i := range groups {
			accept(t, pushText(t, g, fmt.Sprintf("%04d", i*7%groups), ReplaceGroup, "ttl=60s", "x 1\n"))
		}
		before := len(e.committed())
		advance(time.Minute)
		if got := scraped(t, g, "x{"); got != "" {
			t.Errorf("%d lines left", strings.Count(got, "\n"))
		}
		if commits := len(e.committed()) - before; commits > 3 {
			t.Errorf("%d commits to expire %d groups, want 3", commits, groups)
		}
		var gone []string
		for _, c := range e.committed()[before:] {
			for _, change := range c.Changes {
				gone = append(gone, change.Key)
			}
		}
		if !slices.IsSorted(gone) {
			t.Error("the groups did not leave in the order of their keys, in which they stand in pages and engines")
		}
	})
}

func TestOverdue(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, e *heldEngine) {
		accept(t, pushText(t, g, "a", ReplaceGroup, "every=24h", "x 1\n# TYPE push_overdue gauge\npush_overdue 7\n"))
		if got, want := scraped(t, g, expectedName), expectedName+`{instance="",job="a"} 86400`+"\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		advance(24*time.Hour - 1)
		if got, want := scraped(t, g, overdueName), overdueName+`{instance="",job="a"} 0`+"\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		commits := len(e.committed())
		advance(1)
		if got, want := scraped(t, g, overdueName), overdueName+`{instance="",job="a"} 1`+"\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if len(e.committed()) != commits {
			t.Error("that a group is overdue was given to the engine")
		}
		accept(t, pushText(t, g, "a", ReplaceFamily, "every=24h", ""))
		if got, want := scraped(t, g, overdueName), overdueName+`{instance="",job="a"} 0`+"\n"; got != want {
			t.Errorf("after the next push: got %q, want %q", got, want)
		}
	})
}

// Without a word about it, families of these names are like any others, before and after.
func TestFreshnessNamesAreFreeWithoutEvery(t *testing.T) {
	expires(t, func(t *testing.T, g *Gateway, _ *heldEngine) {
		accept(t, pushText(t, g, "a", ReplaceGroup, "every=24h", "x 1\n"))
		accept(t, pushText(t, g, "a", ReplaceFamily, "", "y 1\n"))
		if got := scraped(t, g, "push_overdue") + scraped(t, g, expectedName); got != "" {
			t.Errorf("still there without every: %q", got)
		}
		accept(t, pushText(t, g, "a", ReplaceFamily, "", "push_overdue 7\n"))
		accept(t, pushText(t, g, "a", ReplaceFamily, "", "y 2\n"))
		if got := scraped(t, g, "push_overdue"); !strings.HasSuffix(got, " 7\n") {
			t.Errorf("got %q, want what was pushed", got)
		}
	})
}

func accept(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// advance lets time pass and what is due then happen.
func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
