package conformance

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// holding lists the groups that a gateway must serve after a poisoned scenario: those of which it
// accepted a push and that were not deleted since. It maps a group's labels, as canonical JSON, to them.
type holding map[string]map[string]string

func (h holding) note(m mode, s step, status int) {
	labels, ok := pathLabels(m, s.Path)
	switch {
	case strings.HasSuffix(s.Path, "/api/v1/admin/wipe") && status == http.StatusAccepted:
		clear(h)
	case !ok:
	case s.Method == http.MethodDelete && status == http.StatusAccepted:
		delete(h, canonical(labels))
	case (s.Method == http.MethodPut || s.Method == http.MethodPost) && status == http.StatusOK:
		h[canonical(labels)] = labels
	}
}

func (h holding) check(t *testing.T, served page, api any) {
	t.Helper()
	listed := map[string]bool{}
	groups, _ := api.(map[string]any)["data"].([]any)
	for _, g := range groups {
		listed[canonical(g.(map[string]any)["labels"])] = true
	}
	for text, labels := range h {
		if !listed[text] {
			t.Errorf("group %s was accepted, but the query API does not list it", text)
		}
		if line := pushTimeLine(labels); !slices.Contains(served.samples, line) {
			t.Errorf("group %s was accepted, but the scrape lacks %s", text, line)
		}
	}
}

// pushTimeLine is the normalised sample that a group with an accepted push exposes.
func pushTimeLine(labels map[string]string) string {
	exposed := map[string]string{"instance": ""}
	for name, value := range labels {
		exposed[escapedName(name)] = value
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(exposed)) {
		value := strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(exposed[name])
		pairs = append(pairs, name+`="`+value+`"`)
	}
	return "push_time_seconds{" + strings.Join(pairs, ",") + "} " + stamped
}

// escapedName writes a name as the default escaping exposes it.
func escapedName(name string) string {
	var b strings.Builder
	for i, r := range name {
		legal := r == '_' || r == ':' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || i > 0 && r >= '0' && r <= '9'
		if !legal {
			r = '_'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// pathLabels returns the grouping labels that a push path names. It trusts the gateway to have refused
// what is malformed.
func pathLabels(m mode, path string) (map[string]string, bool) {
	decoded, err := url.PathUnescape(path)
	rest, found := strings.CutPrefix(decoded, "/metrics/")
	if err != nil || !found {
		return nil, false
	}
	parts := strings.Split(strings.TrimSuffix(rest, "/"), "/")
	if len(parts)%2 != 0 {
		parts = append(parts, "")
	}
	labels := map[string]string{}
	for i := len(parts) - 2; i >= 0; i -= 2 {
		name, value := parts[i], parts[i+1]
		plain, encoded := strings.CutSuffix(name, "@base64")
		if encoded {
			b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(value, "="))
			if err != nil {
				return nil, false
			}
			value = string(b)
		}
		if m == utf8Mode && strings.HasPrefix(plain, "U__") {
			return nil, false // decoding these is the business of the cases
		}
		// The last of equal names counts, but for the leading job: going backwards, keep what is there.
		if _, seen := labels[plain]; !seen || i == 0 {
			labels[plain] = value
		}
	}
	return labels, labels["job"] != ""
}
