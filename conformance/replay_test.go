package conformance

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const textAccept = "text/plain;version=0.0.4"

// TestReplay replays what was recorded of the reference and compares statuses, the first lines of
// refusals, the scrape, its HELP and the query API.
func TestReplay(t *testing.T) {
	for _, m := range modes(t) {
		t.Run(string(m), func(t *testing.T) {
			g := open(t, m)
			wording := 0
			for _, s := range loadScenarios(t, m) {
				t.Run(s.ID, func(t *testing.T) { wording += replay(t, g, s) })
			}
			t.Logf("%d refusals are worded otherwise than the reference's", wording)
		})
	}
}

// replay plays s and returns how many replies differ in words that bind nobody.
func replay(t *testing.T, g *target, s scenario) (wording int) {
	g.wipe(t)
	held := holding{}
	for i, step := range s.Steps {
		got := g.do(t, step.request())
		held.note(g.mode, step, got.status)
		if s.Scrape != http.StatusOK {
			continue // what the reference answered once it was poisoned binds nobody
		}
		if got.status != step.Status && !brokenPage(step) {
			t.Errorf("step %d, %s %s: status %d, want %d\n got: %.400q\nwant: %q",
				i+1, step.Method, step.Path, got.status, step.Status, got.body, step.Reply)
			continue
		}
		wording += compareReply(t, i, step, string(got.body))
	}
	scrape, served, api := settled(t, g)
	if scrape.status != http.StatusOK {
		t.Fatalf("final scrape: status %d, want 200: %.400q", scrape.status, scrape.body)
	}
	if s.Scrape != http.StatusOK {
		held.check(t, served, api)
		return wording
	}
	if diff := cmp.Diff(s.Samples, served.samples); diff != "" {
		t.Errorf("samples (-want +got):\n%s", diff)
	}
	compareHelp(t, s.Help, served.help, api)
	if diff := cmp.Diff(normalAPI(t, s.API), normalAPI(t, api)); diff != "" {
		t.Errorf("query API (-want +got):\n%s", diff)
	}
	return wording
}

// brokenPage recognises a slip of the recording: the reference ran without its assets, so that its page
// was a 500.
func brokenPage(s step) bool {
	return s.Method == http.MethodGet && s.Path == "/" && s.Status == http.StatusInternalServerError
}

// inconsistentPrefix starts the refusals whose further words differ from one reference to the next.
const inconsistentPrefix = "pushed metrics are invalid or inconsistent with existing metrics: "

// compareReply wants the first line of a refusal to be the reference's where that is deterministic, and
// returns 1 if other words differ.
func compareReply(t *testing.T, i int, want step, got string) int {
	if want.Method == http.MethodGet || want.Method == http.MethodHead {
		return 0
	}
	wantLine, gotLine := firstLine(want.Reply), firstLine(got)
	if len([]rune(want.Reply)) >= replyCut {
		gotLine = string([]rune(gotLine)[:min(len([]rune(gotLine)), len([]rune(wantLine)))])
	}
	if gotLine == wantLine {
		return 0
	}
	if strings.HasPrefix(wantLine, inconsistentPrefix) && strings.HasPrefix(gotLine, inconsistentPrefix) {
		t.Logf("step %d, %s %s: worded otherwise\n got: %q\nwant: %q", i+1, want.Method, want.Path, got, want.Reply)
		return 1
	}
	t.Errorf("step %d, %s %s: reply starts\n got: %q\nwant: %q", i+1, want.Method, want.Path, gotLine, wantLine)
	return 0
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// settled reads until two reads agree, for a gateway that applies deletes after it has answered them.
func settled(t *testing.T, g *target) (scrape answer, served page, api any) {
	t.Helper()
	last := ""
	eventually(t, "two reads agree", func() bool {
		scrape = g.get(t, "/metrics", map[string]string{"Accept": textAccept})
		served = normalPage(scrape.body)
		body := g.get(t, "/api/v1/metrics", nil).body
		if err := json.Unmarshal(body, &api); err != nil {
			t.Fatalf("query API: %v in %.400q", err, body)
		}
		groups, _ := api.(map[string]any)["data"].([]any)
		slices.SortFunc(groups, byJSON)
		now := strings.Join(served.samples, "\n") + canonical(groups)
		agree := now == last
		last = now
		return agree
	})
	return scrape, served, api
}

// compareHelp wants each exposed HELP to be one that was pushed, and one that a group still holds. No
// HELP is right only where a group holds none.
func compareHelp(t *testing.T, pushed map[string][]string, exposed map[string]string, api any) {
	t.Helper()
	held := heldHelp(api)
	for family, texts := range pushed {
		name := escapedName(family)
		if held[name] == nil || isOwn(name) || isTime(name) { // the gateway's own HELP wins there
			continue
		}
		got := unescapeHelp(exposed[name])
		if !slices.Contains(held[name], got) {
			t.Errorf("HELP of %s is %q, which no group holds: %q", name, got, held[name])
		}
		if got != "" && !slices.Contains(texts, got) && !slices.Contains(texts, exposed[name]) {
			t.Errorf("HELP of %s is %q, which was not pushed: %q", name, got, texts)
		}
	}
}

// heldHelp returns the HELP of each family in each group, by the family's exposed name.
func heldHelp(api any) map[string][]string {
	held := map[string][]string{}
	groups, _ := api.(map[string]any)["data"].([]any)
	for _, g := range groups {
		for name, f := range g.(map[string]any) {
			family, isFamily := f.(map[string]any)
			if metrics, _ := family["metrics"].([]any); isFamily && len(metrics) > 0 {
				help, _ := family["help"].(string)
				held[escapedName(name)] = append(held[escapedName(name)], help)
			}
		}
	}
	return held
}

func unescapeHelp(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n").Replace(s)
}
