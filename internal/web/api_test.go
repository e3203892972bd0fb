package web

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/prototext"
)

// groupJSON pushes a body to job a and returns the group's JSON without stamps and time families.
func groupJSON(t *testing.T, body string, header ...string) string {
	t.Helper()
	r := newRig(t, nil)
	r.want(200, "PUT", "/metrics/job/a", body, header...)
	text := r.want(200, "GET", "/api/v1/metrics", "").body
	var reply struct {
		Status string
		Data   []map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &reply); err != nil || reply.Status != "success" || len(reply.Data) != 1 {
		t.Fatalf("%v in %s", err, text)
	}
	var out strings.Builder
	for _, name := range []string{"c", "family:labels", "g", "h", "labels", "s", "u"} {
		if family, ok := reply.Data[0][name]; ok {
			out.WriteString(name + " " + cutStamp(t, string(family)) + "\n")
		}
	}
	return out.String()
}

func cutStamp(t *testing.T, family string) string {
	t.Helper()
	rest, ok := strings.CutPrefix(family, `{"time_stamp":"`)
	if !ok {
		return family
	}
	stamp, rest, _ := strings.Cut(rest, `",`)
	if at, err := time.Parse(time.RFC3339Nano, stamp); err != nil || time.Since(at) > time.Minute {
		t.Errorf("time stamp %s: %v", stamp, err)
	}
	return "{" + rest
}

func TestMetricsJSON(t *testing.T) {
	const labels = `"labels":{"instance":"","job":"a"}`
	for _, tt := range []struct{ name, body, want string }{
		{
			"gauge", "# HELP g <b> & \"q\"\n# TYPE g gauge\ng 1234567\n",
			`g {"type":"GAUGE","help":"\u003cb\u003e \u0026 \"q\"","metrics":[{` + labels + `,"value":"1.234567e+06"}]}`,
		},
		{"counter", "# TYPE c counter\nc NaN\n", `c {"type":"COUNTER","metrics":[{` + labels + `,"value":"NaN"}]}`},
		{
			"untyped", "u{l=\"\\n</script>é\"} +Inf\n",
			`u {"type":"UNTYPED","metrics":[{"labels":{"instance":"","job":"a","l":"\n\u003c/script\u003eé"},"value":"+Inf"}]}`,
		},
		{
			"summary", "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns{quantile=\"0.99\"} NaN\ns_sum 4.5\ns_count 3\n",
			`s {"type":"SUMMARY","metrics":[{"count":"3",` + labels + `,"quantiles":{"0.5":"1","0.99":"NaN"},"sum":"4.5"}]}`,
		},
		{
			"empty summary", "# TYPE s summary\ns_sum 4.5\n",
			`s {"type":"SUMMARY","metrics":[{"count":"0",` + labels + `,"quantiles":{},"sum":"4.5"}]}`,
		},
		{
			"histogram", "# TYPE h histogram\nh_bucket{le=\"0.1\"} 1\nh_bucket{le=\"1e6\"} 2\nh_bucket{le=\"+Inf\"} 3\nh_sum 4.5\nh_count 3\n",
			`h {"type":"HISTOGRAM","metrics":[{"buckets":{"+Inf":"3","0.1":"1","1e+06":"2"},"count":"3",` + labels + `,"sum":"4.5"}]}`,
		},
		{
			"float histogram", "# TYPE h histogram\nh_bucket{le=\"1\"} 1.5\nh_sum 2\nh_count 2.5\n",
			`h {"type":"HISTOGRAM","metrics":[{"buckets":{"1":"1.5"},"count":"2.5",` + labels + `,"sum":"2"}]}`,
		},
		{
			"a family that is called labels", "labels 1\n",
			`family:labels {"type":"UNTYPED","metrics":[{` + labels + `,"value":"1"}]}`,
		},
	} {
		want := tt.want + "\n" + `labels {"job":"a"}` + "\n"
		if strings.HasPrefix(tt.want, "s ") || strings.HasPrefix(tt.want, "u ") {
			want = `labels {"job":"a"}` + "\n" + tt.want + "\n"
		}
		if got := groupJSON(t, tt.body); got != want {
			t.Errorf("%s:\n got %s want %s", tt.name, got, want)
		}
	}
}

