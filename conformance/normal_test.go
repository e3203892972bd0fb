package conformance

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// stamped is what stands for a push time other than 0.
const stamped = "T"

// isOwn reports whether a family or sample is the gateway's own and takes no part in comparisons.
func isOwn(name string) bool {
	return slices.ContainsFunc([]string{"go_", "process_", "promhttp_", "pushgateway_", "holdfast_"},
		func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

func isTime(name string) bool {
	return name == "push_time_seconds" || name == "push_failure_time_seconds"
}

// page is a text scrape, normalised.
type page struct {
	samples []string          // TYPE lines and samples, sorted
	help    map[string]string // by family, as exposed
}

// normalPage drops what is the gateway's own and hides the times.
func normalPage(body []byte) page {
	p := page{help: map[string]string{}}
	for line := range strings.Lines(string(body)) {
		line = strings.TrimSuffix(line, "\n")
		rest, isHelp := strings.CutPrefix(line, "# HELP ")
		name := nameOf(strings.TrimPrefix(rest, "# TYPE "))
		switch {
		case isOwn(name):
		case isHelp:
			_, p.help[name], _ = strings.Cut(rest, " ")
		case isTime(name) && !strings.HasPrefix(line, "#") && !strings.HasSuffix(line, " 0"):
			p.samples = append(p.samples, line[:strings.LastIndexByte(line, ' ')+1]+stamped)
		default:
			p.samples = append(p.samples, line)
		}
	}
	slices.Sort(p.samples)
	return p
}

// nameOf returns what stands before the labels or the first blank.
func nameOf(line string) string {
	if end := strings.IndexAny(line, "{ "); end >= 0 {
		return line[:end]
	}
	return line
}

// normalAPI hides times, drops time stamps and HELP, and sorts groups and metrics by their JSON.
func normalAPI(t *testing.T, reply any) any {
	t.Helper()
	root, ok := reply.(map[string]any)
	if !ok {
		t.Fatalf("query API: reply is %T, want an object", reply)
	}
	groups, ok := root["data"].([]any)
	if !ok {
		t.Fatalf("query API: data is %T, want an array", root["data"])
	}
	for _, g := range groups {
		for name, f := range g.(map[string]any) {
			if family, ok := f.(map[string]any); ok && name != "labels" {
				normalFamily(name, family)
			}
		}
	}
	slices.SortFunc(groups, byJSON)
	return root
}

func normalFamily(name string, family map[string]any) {
	delete(family, "time_stamp")
	delete(family, "help")
	metrics, _ := family["metrics"].([]any)
	for _, m := range metrics {
		if metric := m.(map[string]any); isTime(name) && metric["value"] != "0" {
			metric["value"] = stamped
		}
	}
	slices.SortFunc(metrics, byJSON)
}

func byJSON(a, b any) int { return cmp.Compare(canonical(a), canonical(b)) }

// canonical renders what json.Unmarshal made; keys come out sorted.
func canonical(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func splitLines(body []byte) []string {
	return strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
}
