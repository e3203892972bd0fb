package web

import (
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/prometheus/common/model"

	"holdfast"
)

// examples are what can be copied from the view of a group.
func (s *site) examples(r *http.Request, key holdfast.Key) []exampleView {
	address := shellQuoted(s.base(r) + key.Path(s.Names))
	return []exampleView{
		{"push", "Push it with curl", "curl --fail-with-body -X PUT --data-binary @metrics.txt " + address + "\n"},
		{"delete", "Delete it with curl", "curl --fail-with-body -X DELETE " + address + "\n"},
		{"query", "PromQL: seconds since the last push", "time() - " + pushTimeOf(key) + "\n"},
		{"alert", "Alert rule: it has not run", alertText(key)},
	}
}

// shellQuoted writes a text as one word of a POSIX shell.
func shellQuoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// pushTimeOf is the PromQL selector of a group's push time.
func pushTimeOf(key holdfast.Key) string {
	var b strings.Builder
	b.WriteString(pushTimeName + "{")
	for i, l := range jobFirst(key) {
		if i > 0 {
			b.WriteString(",")
		}
		name := l.Name
		if !model.LegacyValidation.IsValidLabelName(name) {
			name = promQuoted(name)
		}
		b.WriteString(name + "=" + promQuoted(l.Value))
	}
	b.WriteString("}")
	return b.String()
}

// promQuoted quotes a text for PromQL. What shows nothing is escaped, so that what is copied is what was
// seen.
func promQuoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case hidden(c) && c <= 0xFFFF:
			fmt.Fprintf(&b, `\u%04x`, c)
		case hidden(c):
			fmt.Fprintf(&b, `\U%08x`, c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// alertText is a rule that fires when a group was not pushed to for a day, or is not there.
func alertText(key holdfast.Key) string {
	selector := pushTimeOf(key)
	job, _ := key.Get("job")
	var name strings.Builder
	upper := true
	for _, c := range job {
		switch {
		case c > unicode.MaxASCII || !unicode.IsLetter(c) && !unicode.IsDigit(c):
			upper = true
		case upper:
			name.WriteRune(unicode.ToUpper(c))
			upper = false
		default:
			name.WriteRune(c)
		}
		if name.Len() > longestAlertName {
			break
		}
	}
	return "groups:\n" +
		"  - name: batch-jobs\n" +
		"    rules:\n" +
		"      - alert: Job" + name.String() + "HasNotRun\n" +
		"        # 86400 s is a day: take twice the time between two runs\n" +
		"        expr: |-\n" +
		"          time() - " + selector + " > 86400\n" +
		"            or absent(" + selector + ")\n" +
		"        for: 5m\n" +
		"        labels:\n" +
		"          severity: warning\n"
}

const longestAlertName = 60
