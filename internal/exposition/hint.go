package exposition

import (
	"bytes"
	"strings"
)

const (
	hintCut = "the body ends within a message: it was cut off, or its lengths are wrong; " +
		"send each MetricFamily behind its length as a varint"
	hintNotDelimited = "the Content-Type announces delimited protobuf, but the body is something else; " +
		"leave the Content-Type out to push text"
	hintOpenMetrics = "this is OpenMetrics; push the Prometheus text format 0.0.4, " +
		"which has no exemplars, no # EOF and no types unknown, info and stateset"
)

// beginnings are hints for bodies that are not the text format at all, by their first bytes.
func beginnings() []struct{ prefix, hint string } {
	return []struct{ prefix, hint string }{
		{"\xef\xbb\xbf", "the body begins with a byte order mark; save it as UTF-8 without BOM"},
		{"\xff\xfe", "the body is UTF-16; save it as UTF-8 without BOM"},
		{"\xfe\xff", "the body is UTF-16; save it as UTF-8 without BOM"},
		{"\x1f\x8b", "the body is gzip; send the header Content-Encoding: gzip with it"},
		{"\xff\x06\x00\x00sNaPpY", "the body is snappy; send the header Content-Encoding: snappy with it"},
		{"<", "the body is markup; push the Prometheus text format: a line such as my_metric 42"},
	}
}

// textHint returns what to do about a parse error with this text, or "".
func textHint(problem string, body []byte) string {
	for _, b := range beginnings() {
		if bytes.HasPrefix(body, []byte(b.prefix)) {
			return b.hint
		}
	}
	if looksLikeJSON(body) {
		return "the body is JSON; push the Prometheus text format: a line such as my_metric 42"
	}
	has := func(part string) bool { return strings.Contains(problem, part) }
	switch {
	case has(`\r"`):
		return "lines must end with a line feed only, not with CR LF; remove the carriage returns, " +
			`for instance with tr -d '\r'`
	case has("unexpected end of input stream"):
		return "the last line must end with a line feed; with curl use --data-binary instead of -d, " +
			"which strips line ends"
	case has("expected integer as timestamp"):
		return timestampHint(problem)
	case has("spurious string after timestamp"):
		return "nothing may follow a sample's value; a push carries no timestamps either"
	case has("unknown metric type"):
		return typeHint(problem)
	case has("second TYPE line"):
		return "write the TYPE line of a metric once, before its first sample"
	case has("second HELP line"):
		return "write the HELP line of a metric once"
	}
	return namesHint(has)
}

// looksLikeJSON tells JSON from a metric name inside of braces.
func looksLikeJSON(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return bytes.HasPrefix(body, []byte("[")) ||
		bytes.HasPrefix(body, []byte("{")) && bytes.Contains(body, []byte(`":`))
}

// timestampHint tells what stood where only a timestamp may.
func timestampHint(problem string) string {
	switch {
	case strings.Contains(problem, `got "#"`):
		return hintOpenMetrics
	case strings.Contains(problem, `got ""`):
		return "remove the blank after the value"
	default:
		return "nothing may follow a sample's value; a push carries no timestamps either"
	}
}

// typeHint tells which types there are.
func typeHint(problem string) string {
	for _, word := range []string{"unknown", "info", "stateset"} {
		if strings.HasSuffix(problem, `"`+word+`"`) {
			return hintOpenMetrics
		}
	}
	return "the types are counter, gauge, histogram, gaugehistogram, summary and untyped"
}

// namesHint covers errors inside of a sample line.
func namesHint(has func(string) bool) string {
	switch {
	case has("invalid metric name"):
		return "a line begins with a metric name of letters, digits, _ and :, and no digit in front; " +
			"if the body is protobuf, its Content-Type must say so"
	case has("invalid label name"), has("expected '=' after label name"):
		return "label names have letters, digits and _, and no digit in front"
	case has("is reserved"), has("stand in braces with its name"):
		return "write the metric name in front of the braces"
	case has("at start of label value"), has("unexpected end of label value"), has("unescaped new-line"):
		return `label values stand in double quotes, with commas between labels: x{a="1",b="2"} 42`
	case has("invalid escape sequence"):
		return `in label values and HELP write a backslash as \\, a double quote as \" and a line feed as \n`
	case has("invalid label value"):
		return "label values must be UTF-8; convert what is Latin-1 or Windows-1252"
	case has("duplicate label names"):
		return "send each label once"
	case has("expected float as value"):
		return "after the name and its labels comes a blank and then a number, such as my_metric 42"
	}
	return ""
}
