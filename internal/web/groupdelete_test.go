package web

import (
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
)

// deleteGroups calls the deletion and reads its answer.
func (r *rig) deleteGroups(query string) deleteReply {
	r.t.Helper()
	text := r.want(200, "DELETE", "/api/v1/groups?"+query, "").body
	var reply struct{ Data deleteReply }
	if err := json.Unmarshal([]byte(text), &reply); err != nil {
		r.t.Fatalf("%v in %s", err, text)
	}
	return reply.Data
}

func (reply deleteReply) jobs() (jobs []string) {
	for _, g := range reply.Groups {
		jobs = append(jobs, g.Labels["job"])
	}
	return jobs
}

func TestDeleteBySelector(t *testing.T) {
	r := newRig(t, func(o *Options) { o.AdminAPI = true })
	for _, path := range []string{"a/zone/eu", "b/zone/us", "c/zone/eu", "d"} {
		r.want(200, "PUT", "/metrics/job/"+path, "m 1\n")
	}
	query := "match[]=" + url.QueryEscape(`{zone="eu"}`) + "&match[]=" + url.QueryEscape(`{job="d",zone=""}`)
	dry := r.deleteGroups(query + "&dry_run=true")
	if want := []string{"a", "c", "d"}; !dry.DryRun || !slices.Equal(dry.jobs(), want) || dry.Totals.Groups != 3 || dry.Totals.Series != 9 {
		t.Errorf("would go: %+v", dry)
	}
	if got := len(r.jobs("")); got != 4 {
		t.Errorf("after a dry run %d groups are left", got)
	}
	if strings.Contains(r.log.String(), "by selector") {
		t.Error("the dry run is logged")
	}
	if old := r.deleteGroups(query + "&older_than=1h"); old.Totals.Groups != 0 {
		t.Errorf("%d groups are older than an hour", old.Totals.Groups)
	}
	gone := r.deleteGroups(query + "&limit=2")
	if gone.DryRun || gone.Totals != dry.Totals || !reflect.DeepEqual(gone.Groups, dry.Groups[:2]) {
		t.Errorf("went: %+v, would go: %+v", gone, dry)
	}
	if got := r.jobs(""); !slices.Equal(got, []string{"b"}) {
		t.Errorf("left is %v", got)
	}
	if want := `msg="deleted groups by selector" source=127.0.0.1:`; !strings.Contains(r.log.String(), want) ||
		!strings.Contains(r.log.String(), `selector="{zone=\"eu\"} or {job=\"d\",zone=\"\"}" groups=3`) {
		t.Errorf("log %s", r.log)
	}
}

// Nothing is deleted by what selects all, by what may be misspelt, or for a page of another site.
func TestDeleteBySelectorIsRefused(t *testing.T) {
	r := newRig(t, func(o *Options) { o.AdminAPI = true })
	r.want(200, "PUT", "/metrics/job/a", "m 1\n")
	for query, want := range map[string]string{
		"":                                  "parameter match[] is missing",
		"older_than=0s":                     "parameter match[] is missing",
		"match[]={}":                        "selects every group",
		"match[]=":                          "expected a metric name or {",
		"match[]={job=~\".*\"}":             "selects every group",
		"match[]={job=\"b\"}&match[]={}":    "selects every group",
		"match={job=\"a\"}":                 "is not known here",
		"match[]={job=\"a\"}&dry-run=true":  "is not known here",
		"match[]={job=\"a\"}&dry_run=yes":   "none of false, true",
		"match[]={job=\"a\"}&older_than=-1": "is not a duration",
	} {
		if got := r.want(400, "DELETE", "/api/v1/groups?"+query, "").body; !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	r.want(403, "DELETE", `/api/v1/groups?match[]={job="a"}`, "", "Sec-Fetch-Site: cross-site")
	if got := len(r.jobs("")); got != 1 {
		t.Errorf("%d groups are left", got)
	}
	closed := newRig(t, nil)
	closed.want(200, "PUT", "/metrics/job/a", "m 1\n")
	closed.want(404, "DELETE", `/api/v1/groups?match[]={job="a"}`, "")
	if got := len(closed.jobs("")); got != 1 {
		t.Errorf("%d groups are left where it is not enabled", got)
	}
}

// The classic path still deletes one group, and pushes to others go on while many are deleted.
func TestDeleteOfOneAndOfMany(t *testing.T) {
	r := newRig(t, func(o *Options) { o.AdminAPI = true })
	for _, path := range []string{"a", "a/x/1", "a/x/2", "b"} {
		r.want(200, "PUT", "/metrics/job/"+path, "m 1\n")
	}
	r.want(202, "DELETE", "/metrics/job/a", "")
	if got := r.jobs(""); !slices.Equal(got, []string{"a", "a", "b"}) {
		t.Errorf("left are %v", got)
	}
	var pushing sync.WaitGroup
	pushing.Go(func() {
		for range 50 {
			r.want(200, "POST", "/metrics/job/b", "m 2\n")
		}
	})
	if gone := r.deleteGroups(`match[]={x!=""}`); gone.Totals.Groups != 2 {
		t.Errorf("%+v went", gone)
	}
	pushing.Wait()
	if got := r.jobs(""); !slices.Equal(got, []string{"b"}) {
		t.Errorf("left are %v", got)
	}
}
