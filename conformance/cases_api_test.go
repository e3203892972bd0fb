package conformance

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// TestQueryShapes holds one golden per type: how the query API renders it, byte for byte but for the time.
func TestQueryShapes(t *testing.T) {
	native := &dto.Metric{Histogram: &dto.Histogram{
		SampleCount: proto.Uint64(4), SampleSum: proto.Float64(99.23), Schema: proto.Int32(1), ZeroThreshold: proto.Float64(0.001), ZeroCount: proto.Uint64(2),
		NegativeSpan: []*dto.BucketSpan{{Offset: proto.Int32(2), Length: proto.Uint32(1)}}, NegativeDelta: []int64{1},
		PositiveSpan: []*dto.BucketSpan{{Offset: proto.Int32(0), Length: proto.Uint32(1)}}, PositiveDelta: []int64{1},
	}}
	const labels = `"labels":{"instance":"","job":"j"}`
	g := open(t, defaultMode)
	for name, c := range map[string]struct {
		send request
		want string
	}{
		"untyped":         {put(groupPath, "x 1234567\n"), `"type":"UNTYPED","metrics":[{` + labels + `,"value":"1.234567e+06"}]}`},
		"counter":         {put(groupPath, "# HELP x a <b> & \"c\"\n# TYPE x counter\nx NaN\n"), `"type":"COUNTER","help":"a \u003cb\u003e \u0026 \"c\"","metrics":[{` + labels + `,"value":"NaN"}]}`},
		"gauge":           {put(groupPath, "# TYPE x gauge\nx{a=\"1\"} -Inf\nx{a=\"2\"} 0.5\n"), `"type":"GAUGE","metrics":[{"labels":{"a":"1","instance":"","job":"j"},"value":"-Inf"},{"labels":{"a":"2","instance":"","job":"j"},"value":"0.5"}]}`},
		"summary":         {put(groupPath, "# TYPE x summary\nx{quantile=\"0.5\"} 1\nx{quantile=\"0.99\"} NaN\nx_count 3\nx_sum 4.5\n"), `"type":"SUMMARY","metrics":[{"count":"3",` + labels + `,"quantiles":{"0.5":"1","0.99":"NaN"},"sum":"4.5"}]}`},
		"bare":            {put(groupPath, "# TYPE x summary\nx_count 3\nx_sum 4.5\n"), `"type":"SUMMARY","metrics":[{"count":"3",` + labels + `,"quantiles":{},"sum":"4.5"}]}`},
		"histogram":       {put(groupPath, "# TYPE x histogram\nx_bucket{le=\"1000000\"} 2\nx_bucket{le=\"0.1\"} 1\nx_bucket{le=\"+Inf\"} 3\nx_count 3\nx_sum 4.5\n"), `"type":"HISTOGRAM","metrics":[{"buckets":{"+Inf":"3","0.1":"1","1e+06":"2"},"count":"3",` + labels + `,"sum":"4.5"}]}`},
		"native":          {message(groupPath, family("x", dto.MetricType_HISTOGRAM, native)), `"type":"HISTOGRAM","help":"help","metrics":[{"buckets":[[1,"-2","-1.414213562373095","1"],[3,"-0.001","0.001","2"],[0,"0.7071067811865475","1","1"]],"count":"4",` + labels + `,"sum":"99.23"}]}`},
		"gauge histogram": {put(groupPath, "# TYPE x gaugehistogram\nx_count 2\n"), `"type":"GAUGE_HISTOGRAM","metrics":[{` + labels + `,"value":"0"}]}`},
		"no metrics":      {message(groupPath, family("x", dto.MetricType_GAUGE)), `"type":"GAUGE","help":"help","metrics":[]}`},
	} {
		t.Run(name, func(t *testing.T) {
			g.wipe(t)
			g.accept(t, c.send)
			body := string(g.get(t, "/api/v1/metrics", nil).body)
			_, after, found := strings.Cut(body, `"x":{"time_stamp":"`)
			_, shape, _ := strings.Cut(after, `",`)
			if !found || !strings.HasPrefix(shape, c.want) {
				t.Errorf("got %s\nwant %s", body, c.want)
			}
		})
	}
}

// TestQueryGroups holds the frame around families.
func TestQueryGroups(t *testing.T) {
	g := open(t, defaultMode)
	g.wipe(t)
	g.accept(t, put("/metrics/job/j/instance/i", "# HELP x h\nx{instance=\"no\",a=\"b\"} 1\n"))
	if got := g.do(t, post("/metrics/job/j/instance/i", "x 1 1\n")); got.status != 400 {
		t.Fatalf("a timestamp: status %d", got.status)
	}
	body := string(g.get(t, "/api/v1/metrics", nil).body)
	body = regexp.MustCompile(`"time_stamp":"\d{4}-\d\d-\d\dT[^"]*"`).ReplaceAllString(body, `"time_stamp":"T"`)
	body = regexp.MustCompile(`"value":"1\.[0-9]*e\+09"`).ReplaceAllString(body, `"value":"T"`)
	const stamp = `{"time_stamp":"T","type":"GAUGE","help":"Last Unix time when changing this group in the Pushgateway %s.","metrics":[{"labels":{"instance":"i","job":"j"},"value":"T"}]}`
	want := `{"status":"success","data":[{"labels":{"instance":"i","job":"j"},"last_push_successful":false,` +
		`"push_failure_time_seconds":` + strings.Replace(stamp, "%s", "failed", 1) + `,"push_time_seconds":` + strings.Replace(stamp, "%s", "succeeded", 1) +
		`,"x":{"time_stamp":"T","type":"UNTYPED","help":"h","metrics":[{"labels":{"a":"b","instance":"i","job":"j"},"value":"1"}]}}]}`
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("query API (-want +got):\n%s", diff)
	}
}

// TestQueryStatus holds the frame of the status call.
func TestQueryStatus(t *testing.T) {
	got := open(t, defaultMode).get(t, "/api/v1/status", nil)
	var reply struct {
		Status string
		Data   map[string]json.RawMessage
	}
	if err := json.Unmarshal(got.body, &reply); err != nil || reply.Status != "success" {
		t.Fatalf("%v in %s", err, got.body)
	}
	var build map[string]string
	if err := json.Unmarshal(reply.Data["build_information"], &build); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"branch", "buildDate", "buildUser", "goVersion", "revision", "version"} {
		if _, told := build[key]; !told || len(build) != 6 {
			t.Errorf("build information lacks %s or has more: %v", key, build)
		}
	}
	if text := string(reply.Data["start_time"]); !regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^"]*"$`).MatchString(text) {
		t.Errorf("start time %s", text)
	}
	var flags map[string]string
	if err := json.Unmarshal(reply.Data["flags"], &flags); err != nil {
		t.Error(err)
	}
}
