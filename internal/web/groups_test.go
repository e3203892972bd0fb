package web

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/prototext"
)

// getJSON asks for a path of the API and reads the answer into reply, which must know all its fields.
func (r *rig) getJSON(path string, reply any) {
	r.t.Helper()
	text := r.want(200, "GET", path, "").body
	whole := struct {
		Status string `json:"status"`
		Data   any    `json:"data"`
	}{Data: reply}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&whole); err != nil || whole.Status != "success" {
		r.t.Fatalf("%s: %v in %s", path, err, text)
	}
}

func (r *rig) jobs(query string) []string {
	r.t.Helper()
	var reply groupsReply
	r.getJSON("/api/v1/groups?"+query, &reply)
	var jobs []string
	for _, g := range reply.Groups {
		jobs = append(jobs, g.Labels["job"])
	}
	return jobs
}

func TestGroupsAreListed(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/with/every=24h,ttl=48h/metrics/job/a/zone/eu", "m 1\nn 2\n", "Content-Type: text/plain")
	r.want(400, "PUT", "/metrics/job/a/zone/eu", "holdfast_m 1\n")
	var reply groupsReply
	r.getJSON("/api/v1/groups", &reply)
	if len(reply.Groups) != 1 {
		t.Fatalf("%+v", reply)
	}
	g := reply.Groups[0]
	for _, at := range []*time.Time{g.FirstPush, &g.LastPush.Time, &g.LastFailure.Time} {
		if age := time.Since(*at); age < 0 || age > time.Minute {
			t.Errorf("a time is %v ago", age)
		}
		*at = time.Time{}
	}
	if left := time.Until(*g.Expires); left < 47*time.Hour || left > 48*time.Hour {
		t.Errorf("it expires in %v", left)
	}
	if !strings.HasPrefix(g.LastPush.Remote, "127.0.0.1:") || !strings.HasPrefix(g.LastFailure.Remote, "127.0.0.1:") {
		t.Errorf("last push from %q, last failure from %q", g.LastPush.Remote, g.LastFailure.Remote)
	}
	g.LastPush.Remote, g.LastFailure.Remote, g.Expires, g.FirstPush = "", "", nil, nil
	want := &groupReply{
		ID: "6e8ef7f37e64abc1f21c2e5c47fb3d4f", Labels: map[string]string{"job": "a", "zone": "eu"}, Path: "/metrics/job/a/zone/eu",
		States: []string{"failed"}, Series: 6, Bytes: g.Bytes, Every: 86400,
		Families: []string{"m", "n", "push_expected_interval_seconds", "push_failure_time_seconds", "push_overdue", "push_time_seconds"},
		LastPush: &pushReply{ContentType: "text/plain", Bytes: 8},
		LastFailure: &failureReply{
			pushReply{Bytes: 13},
			"own_name",
			inconsistent + `: metric family "holdfast_m" has a name that is reserved for the gateway's own metrics`,
		},
	}
	if !reflect.DeepEqual(g, want) {
		t.Errorf("got  %+v %+v %+v\nwant %+v %+v %+v", g, g.LastPush, g.LastFailure, want, want.LastPush, want.LastFailure)
	}
	if want := (totalsReply{Groups: 1, Series: 6, Bytes: g.Bytes, Failed: 1}); reply.Totals != want || reply.Next != "" {
		t.Errorf("totals %+v, want %+v; next %q", reply.Totals, want, reply.Next)
	}
}