func TestNativeHistogramJSON(t *testing.T) {
	body := pushable(t, `name: "h" type: HISTOGRAM metric: {histogram: {
		sample_count: 20 sample_sum: 99.23 schema: 1 zero_threshold: 0.001 zero_count: 2
		negative_span: {offset: 0 length: 2} negative_delta: [3, -2]
		positive_span: {offset: -1 length: 1} positive_span: {offset: 1 length: 2} positive_delta: [1, 2, 7]
		bucket: {upper_bound: 1 cumulative_count: 20}}}`)
	want := `h {"type":"HISTOGRAM","metrics":[{"buckets":[[1,"-1.414213562373095","-1","1"],[1,"-1","-0.7071067811865475","3"],` +
		`[3,"-0.001","0.001","2"],[0,"0.5","0.7071067811865475","1"],[0,"1","1.414213562373095","3"],[0,"1.414213562373095","2","10"]],` +
		`"count":"20","labels":{"instance":"","job":"a"},"sum":"99.23"}]}` + "\n" + `labels {"job":"a"}` + "\n"
	if got := groupJSON(t, body, "Content-Type: "+delimited); got != want {
		t.Errorf("\n got %s want %s", got, want)
	}
	floats := pushable(t, `name: "h" type: HISTOGRAM metric: {histogram: {
		sample_count_float: 2.5 sample_sum: 3 schema: 0 zero_threshold: 0.5 zero_count_float: 1
		positive_span: {offset: 1 length: 2} positive_count: [1.5, 0]}}`)
	want = `h {"type":"HISTOGRAM","metrics":[{"buckets":[[3,"-0.5","0.5","1"],[0,"1","2","1.5"]],` +
		`"count":"2.5","labels":{"instance":"","job":"a"},"sum":"3"}]}` + "\n" + `labels {"job":"a"}` + "\n"
	if got := groupJSON(t, floats, "Content-Type: "+delimited); got != want {
		t.Errorf("\n got %s want %s", got, want)
	}
}

// pushable turns a family in text form into a delimited body.
func pushable(t *testing.T, text string) string {
	t.Helper()
	mf := new(dto.MetricFamily)
	if err := prototext.Unmarshal([]byte(text), mf); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if _, err := protodelim.MarshalTo(&b, mf); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestBound(t *testing.T) {
	for _, tt := range []struct {
		schema int32
		index  int
		want   string
	}{
		{0, 0, "1"},
		{0, 1, "2"},
		{0, -1, "0.5"},
		{0, 1024, "1.7976931348623157e+308"},
		{0, 1025, "+Inf"},
		{0, -1074, "5e-324"},
		{-2, 1, "16"},
		{-4, 1, "65536"},
		{-4, 64, "1.7976931348623157e+308"},
		{1, 1, "1.414213562373095"},
		{1, -1, "0.7071067811865475"},
		{2, 3, "1.6817928305074288"},
		{3, 0, "1"},
		{3, 1, "1.0905077326652577"},
		{3, 2, "1.189207115002721"},
		{3, -1, "0.9170040432046711"},
		{8, 256, "2"},
		{8, 256 * 1024, "1.7976931348623157e+308"},
		{10, 1024, "2"},
	} {
		if got := number(bound(tt.index, tt.schema)); got != tt.want {
			t.Errorf("schema %d, index %d: %s, want %s", tt.schema, tt.index, got, tt.want)
		}
	}
	for schema := int32(1); schema <= 8; schema++ {
		for index := range 1 << schema {
			exact := math.Exp2(float64(index) / float64(int(1)<<schema))
			if got := bound(index, schema); math.Abs(got-exact) > 4e-15 {
				t.Errorf("schema %d, index %d: %v, want about %v", schema, index, got, exact)
			}
		}
	}
}

func TestMetricsJSONOfManyGroups(t *testing.T) {
	r := newRig(t, nil)
	if a := r.want(200, "GET", "/api/v1/metrics", ""); a.body != `{"status":"success","data":[]}` {
		t.Errorf("without groups: %s", a.body)
	}
	for _, job := range []string{"b", "a", "c"} {
		r.want(200, "PUT", "/metrics/job/"+job, "x 1\n")
	}
	r.want(400, "POST", "/metrics/job/c", "x 1 1\n")
	var reply struct {
		Data []struct {
			Labels  map[string]string
			Success bool `json:"last_push_successful"`
		}
	}
	if err := json.Unmarshal([]byte(r.want(200, "GET", "/api/v1/metrics", "").body), &reply); err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, g := range reply.Data {
		got += g.Labels["job"]
		if !g.Success {
			got += "(failed)"
		}
	}
	if got != "abc(failed)" {
		t.Errorf("groups %s, want abc(failed)", got)
	}
}

func TestStatusJSON(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Flags = map[string]string{"web.route-prefix": "", "log.level": "info"} })
	a := r.want(200, "GET", "/api/v1/status", "")
	for _, part := range []string{
		`{"status":"success","data":{"build_information":{"branch":"`,
		`"flags":{"log.level":"info","web.route-prefix":""}`,
		`"start_time":"2026-01-02T03:04:05Z"}}`,
	} {
		if !strings.Contains(a.body, part) {
			t.Errorf("no %s in %s", part, a.body)
		}
	}
}

// However large a group is, the query API holds a part of its answer at a time.
func TestMetricsJSONOfLargeGroup(t *testing.T) {
	r := newRig(t, nil)
	var body strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&body, "m{l=\"%d\"} 1\n", i)
	}
	r.want(200, "PUT", "/metrics/job/a", body.String())
	_, groups, err := r.gateway.Groups()
	if err != nil {
		t.Fatal(err)
	}
	var out largestWrite
	w := groupWriter{out: &out}
	for g := range groups {
		if err := w.group(g); err != nil {
			t.Fatal(err)
		}
	}
	if out.all < 200_000 || out.largest > 1000 {
		t.Errorf("%d bytes in pieces of up to %d", out.all, out.largest)
	}
}

type largestWrite struct{ all, largest int }

func (l *largestWrite) Write(b []byte) (int, error) {
	l.all += len(b)
	l.largest = max(l.largest, len(b))
	return len(b), nil
}
