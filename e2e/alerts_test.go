package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAlerts lets promtool check the shipped alerts and what each of them does.
func TestAlerts(t *testing.T) {
	promtool := need(t, "promtool", "prometheus")
	if said := run(t, "", promtool, "check", "rules", "../docs/alerts.yaml"); !strings.Contains(said, "6 rules found") {
		t.Errorf("promtool check rules: %s", said)
	}
	if said := run(t, "", promtool, "test", "rules", "testdata/alerts.test.yaml"); !strings.Contains(said, "SUCCESS") {
		t.Errorf("promtool test rules: %s", said)
	}
}

// TestAlertsAskForWhatIsExposed looks for each metric of the alerts on a page, with the labels that they ask for.
func TestAlertsAskForWhatIsExposed(t *testing.T) {
	alerts, err := os.ReadFile("../docs/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(rules, []byte("rules: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	g := startGateway(t, "--config.file="+rules, "--limit.series-per-group=5")
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{"/with/every=1h/metrics/job/a", "x 1\n", http.StatusOK},
		{"/metrics/job/a", "x 1 1\n", http.StatusBadRequest},
		{"/metrics/job/b", "a 1\nb 1\nc 1\nd 1\ne 1\n", http.StatusRequestEntityTooLarge},
	} {
		if status, answer := g.do(t, http.MethodPut, c.path, c.body); status != c.status {
			t.Fatalf("%s: %d %s", c.path, status, answer)
		}
	}
	page := g.page(t, "underscores")
	names := regexp.MustCompile(`\b(holdfast|push)_[a-z_]+`).FindAllString(string(alerts), -1)
	for _, name := range names {
		if !strings.Contains(page, "\n"+name+"{") && !strings.Contains(page, "\n"+name+" ") {
			t.Errorf("no sample of %s on the page", name)
		}
	}
	for _, sample := range []string{
		`push_overdue{instance="",job="a"} 0`, `holdfast_refused_pushes_total{reason="timestamp"} 1`, `holdfast_limit_refusals_total{limit="series-per-group"} 1`,
		`holdfast_storage_refusals_total{reason="full"} 0`, `holdfast_storage_failed 0`, `holdfast_config_last_reload_successful 1`,
	} {
		if !strings.Contains(page, "\n"+sample+"\n") {
			t.Errorf("%s is not on the page", sample)
		}
	}
	if len(names) < 8 {
		t.Errorf("the alerts ask for %q only", names)
	}
}
