package web

import (
	"encoding/json"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A check answers as the push would, and leaves no trace.
func TestCheckAnswersAsThePushWould(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/metrics/job/held", "# TYPE m counter\nm 1\n")
	r.want(200, "PUT", "/with/mode=add/metrics/job/sums", "# TYPE n counter\nn 1\n")
	for _, push := range []struct{ method, path, body, header string }{
		{"PUT", "/metrics/job/a", "x 1\n", ""},
		{"POST", "/metrics/job/a", "# TYPE m gauge\nm 1\n", ""}, // another type
		{"PUT", "/metrics/job/a", "x 1 1700000000\n", ""},
		{"PUT", "/metrics/job/a", "holdfast_x 1\n", ""},
		{"PUT", "/metrics/job/a", "x{ 1\n", ""},
		{"PUT", "/metrics/job/a", "x 1", ""},
		{"PUT", "/with/text=lenient/metrics/job/a", "x 1", ""},
		{"PUT", "/with/ttl=x/metrics/job/a", "x 1\n", ""},
		{"PUT", "/with/timestamps=strip/metrics/job/a", "x 1 1700000000\n", ""},
		{"POST", "/metrics/job/held/instance/", "x 1\n", ""},            // odd number of components
		{"POST", "/metrics/job/held/instance@base64/=", "y 1\n", ""},    // would expose what job held exposes
		{"POST", "/metrics/job/held/instance@base64/=", "y 1 17\n", ""}, // both
		{"PUT", "/metrics/job@base64/YS9i", "x 1\n", ""},
		{"PUT", "/metrics/job@base64/!", "x 1\n", ""},
		{"PUT", "/metrics/job/a/__x/y", "x 1\n", ""},
		{"POST", "/metrics/job/sums", "# TYPE n counter\nn 1\n", ""},
		{"POST", "/with/mode=add/metrics/job/sums", "# TYPE n counter\nn 1\n", ""},
		{"PUT", "/metrics/job/a", "\x01", protobufHeader},
		{"PATCH", "/metrics/job/held", "# TYPE m counter\nm 3\n", ""},
		{"PUT", "/metrics/job/a", "", "Content-Encoding: gzip"},
	} {
		query := url.Values{"grouping": {push.path}, "method": {push.method}}
		header := []string{push.header}
		if push.header == "" {
			header = nil
		}
		before := r.trace()
		check := r.send("POST", "/api/v1/check?"+query.Encode(), push.body, header...)
		if after := r.trace(); before != after {
			t.Errorf("%s %s left a trace:\n%s\nbefore:\n%s", push.method, push.path, after, before)
		}
		answer := r.send(push.method, push.path, push.body, header...)
		if check.status != answer.status || check.status != 200 && check.body != answer.body {
			t.Errorf("%s %s %q: the check says %d %s, the push %d %s", push.method, push.path, push.body, check.status, check.body, answer.status, answer.body)
		}
	}
}

// trace is all that a push may leave behind.
func (r *rig) trace() string {
	r.t.Helper()
	var lines []string
	for line := range strings.Lines(r.want(200, "GET", "/metrics", "").body) {
		if strings.HasPrefix(line, "m") || strings.HasPrefix(line, "n") || strings.HasPrefix(line, "push_") || strings.HasPrefix(line, "x") ||
			strings.Contains(line, "push") && strings.HasPrefix(line, "pushgateway_http_push") || strings.HasPrefix(line, "holdfast_refused") ||
			strings.HasPrefix(line, "holdfast_push") || strings.HasPrefix(line, "holdfast_groups") || strings.HasPrefix(line, "holdfast_failed") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "") + r.want(200, "GET", "/api/v1/failures", "").body
}

func TestCheckAdvises(t *testing.T) {
	r := newRig(t, nil)
	check := func(query, body string) checkReply {
		t.Helper()
		var reply struct{ Data checkReply }
		text := r.want(200, "POST", "/api/v1/check"+query, body).body
		if err := json.Unmarshal([]byte(text), &reply); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		return reply.Data
	}
	const good = "# HELP backup_size_bytes Size.\n# TYPE backup_size_bytes gauge\nbackup_size_bytes{disk=\"a\"} 1\nbackup_size_bytes{disk=\"b\"} 1\n"
	want := checkReply{Accepted: true, Labels: map[string]string{"job": "a", "zone": "eu"}, Families: 1, Series: 2, Advice: []adviceReply{}}
	if got := check("?grouping=/metrics/job/a/zone/eu", good); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	said := map[string]bool{}
	for _, a := range check("", "# TYPE backupSize counter\nbackupSize 1\n").Advice {
		said[a.Family+": "+a.Text] = true
	}
	for _, want := range []string{"backupSize: no help text", `backupSize: counter metrics should have "_total" suffix`, "backupSize: metric names should be written in 'snake_case' not 'camelCase'"} {
		if !said[want] {
			t.Errorf("not said: %s, but %v", want, slices.Collect(maps.Keys(said)))
		}
	}
	var many strings.Builder
	for i := range mostAdvice {
		many.WriteString("m" + strings.Repeat("X", i+1) + " 1\n")
	}
	if got := check("", many.String()); len(got.Advice) != mostAdvice || got.Omitted != mostAdvice {
		t.Errorf("%d pieces of advice, %d left out", len(got.Advice), got.Omitted)
	}
}

func TestCheckOfBadGrouping(t *testing.T) {
	r := newRig(t, nil)
	for query, want := range map[string]string{
		"grouping=/metrics":               "parameter grouping: \"/metrics\" is not the path of a push",
		"grouping=/metrics/job":           "is not the path of a push",
		"grouping=/metrics/jobs/a":        "is not the path of a push",
		"grouping=/metrics/job/a//b":      "the path behind the options has an empty part",
		"grouping=/with/x=1/metrics/job/": "unknown option",
		"method=DELETE":                   "parameter method: \"DELETE\" is none of POST, PUT, PATCH",
	} {
		if got := r.want(400, "POST", "/api/v1/check?"+query, "m 1\n").body; !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}
