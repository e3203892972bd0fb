package client

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

const jobLabel = "job"

// Path returns the path of a grouping key, "/metrics/job/…". Labels must hold job, each name once, and
// nothing but UTF-8; any value can be written.
func Path(labels []exposition.Label) (string, error) {
	sorted := slices.Clone(labels)
	slices.SortFunc(sorted, func(a, b exposition.Label) int {
		if isJob := a.Name == jobLabel; isJob != (b.Name == jobLabel) {
			if isJob {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	if len(sorted) == 0 || sorted[0].Name != jobLabel || sorted[0].Value == "" {
		return "", errors.New("a push needs a job; give it with --job NAME")
	}
	var b strings.Builder
	b.WriteString("/metrics")
	for i, l := range sorted {
		switch {
		case i > 0 && l.Name == sorted[i-1].Name:
			return "", fmt.Errorf("label %s is given twice", l.Name)
		case l.Name == "" || !utf8.ValidString(l.Name):
			return "", fmt.Errorf("label name %q is empty or not UTF-8", l.Name)
		case !utf8.ValidString(l.Value):
			return "", fmt.Errorf("the value of label %s is not UTF-8: %q", l.Name, l.Value)
		}
		b.WriteString("/" + pathName(l.Name))
		if pathCarries(l.Value) {
			b.WriteString("/" + url.PathEscape(l.Value))
		} else {
			b.WriteString("@base64/" + base64.RawURLEncoding.EncodeToString([]byte(l.Value)) + strings.Repeat("=", emptyMark(l.Value)))
		}
	}
	return b.String(), nil
}

// pathName writes a label name. One that is not a classic name stays as it is, so that gateways without UTF-8 names
// refuse it, unless a path would not carry it.
func pathName(name string) string {
	if model.LegacyValidation.IsValidLabelName(name) || pathCarries(name) && !strings.HasSuffix(name, "@base64") && !strings.HasPrefix(name, "U__") {
		return url.PathEscape(name)
	}
	return url.PathEscape(model.EscapeName(name, model.ValueEncodingEscaping))
}

// pathCarries reports whether a value arrives as it is when it is a part of a path.
func pathCarries(value string) bool {
	return value != "" && value != "." && value != ".." && !strings.Contains(value, "/")
}

// emptyMark is how many = an encoded value needs: the empty one would be no part of the path at all.
func emptyMark(value string) int {
	if value == "" {
		return 1
	}
	return 0
}
