package conformance

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"
)

// exchange is one request to a wiped gateway and what must come back.
type exchange struct {
	name   string
	before []request // must be answered with a status below 300
	send   request
	status int
	header map[string]string // exact values; "" for a header that must be missing
	body   string            // exact, unless says is set
	says   string            // the first line; more may follow
}

func play(t *testing.T, g *target, exchanges []exchange) {
	t.Helper()
	for _, x := range exchanges {
		t.Run(x.name, func(t *testing.T) {
			g.wipe(t)
			g.accept(t, x.before...)
			got := g.do(t, x.send)
			if got.status != x.status {
				t.Fatalf("%s %s: status %d, want %d; body %.300q", x.send.method, x.send.path, got.status, x.status, got.body)
			}
			for _, name := range slices.Sorted(maps.Keys(x.header)) {
				if value := got.header.Get(name); value != x.header[name] {
					t.Errorf("header %s is %q, want %q", name, value, x.header[name])
				}
			}
			switch line := firstLine(string(got.body)); {
			case x.says != "" && line != x.says:
				t.Errorf("body starts\n got: %q\nwant: %q", line, x.says)
			case x.says == "" && string(got.body) != x.body:
				t.Errorf("body\n got: %.400q\nwant: %q", got.body, x.body)
			}
		})
	}
}

// accept sends requests that must be answered with a status below 300.
func (g *target) accept(t *testing.T, all ...request) {
	t.Helper()
	for _, r := range all {
		if got := g.do(t, r); got.status < 200 || got.status > 299 {
			t.Fatalf("%s %s: status %d, want success; body %.300q", r.method, r.path, got.status, got.body)
		}
	}
}

// scrape returns the normalised text page, which must be served.
func (g *target) scrape(t *testing.T) page {
	t.Helper()
	got := g.get(t, "/metrics", map[string]string{"Accept": textAccept})
	if got.status != http.StatusOK {
		t.Fatalf("scrape: status %d, want 200; body %.400q", got.status, got.body)
	}
	return normalPage(got.body)
}

// serves checks that the page has these lines.
func (p page) serves(t *testing.T, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !slices.Contains(p.samples, line) {
			t.Errorf("the scrape lacks %s; it has %q", line, p.samples)
		}
	}
}

func text(method, path, body string) request {
	return request{method: method, path: path, body: []byte(body)}
}

func put(path, body string) request  { return text(http.MethodPut, path, body) }
func post(path, body string) request { return text(http.MethodPost, path, body) }
func get(path string) request        { return request{method: http.MethodGet, path: path} }
func remove(path string) request     { return request{method: http.MethodDelete, path: path} }

func with(r request, header map[string]string) request {
	r.header = header
	return r
}

const protobufType = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"

// message renders families as a delimited protobuf push to path.
func message(path string, families ...*dto.MetricFamily) request {
	var b bytes.Buffer
	for _, f := range families {
		if _, err := protodelim.MarshalTo(&b, f); err != nil {
			panic(err) // a bytes.Buffer takes everything, and strings of protobuf 2 need not be UTF-8
		}
	}
	return with(put(path, b.String()), map[string]string{"Content-Type": protobufType})
}

// family makes a family with a help text; labelled and the like make what is in it.
func family(name string, kind dto.MetricType, metrics ...*dto.Metric) *dto.MetricFamily {
	return &dto.MetricFamily{Name: &name, Help: proto.String("help"), Type: &kind, Metric: metrics}
}

func gauge(value float64, labels ...string) *dto.Metric {
	return &dto.Metric{Label: pairs(labels), Gauge: &dto.Gauge{Value: &value}}
}

// pairs makes labels of names and values in turn.
func pairs(labels []string) []*dto.LabelPair {
	var all []*dto.LabelPair
	for pair := range slices.Chunk(labels, 2) {
		all = append(all, &dto.LabelPair{Name: &pair[0], Value: &pair[1]})
	}
	return all
}
