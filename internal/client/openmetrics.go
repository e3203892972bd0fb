package client

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Text returns a body of OpenMetrics in the text format 0.0.4, the one that gateways read, and any other
// body as it is. OpenMetrics is known by its last line, # EOF. Exemplars, created times and units, which
// text cannot carry, are left out; info and state sets become gauges, as Prometheus takes them, and
// unknown becomes untyped. The error is a *Malformed for what would come out as something else:
// timestamps, gauge histograms, and samples that are none of their family's; and for a body that is gzip.
func Text(body []byte) ([]byte, error) {
	if bytes.HasPrefix(body, []byte("\x1f\x8b")) {
		return nil, &Malformed{compressed{}}
	}
	if !isOpenMetrics(body) {
		return body, nil
	}
	t := translation{}
	number := 0
	for line := range strings.Lines(string(body)) {
		number++
		if err := t.line(strings.TrimRight(line, "\r\n")); err != nil {
			err.line = number
			return nil, &Malformed{err}
		}
	}
	t.end()
	return t.out.Bytes(), nil
}

func isOpenMetrics(body []byte) bool {
	end := bytes.TrimRight(body, "\r\n")
	return string(end[bytes.LastIndexByte(end, '\n')+1:]) == "# EOF"
}

// compressed is why a file of metrics cannot be read as it is.
type compressed struct{}

// Error tells what the file is.
func (compressed) Error() string { return "the file is compressed with gzip" }

// Hint tells what to do.
func (compressed) Hint() string { return "inflate it first: zcat FILE | holdfast push --job NAME" }

// notText is why a line of OpenMetrics has no counterpart in text.
type notText struct {
	line          int
	problem, hint string
}

// Error tells the line and the problem.
func (n *notText) Error() string { return fmt.Sprintf("OpenMetrics, line %d: %s", n.line, n.problem) }

// Hint tells what to do.
func (n *notText) Hint() string { return n.hint }

// translation writes one family after the other: what is said of it may stand in any order.
type translation struct {
	out     bytes.Buffer
	name    string // of the family
	quoted  bool
	typ     string // "" before it is said
	help    string
	helped  bool
	samples []string
}

func (t *translation) line(line string) *notText {
	if line == "" || line == "# EOF" {
		return nil
	}
	if comment, found := strings.CutPrefix(line, "# "); found {
		return t.metadata(comment)
	}
	return t.sample(line)
}

// metadata takes a line of TYPE, HELP or UNIT; others are comments.
func (t *translation) metadata(comment string) *notText {
	word, rest, _ := strings.Cut(comment, " ")
	if word != "TYPE" && word != "HELP" && word != "UNIT" {
		return nil
	}
	name, quoted, text := cutName(rest)
	if name != t.name {
		t.end()
		t.name, t.quoted = name, quoted
	}
	text = strings.TrimPrefix(text, " ")
	switch word {
	case "HELP":
		t.help, t.helped = strings.NewReplacer(`\\`, `\\`, `\"`, `"`).Replace(text), true
	case "TYPE":
		if t.typ = text; text == "gaugehistogram" {
			return &notText{problem: "family " + name + " is a gauge histogram, which the text format does not have", hint: "push it as protobuf, or as gauges of other names"}
		}
	}
	return nil
}

// cutName takes a name off, which may stand in quotes.
func cutName(text string) (name string, quoted bool, rest string) {
	if prefix, err := strconv.QuotedPrefix(text); err == nil && text[0] == '"' {
		if name, err = strconv.Unquote(prefix); err == nil {
			return name, true, text[len(prefix):]
		}
	}
	end := strings.IndexAny(text, " {")
	if end < 0 {
		end = len(text)
	}
	return text[:end], false, text[end:]
}

func (t *translation) sample(line string) *notText {
	name, rest, problem := splitSample(line)
	if problem != "" {
		return &notText{problem: problem, hint: "a sample is like name 1 or name{l=\"v\"} 3.14"}
	}
	value, _, _ := strings.Cut(rest, " # ")
	switch fields := strings.Fields(value); {
	case len(fields) == 2:
		return &notText{problem: "the sample of " + name + " has a timestamp", hint: "leave it out: Prometheus stamps samples when it scrapes"}
	case len(fields) != 1:
		return &notText{problem: "the sample of " + name + " has no value", hint: "a sample is like name 1"}
	}
	if suffix, own := strings.CutPrefix(name, t.name); !own || t.name == "" {
		t.end()
		t.name = name
	} else if keep, known := suffixes(t.typ)[suffix]; !known {
		if t.typ != "" && (suffix == "" || slices.Contains(knownSuffixes(), suffix)) {
			return &notText{problem: fmt.Sprintf("%s is no sample of family %s, which is a %s", name, t.name, t.typ), hint: "give it a TYPE line of its own, or the name that OpenMetrics wants"}
		}
		t.end()
		t.name = name
	} else if !keep {
		return nil
	}
	t.samples = append(t.samples, line[:len(line)-len(rest)]+" "+strings.TrimSpace(value))
	return nil
}

// splitSample returns the name of a sample, and what stands behind its labels.
func splitSample(line string) (name, rest, problem string) {
	inBraces := strings.HasPrefix(line, "{")
	name, quoted, rest := cutName(strings.TrimPrefix(line, "{"))
	if name == "" || inBraces != quoted {
		return "", "", "it is no sample"
	}
	if !inBraces && !strings.HasPrefix(rest, "{") {
		return name, rest, ""
	}
	for i, inside := 0, false; i < len(rest); i++ {
		switch {
		case inside && rest[i] == '\\':
			i++
		case rest[i] == '"':
			inside = !inside
		case rest[i] == '}' && !inside:
			return name, rest[i+1:], ""
		}
	}
	return "", "", "the labels of " + name + " do not end"
}

// suffixes returns what the names of a type's samples end in behind the family's, and whether text has
// those.
func suffixes(typ string) map[string]bool {
	switch typ {
	case "counter":
		return map[string]bool{"_total": true, "_created": false}
	case "histogram":
		return map[string]bool{"_bucket": true, "_count": true, "_sum": true, "_created": false}
	case "summary":
		return map[string]bool{"": true, "_count": true, "_sum": true, "_created": false}
	case "info":
		return map[string]bool{"_info": true}
	}
	return map[string]bool{"": true}
}

// knownSuffixes are those of all types.
func knownSuffixes() []string {
	return []string{"_total", "_created", "_bucket", "_count", "_sum", "_gcount", "_gsum", "_info"}
}

// end writes the family that was read.
func (t *translation) end() {
	name, typ := t.name, t.typ
	switch typ {
	case "counter":
		name += "_total"
	case "info":
		name, typ = name+"_info", "gauge"
	case "stateset":
		typ = "gauge"
	case "unknown":
		typ = "untyped"
	}
	if t.quoted {
		name = `"` + strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(name) + `"`
	}
	if t.helped {
		fmt.Fprintf(&t.out, "# HELP %s %s\n", name, t.help)
	}
	if typ != "" {
		fmt.Fprintf(&t.out, "# TYPE %s %s\n", name, typ)
	}
	for _, line := range t.samples {
		t.out.WriteString(line + "\n")
	}
	t.name, t.quoted, t.typ, t.help, t.helped, t.samples = "", false, "", "", false, t.samples[:0]
}
