package exposition

import (
	"math"
	"strconv"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
)

// textMetric writes the sample lines of one metric after the other. Names in it are final: escaped
// where the scheme asks for it.
type textMetric struct {
	name  string // of the family
	quote bool   // the name stands quoted inside the braces
	typ   dto.MetricType
	pairs []byte // the label part, rendered once a metric and reused between metrics
}

func newTextMetric(name string, typ dto.MetricType) *textMetric {
	return &textMetric{name: name, quote: !IsPlain(name), typ: typ}
}

// appendMetric appends all lines of one metric.
func (t *textMetric) appendMetric(dst []byte, labels Labels, v *value) []byte {
	t.pairs = appendPairs(t.pairs[:0], labels)
	switch t.typ {
	case dto.MetricType_SUMMARY:
		return t.appendSummary(dst, v.summary)
	case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		return t.appendHistogram(dst, v.histogram)
	default:
		return t.appendLine(dst, "", v.number)
	}
}

func (t *textMetric) appendSummary(dst []byte, s *dto.Summary) []byte {
	for _, q := range s.GetQuantile() {
		dst = t.appendBound(dst, "", model.QuantileLabel, q.GetQuantile(), q.GetValue())
	}
	dst = t.appendLine(dst, "_sum", s.GetSampleSum())
	return t.appendLine(dst, "_count", float64(s.GetSampleCount()))
}

// appendHistogram appends the classic side of a histogram. The native side has no text.
func (t *textMetric) appendHistogram(dst []byte, h *dto.Histogram) []byte {
	count := floatOr(h.GetSampleCountFloat(), h.GetSampleCount())
	for _, b := range h.GetBucket() {
		n := floatOr(b.GetCumulativeCountFloat(), b.GetCumulativeCount())
		dst = t.appendBound(dst, "_bucket", model.BucketLabel, b.GetUpperBound(), n)
	}
	if !endsInfinite(h) {
		dst = t.appendBound(dst, "_bucket", model.BucketLabel, math.Inf(+1), count)
	}
	dst = t.appendLine(dst, "_sum", h.GetSampleSum())
	return t.appendLine(dst, "_count", count)
}

// floatOr picks the count that is in force: the float one overrules the integer one unless it is 0.
func floatOr(f float64, n uint64) float64 {
	if f != 0 {
		return f
	}
	return float64(n)
}

// endsInfinite reports whether some classic bucket has the bound +Inf.
func endsInfinite(h *dto.Histogram) bool {
	for _, b := range h.GetBucket() {
		if math.IsInf(b.GetUpperBound(), +1) {
			return true
		}
	}
	return false
}

// appendLine appends one sample without a label of its own.
func (t *textMetric) appendLine(dst []byte, suffix string, number float64) []byte {
	dst, sep := t.appendName(dst, suffix)
	if len(t.pairs) > 0 {
		dst = append(dst, sep)
		dst = append(dst, t.pairs...)
		sep = ','
	}
	if sep == ',' {
		dst = append(dst, '}')
	}
	return appendNumber(dst, number)
}

// appendBound appends one sample with a label of its own, le or quantile, which stands last.
func (t *textMetric) appendBound(dst []byte, suffix, label string, bound, number float64) []byte {
	dst, sep := t.appendName(dst, suffix)
	dst = append(dst, sep)
	if len(t.pairs) > 0 {
		dst = append(dst, t.pairs...)
		dst = append(dst, ',')
	}
	dst = append(dst, label...)
	dst = append(dst, '=', '"')
	dst = appendFloat(dst, bound)
	dst = append(dst, '"', '}')
	return appendNumber(dst, number)
}

// appendName appends the name of a sample and returns what comes before the next label.
func (t *textMetric) appendName(dst []byte, suffix string) ([]byte, byte) {
	if !t.quote {
		dst = append(dst, t.name...)
		return append(dst, suffix...), '{'
	}
	dst = append(dst, '{', '"')
	dst = appendEscaped(dst, t.name)
	dst = append(dst, suffix...)
	return append(dst, '"'), ','
}

// appendNumber ends a line.
func appendNumber(dst []byte, f float64) []byte {
	dst = append(dst, ' ')
	dst = appendFloat(dst, f)
	return append(dst, '\n')
}

// appendPairs appends a="1",b="2".
func appendPairs(dst []byte, labels Labels) []byte {
	for i := range labels {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendLabelName(dst, labels[i].Name)
		dst = append(dst, '=', '"')
		dst = appendEscaped(dst, labels[i].Value)
		dst = append(dst, '"')
	}
	return dst
}

// appendLabelName appends a label name, quoted unless every parser takes it bare.
func appendLabelName(dst []byte, name string) []byte {
	if isPlainLabel(name) {
		return append(dst, name...)
	}
	return appendQuoted(dst, name)
}

func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, s)
	return append(dst, '"')
}

// appendEscaped appends s as it stands between double quotes.
func appendEscaped(dst []byte, s string) []byte {
	start := 0
	for i := range len(s) {
		c := s[i]
		switch c {
		case '\n':
			c = 'n'
		case '\\', '"':
		default:
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = append(dst, '\\', c)
		start = i + 1
	}
	return append(dst, s[start:]...)
}

// appendHelp appends s as it stands in a HELP line, where double quotes are literal.
func appendHelp(dst []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; c {
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\\':
			dst = append(dst, '\\', '\\')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// wholeNumbers is where the shortest form of an integer turns to an exponent.
const wholeNumbers = 1e6

// appendFloat appends the shortest digits that give f back; -0 reads 0.
func appendFloat(dst []byte, f float64) []byte {
	switch {
	case f > -wholeNumbers && f < wholeNumbers && f == math.Trunc(f):
		return strconv.AppendInt(dst, int64(f), 10)
	case math.IsInf(f, +1):
		return append(dst, "+Inf"...)
	default: // NaN and -Inf are spelt by strconv as wanted
		return strconv.AppendFloat(dst, f, 'g', -1, 64)
	}
}
