package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
)

// TestPrometheusScrapesParts: a Prometheus that finds a gateway as three targets has what one has that
// scrapes it whole, and the gateway's own metrics once; a team's Prometheus has what it asks for.
func TestPrometheusScrapesParts(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	const groups = 60
	for i := range groups {
		path := fmt.Sprintf("/metrics/job/part%d/team/%s", i, []string{"red", "blue"}[i%2])
		if status, said := g.do(t, http.MethodPut, path, fmt.Sprintf("size %d\ncount_%d 1\n", i, i%5)); status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, said)
		}
	}
	p := startPrometheusWith(t, fmt.Sprintf(`
  - job_name: whole
    static_configs: [{targets: ['%[1]s']}]
  - job_name: shards
    http_sd_configs: [{url: 'http://%[1]s/api/v1/sd?shards=3', refresh_interval: 1s}]
  - job_name: red
    params: {'match[]': ['{team="red"}']}
    static_configs: [{targets: ['%[1]s']}]
`, strings.TrimPrefix(g.url, "http://")))
	eventually(t, "all five targets are up", func() bool { return len(p.query(t, "up == 1")) == 5 })

	whole := p.pushed(t, "whole", groups)
	if shards := p.pushed(t, "shards", groups); !maps.Equal(shards, whole) {
		t.Errorf("the shards come to\n%v\nthe whole is\n%v", shards, whole)
	}
	maps.DeleteFunc(whole, func(series string, _ string) bool { return !strings.Contains(series, " team:red") })
	if red := p.pushed(t, "red", groups/2); !maps.Equal(red, whole) {
		t.Errorf("the team's part is\n%v\nwant\n%v", red, whole)
	}
	for job, targets := range map[string]int{"whole": 1, "shards": 1, "red": 0} {
		if own := p.query(t, `pushgateway_build_info{job="`+job+`"}`); len(own) != targets {
			t.Errorf("%s has the gateway's own metrics %d times, want %d", job, len(own), targets)
		}
	}
	if busy := p.query(t, `scrape_samples_scraped{job="shards"} > 20`); len(busy) != 3 {
		t.Errorf("%d shards have a good part of the groups, want 3", len(busy))
	}
}

// pushed returns the pushed series that a scrape job has, without the labels of its targets, once size has
// as many as it should.
func (p scraper) pushed(t *testing.T, job string, groups int) map[string]string {
	t.Helper()
	eventually(t, fmt.Sprintf("Prometheus has %d groups of %s", groups, job), func() bool {
		return len(p.query(t, `size{job="`+job+`"}`)) == groups
	})
	all := map[string]string{}
	for _, s := range p.query(t, `{job="`+job+`",exported_job!=""}`) {
		delete(s.Metric, "job")
		delete(s.Metric, "instance")
		series := fmt.Sprint(s.Metric)
		if _, twice := all[series]; twice {
			t.Errorf("%s has %s twice", job, series)
		}
		all[series] = fmt.Sprint(s.Value[1])
	}
	return all
}
