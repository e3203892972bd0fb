package conformance

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stamps are the two times of a group, as exposed.
type stamps struct{ pushed, failed string }

func (g *target) stamps(t *testing.T, labels string) stamps {
	t.Helper()
	var s stamps
	for _, line := range g.pageText(t) {
		if value, ok := strings.CutPrefix(line, "push_time_seconds{"+labels+"} "); ok {
			s.pushed = value
		}
		if value, ok := strings.CutPrefix(line, "push_failure_time_seconds{"+labels+"} "); ok {
			s.failed = value
		}
	}
	return s
}

const (
	groupPath   = "/metrics/job/j"
	groupLabels = `instance="",job="j"`
)

// effect is what a push does to the group {job="j"}.
type effect struct {
	name           string
	before         []request
	send           request
	status         int
	samples        []string // all of the group's but the times
	pushed, failed string   // "moved", "kept" or "0"; "" where there is no group
}

// TestEffects holds the matrix of methods against what is stored.
func TestEffects(t *testing.T) {
	old := []request{put(groupPath, "x{a=\"1\"} 1\nx{a=\"2\"} 1\ny 1\n")}
	const y, x1 = `y{instance="",job="j"} 1`, `x{a="1",instance="",job="j"} 1`
	const x2, x3 = `x{a="2",instance="",job="j"} 1`, `x{a="3",instance="",job="j"} 3`
	const clash, stamped = "x{a=\"9\"} 1\nx{a=\"9\"} 2\n", "x 1 1000\n"
	g := open(t, defaultMode)
	for _, e := range []effect{
		{"put to none", nil, put(groupPath, "x{a=\"3\"} 3\n"), 200, []string{x3}, "moved", "0"},
		{"post to none", nil, post(groupPath, "x{a=\"3\"} 3\n"), 200, []string{x3}, "moved", "0"},
		{"empty put to none", nil, put(groupPath, ""), 200, nil, "moved", "0"},
		{"empty post to none", nil, post(groupPath, ""), 200, nil, "moved", "0"},
		{"put", old, put(groupPath, "x{a=\"3\"} 3\n"), 200, []string{x3}, "moved", "0"},
		{"post replaces families whole", old, post(groupPath, "x{a=\"3\"} 3\n"), 200, []string{x3, y}, "moved", "0"},
		{"empty put", old, put(groupPath, ""), 200, nil, "moved", "0"},
		{"empty post", old, post(groupPath, "\n"), 200, []string{x1, x2, y}, "moved", "0"},
		{"refused put", old, put(groupPath, clash), 400, []string{x1, x2, y}, "kept", "moved"},
		{"refused post", old, post(groupPath, clash), 400, []string{x1, x2, y}, "kept", "moved"},
		{"refused put to none", nil, put(groupPath, clash), 400, nil, "0", "moved"},
		{"timestamp", old, put(groupPath, stamped), 400, []string{x1, x2, y}, "kept", "moved"},
		{"timestamp to none", nil, post(groupPath, stamped), 400, nil, "0", "moved"},
		{"unreadable", old, put(groupPath, "x"), 400, []string{x1, x2, y}, "kept", "0"},
		{"unreadable to none", nil, put(groupPath, "x"), 400, nil, "", ""},
		{"delete", old, remove(groupPath), 202, nil, "", ""},
		{"delete of none", nil, remove(groupPath), 202, nil, "", ""},
		{"delete with a body", old, text(http.MethodDelete, groupPath, "x 1\n"), 202, nil, "", ""},
		{"delete of another", old, remove(groupPath + "/instance/"), 202, []string{x1, x2, y}, "kept", "0"},
	} {
		t.Run(e.name, func(t *testing.T) { e.hold(t, g) })
	}
}

func (e effect) hold(t *testing.T, g *target) {
	g.wipe(t)
	g.accept(t, e.before...)
	before := g.stamps(t, groupLabels)
	if got := g.do(t, e.send); got.status != e.status {
		t.Fatalf("status %d, want %d; body %.300q", got.status, e.status, got.body)
	}
	settled(t, g)
	after := g.stamps(t, groupLabels)
	if got := moved(before.pushed, after.pushed); got != e.pushed {
		t.Errorf("push time %q after %q: %q, want %q", after.pushed, before.pushed, got, e.pushed)
	}
	if got := moved(before.failed, after.failed); got != e.failed {
		t.Errorf("failure time %q after %q: %q, want %q", after.failed, before.failed, got, e.failed)
	}
	var samples []string
	for _, line := range g.scrape(t).samples {
		if name := nameOf(line); name != "#" && !isTime(name) {
			samples = append(samples, line)
		}
	}
	if diff := cmp.Diff(e.samples, samples); diff != "" {
		t.Errorf("samples (-want +got):\n%s", diff)
	}
}

func moved(before, after string) string {
	switch after {
	case "", "0":
		return after
	case before:
		return "kept"
	}
	return "moved"
}

// TestFailureTimeStays: a success does not reset it, and neither time ever leaves by a PUT.
func TestFailureTimeStays(t *testing.T) {
	g := open(t, defaultMode)
	g.wipe(t)
	if got := g.do(t, put(groupPath, "x 1 1000\n")); got.status != 400 ||
		firstLine(string(got.body)) != inconsistentPrefix+"pushed metrics must not have timestamps" {
		t.Fatalf("a timestamp: %d %q", got.status, got.body)
	}
	failed := g.stamps(t, groupLabels)
	g.accept(t, put(groupPath, ""), post(groupPath, "x 1\n"), put(groupPath, "y 1\n"))
	after := g.stamps(t, groupLabels)
	if failed.pushed != "0" || after.failed != failed.failed || after.pushed <= failed.failed {
		t.Errorf("times %+v, then %+v", failed, after)
	}
}

// TestReadYourWrites: what was answered with 200 is in the next scrape, and a DELETE before a PUT does not
// overtake it.
func TestReadYourWrites(t *testing.T) {
	g := open(t, defaultMode)
	g.wipe(t)
	for _, value := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
		g.accept(t, remove(groupPath), put(groupPath, "x "+value+"\n"))
		g.scrape(t).serves(t, `x{instance="",job="j"} `+value)
	}
}

// TestScrapeSeesPushesWhole: all families of a push change in one step.
func TestScrapeSeesPushesWhole(t *testing.T) {
	g := open(t, defaultMode)
	g.wipe(t)
	names := []string{"a_first", "m_middle", "z_last"}
	bodies := [2]string{}
	for i, value := range []string{"1", "2"} {
		for _, name := range names {
			bodies[i] += name + " " + value + "\n"
		}
	}
	g.accept(t, put(groupPath, bodies[0]))
	failed := make(chan error, 1)
	go func() {
		for i := range 200 {
			if _, err := g.exchange(put(groupPath, bodies[i%2])); err != nil {
				failed <- err
				break
			}
		}
		close(failed)
	}()
	for pushing := true; pushing; {
		select {
		case err := <-failed:
			if err != nil {
				t.Fatal(err)
			}
			pushing = false
		default:
		}
		seen := map[string]bool{}
		for _, line := range g.pageText(t) {
			if _, value, ok := strings.Cut(line, "{"+groupLabels+"} "); ok && !isTime(nameOf(line)) {
				seen[value] = true
			}
		}
		if len(seen) != 1 {
			t.Fatalf("a scrape saw values %v of one push", seen)
		}
	}
}
