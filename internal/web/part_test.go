package web

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// pushedLines returns the samples of a page that were pushed as family x.
func pushedLines(page string) []string {
	var lines []string
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "x{") {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestPartScrapes(t *testing.T) {
	r := newRig(t, nil)
	for _, path := range []string{"job/a/team/red", "job/b/team/red", "job/c/team/blue", "job/d"} {
		r.want(200, "PUT", "/metrics/"+path, "x 1\ny{code=\"5\"} 1\n")
	}
	for query, want := range map[string]string{
		"":                        "abcd",
		"name[]=a":                "abcd",
		"match[]={job=\"b\"}":     "b",
		"match[]={team=\"red\"}":  "ab",
		"match[]={team!=\"red\"}": "cd",
		"match[]={team=\"\"}":     "d",
		"match[]={job=~\"a|d\"}":  "ad",
		"match[]={job=\"a\"}&match[]={job=\"c\"}": "ac",
		"match[]=x{team=\"red\",job!~\"a.*\"}":    "b",
		"match[]=y":                               "",
		"match[]={job=\"nobody\"}":                "",
		"shard=1&of=1":                            "abcd",
	} {
		values, _ := url.ParseQuery(query)
		got := ""
		for _, line := range pushedLines(r.want(200, "GET", "/metrics?"+values.Encode(), "").body) {
			_, after, _ := strings.Cut(line, `job="`)
			got += after[:1]
		}
		if got != want {
			t.Errorf("%s: groups %q, want %q", query, got, want)
		}
	}
}

// A part is whole in itself: heads of families that it has, none of those that it has not, and the own
// metrics only where they are asked for.
func TestPartScrapeHasItsHeads(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/metrics/job/a", "# HELP x Some.\n# TYPE x gauge\nx 1\ny 1\n")
	page := r.want(200, "GET", "/metrics?match[]=x", "").body
	if page != "# HELP x Some.\n# TYPE x gauge\nx{instance=\"\",job=\"a\"} 1\n" {
		t.Errorf("got\n%s", page)
	}
	own := r.want(200, "GET", "/metrics?match[]="+url.QueryEscape(`{__name__=~"holdfast_.*"}`), "").body
	if !strings.Contains(own, "\nholdfast_groups 1\n") || strings.Contains(own, "push_time_seconds{") {
		t.Errorf("got\n%s", own)
	}
}

func TestPartScrapeRefusals(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/metrics/job/a/team/red", "x{code=\"5\"} 1\n")
	for query, want := range map[string]string{
		"match[]={code=\"5\"}": "the grouping labels in use are job, team",
		"match[]={job=":        "parameter match[]: selector",
		"shard=0&of=2":         `parameter shard: "0" is not a number from 1 to 2`,
		"shard=3&of=2":         `parameter shard: "3" is not a number from 1 to 2`,
		"shard=1":              "shard and of belong together",
		"of=2":                 "shard and of belong together",
		"shard=1&of=x":         `parameter of: "x" is not a number from 1 to 1024`,
	} {
		values, _ := url.ParseQuery(query)
		has(t, r.want(400, "GET", "/metrics?"+values.Encode(), "").body, want)
	}
}

// What service discovery lists must, scraped as Prometheus would, come to the whole page.
func TestDiscoveredTargetsAreTheWholePage(t *testing.T) {
	r := newRig(t, nil)
	for i := range 100 {
		r.want(200, "PUT", fmt.Sprintf("/metrics/job/a/n/%d", i), "x 1\n")
	}
	whole := pushedLines(r.want(200, "GET", "/metrics", "").body)
	for _, shards := range []int{1, 2, 7} {
		var found []struct {
			Targets []string
			Labels  map[string]string
		}
		a := r.want(200, "GET", fmt.Sprintf("/api/v1/sd?shards=%d", shards), "")
		if err := json.Unmarshal([]byte(a.body), &found); err != nil || len(found) != shards {
			t.Fatalf("%v: %s", err, a.body)
		}
		var all []string
		names := map[string]bool{}
		for _, target := range found {
			query := url.Values{}
			for name, text := range target.Labels {
				if name, isParam := strings.CutPrefix(name, "__param_"); isParam {
					query.Set(name, text)
				}
			}
			if target.Labels["__scheme__"] != "http" || len(target.Targets) != 1 || target.Targets[0] == "" {
				t.Errorf("target %+v", target)
			}
			names[target.Labels["instance"]] = true
			page := r.want(200, "GET", target.Labels["__metrics_path__"]+"?"+query.Encode(), "").body
			part := pushedLines(page)
			all = append(all, part...)
			if isOwn := strings.Contains(page, "\nholdfast_groups "); isOwn != (target.Labels["__param_shard"] == "1" || shards == 1) {
				t.Errorf("shard %v of %d has the own metrics: %v", target.Labels["__param_shard"], shards, isOwn)
			}
			if len(part) < len(whole)/shards/2 {
				t.Errorf("a shard of %d has %d of %d lines", shards, len(part), len(whole))
			}
		}
		slices.Sort(all)
		slices.Sort(whole)
		if !slices.Equal(all, whole) || len(names) != shards {
			t.Errorf("%d shards hold %d lines under %d names, want %d lines", shards, len(all), len(names), len(whole))
		}
	}
	r.want(400, "GET", "/api/v1/sd?shards=0", "")
	r.want(400, "GET", "/api/v1/sd?shard=2", "")
}