func TestGroupsAreChosen(t *testing.T) {
	r := newRig(t, nil)
	for i, job := range []string{"a", "b", "c", "d"} {
		r.want(200, "PUT", "/metrics/job/"+job, strings.Repeat("x", i+1)+" 1\n")
	}
	r.want(200, "PUT", "/metrics/job/b", "x 1\ny 2\nz 3\n")
	for query, want := range map[string]string{
		"":                       "a b c d",
		"order=desc":             "d c b a",
		"sort=pushed":            "a c d b",
		"sort=series&order=desc": "b a c d",
		"sort=bytes":             "a c d b",
		"q=XX":                   "c d",
		"state=ok":               "a b c d",
		"state=failed":           "",
		"older_than=1h":          "",
		"older_than=0s":          "a b c d",
		"match[]=" + url.QueryEscape(`{job=~"a|b"}`):        "a b",
		"match[]=y&match[]=" + url.QueryEscape(`{job="d"}`): "b d",
		"limit=2": "a b",
	} {
		if got := strings.Join(r.jobs(query), " "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	var jobs []string
	query := "limit=1&sort=series"
	for cursor := "first"; cursor != ""; {
		var reply groupsReply
		r.getJSON("/api/v1/groups?"+query, &reply)
		for _, g := range reply.Groups {
			jobs = append(jobs, g.Labels["job"])
		}
		cursor = reply.Next
		query = "limit=1&sort=series&cursor=" + cursor
	}
	if want := []string{"a", "c", "d", "b"}; !slices.Equal(jobs, want) {
		t.Errorf("one by one: %v, want %v", jobs, want)
	}
}

// A parameter that cannot be meant is refused, with its name and what is allowed.
func TestBadParametersAreNamed(t *testing.T) {
	r := newRig(t, nil)
	for query, want := range map[string]string{
		"limit=0":         `parameter limit: "0" is not a number from 1 to 1000`,
		"limit=1001":      `parameter limit: "1001" is not a number from 1 to 1000`,
		"limit=1&limit=2": "parameter limit is given 2 times",
		"state=broken":    `parameter state: "broken" is none of any, ok, failed, stale, masked`,
		"sort=size":       `parameter sort: "size" is none of key, pushed, series, bytes`,
		"order=up":        `parameter order: "up" is none of asc, desc`,
		"older_than=old":  `parameter older_than: "old" is not a duration such as 90s, 24h or 7d`,
		"cursor=x":        "parameter cursor: the cursor cannot be read",
		"match[]={":       `parameter match[]: selector "{": expected a label name or }, found the end at character 2`,
		"match=up":        `parameter "match" is not known here, only match[], state, `,
		"q=%zz":           "the query cannot be read",
	} {
		if got := r.want(400, "GET", "/api/v1/groups?"+query, "").body; !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	for path, status := range map[string]int{"12": 400, strings.Repeat("g", 32): 400, strings.Repeat("0", 32): 404, strings.Repeat("0", 32) + "?limit=x": 400} {
		r.want(status, "GET", "/api/v1/groups/"+path, "")
	}
}

// No page of another site can read these calls.
func TestGroupsAreNotShared(t *testing.T) {
	r := newRig(t, nil)
	for _, path := range []string{"/api/v1/groups", "/api/v1/failures"} {
		if got := r.want(200, "GET", path, "", "Origin: http://evil.test").header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s: allowed for %s", path, got)
		}
	}
}

const everyType = `
name: "h" help: "hä" unit: "seconds" type: HISTOGRAM metric {
  histogram { sample_count: 3 sample_sum: 4.5
    bucket { cumulative_count: 1 upper_bound: 1 exemplar { label { name: "t" value: "x" } value: 0.5 timestamp { seconds: 1 } } }
    bucket { cumulative_count: 3 upper_bound: inf } created_timestamp { seconds: 7 } } }
|name: "n" type: HISTOGRAM metric {
  histogram { sample_count: 3 sample_sum: 4.5 schema: 0 zero_threshold: 0.001 zero_count: 1
    positive_span { offset: 0 length: 1 } positive_delta: 1 negative_span { offset: 1 length: 1 } negative_delta: 1
    exemplars { value: 1 timestamp { seconds: 2 } } } }
|name: "s" type: SUMMARY metric { summary { sample_count: 2 sample_sum: nan quantile { quantile: 0.5 value: 1.5 } } }
|name: "c" type: COUNTER metric { counter { value: 9007199254740993 exemplar { value: 2 } created_timestamp { seconds: 8 } } }
|name: "u" type: UNTYPED metric { label { name: "l" value: "</script>" } untyped { value: -inf } }`

const everyTypeJSON = `c counter "" [{"labels":{"instance":"","job":"a"},"value":"9.007199254740992e+15","exemplar":{"labels":{},"value":"2"},"created":"1970-01-01T00:00:08Z"}]
h histogram "hä" [{"labels":{"instance":"","job":"a"},"count":"3","sum":"4.5","buckets":[{"le":"1","count":"1","exemplar":{"labels":{"t":"x"},"value":"0.5","time":"1970-01-01T00:00:01Z"}},{"le":"+Inf","count":"3"}],"created":"1970-01-01T00:00:07Z"}]
n histogram "" [{"labels":{"instance":"","job":"a"},"count":"3","sum":"4.5","native":{"schema":0,"zero_threshold":"0.001","buckets":[{"lower":"-2","upper":"-1","boundaries":"[)","count":"1"},{"lower":"-0.001","upper":"0.001","boundaries":"[]","count":"1"},{"lower":"0.5","upper":"1","boundaries":"(]","count":"1"}],"exemplars":[{"labels":{},"value":"1","time":"1970-01-01T00:00:02Z"}]}}]
s summary "" [{"labels":{"instance":"","job":"a"},"count":"2","sum":"NaN","quantiles":[{"quantile":"0.5","value":"1.5"}]}]
u untyped "" [{"labels":{"instance":"","job":"a","l":"\u003c/script\u003e"},"value":"-Inf"}]
`

const protobufHeader = "Content-Type: application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"

// typesOfMetrics returns a body with a family of every type.
func typesOfMetrics(t *testing.T) string {
	t.Helper()
	var body strings.Builder
	for text := range strings.SplitSeq(everyType, "|") {
		mf := &dto.MetricFamily{}
		if err := prototext.Unmarshal([]byte(text), mf); err != nil {
			t.Fatal(err)
		}
		if _, err := protodelim.MarshalTo(&body, mf); err != nil {
			t.Fatal(err)
		}
	}
	return body.String()
}

// A group is shown with all that its metrics hold, of every type.
func TestGroupIsShownWhole(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/metrics/job/a", typesOfMetrics(t), protobufHeader)
	var list groupsReply
	r.getJSON("/api/v1/groups", &list)
	var detail groupDetail
	r.getJSON("/api/v1/groups/"+list.Groups[0].ID, &detail)
	if !reflect.DeepEqual(detail.Group, list.Groups[0]) {
		t.Errorf("the group alone is %+v, in the list %+v", detail.Group, list.Groups[0])
	}
	var got strings.Builder
	for _, f := range detail.Families {
		if age := time.Since(f.Pushed); age < 0 || age > time.Minute || f.Series != 1 || f.Masked || f.Omitted != 0 || (f.Unit == "seconds") != (f.Name == "h") {
			t.Errorf("%+v", f)
		}
		if strings.HasPrefix(f.Name, "push_") {
			continue
		}
		metrics, err := json.Marshal(f.Metrics)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "%s %s %q %s\n", f.Name, f.Type, f.Help, metrics)
	}
	if got.String() != everyTypeJSON {
		t.Errorf("got\n%s\nwant\n%s", &got, everyTypeJSON)
	}
}

func TestMetricsOfGroupAreLimited(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/metrics/job/a", "m{l=\"1\"} 1\nm{l=\"2\"} 2\nm{l=\"3\"} 3\n")
	var list groupsReply
	r.getJSON("/api/v1/groups", &list)
	var detail groupDetail
	r.getJSON("/api/v1/groups/"+list.Groups[0].ID+"?limit=2", &detail)
	if m := detail.Families[0]; m.Series != 3 || m.Omitted != 1 || len(m.Metrics) != 2 || m.Metrics[1].Value != "2" {
		t.Errorf("%+v", m)
	}
}
