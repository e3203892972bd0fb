package e2e

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/prometheus/common/model"
)

// TestPagesParse reads the zoo with Prometheus' own parsers, under every escaping, as text and protobuf.
func TestPagesParse(t *testing.T) {
	g := startGateway(t)
	names := pushZoo(t, g)
	for _, escaping := range []string{"allow-utf-8", "underscores", "dots", "values"} {
		t.Run(escaping, func(t *testing.T) {
			page := g.page(t, escaping)
			text := parsePage(t, []byte(page), "text/plain; version=0.0.4; charset=utf-8; escaping="+escaping)
			if lines := countSamples(page); text.samples != lines {
				t.Errorf("text: Prometheus reads %d samples, the page has %d", text.samples, lines)
			}
			message := parsePage(t, []byte(g.protobufBytes(t, escaping)), protobufType+"; escaping="+escaping)
			if message.histograms != 4*2 {
				t.Errorf("protobuf: %d native histograms, want the zoo's four of both groups", message.histograms)
			}
			scheme, err := model.ToEscapingScheme(escaping)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				want := name
				if !model.LegacyValidation.IsValidMetricName(name) {
					want = model.EscapeName(name, scheme)
				}
				if name != "zoo_none" && (!text.names[want] || !message.names[want]) {
					t.Errorf("%s: read in text %v, in protobuf %v", want, text.names[want], message.names[want])
				}
			}
			for _, value := range hostile() {
				if value != "" && (!text.values[value] || !message.values[value]) {
					t.Errorf("label value %q: read in text %v, in protobuf %v", value, text.values[value], message.values[value])
				}
			}
		})
	}
}

// TestPagesCarryNoStamps: Prometheus stamps samples at the scrape, so no page may carry a time.
func TestPagesCarryNoStamps(t *testing.T) {
	g := startGateway(t)
	pushZoo(t, g)
	if status, _ := g.do(t, http.MethodPost, "/metrics/job/zoo", "x 1 1000\n"); status != http.StatusBadRequest {
		t.Errorf("a push with a timestamp: status %d, want 400", status)
	}
	if p := parsePage(t, []byte(g.page(t, "allow-utf-8")), "text/plain; version=0.0.4"); p.stamped != 0 {
		t.Errorf("%d samples have a timestamp", p.stamped)
	}
	if p := parsePage(t, []byte(g.protobufBytes(t, "allow-utf-8")), protobufType); p.stamped != 0 {
		t.Errorf("%d samples have a timestamp in protobuf", p.stamped)
	}
}

// reading is what Prometheus' parser made of a page.
type reading struct {
	samples, stamped int
	histograms       int             // native, of the zoo
	names, values    map[string]bool // of families; of labels
}

func parsePage(t *testing.T, page []byte, contentType string) reading {
	t.Helper()
	parser, err := textparse.New(page, contentType, labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		t.Fatalf("%s: %v", contentType, err)
	}
	r := reading{names: map[string]bool{}, values: map[string]bool{}}
	seen := map[string]bool{}
	for {
		kind, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return r
		}
		if err != nil {
			t.Fatalf("%s, after %d samples: %v", contentType, r.samples, err)
		}
		var stamp *int64
		switch kind {
		case textparse.EntryType:
			name, _ := parser.Type()
			r.names[string(name)] = true
			continue
		case textparse.EntrySeries:
			_, stamp, _ = parser.Series()
			r.samples++
		case textparse.EntryHistogram:
			var name []byte
			name, stamp, _, _ = parser.Histogram()
			if strings.HasPrefix(string(name), "zoo_") {
				r.histograms++
			}
		default:
			continue
		}
		if stamp != nil {
			r.stamped++
		}
		var series labels.Labels
		parser.Labels(&series)
		series.Range(func(l labels.Label) { r.values[l.Value] = true })
		if name, double := series.HasDuplicateLabelNames(); double {
			t.Errorf("%s: label %s twice in %s", contentType, name, series)
		}
		if id := series.String(); seen[id] {
			t.Errorf("%s: series %s twice", contentType, id)
		} else {
			seen[id] = true
		}
	}
}

func countSamples(page string) int {
	lines := strings.Split(strings.TrimSuffix(page, "\n"), "\n")
	return len(slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "#") }))
}
