package web

import (
	"cmp"
	"encoding/json"
	"io"
	"iter"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	dto "github.com/prometheus/client_model/go"

	"holdfast"
)

// These keys of a group are not families.
const (
	labelsKey  = "labels"
	successKey = "last_push_successful"
)

// groupWriter writes groups as the query API shows them, metric by metric, so that it holds little even
// where a group is large.
type groupWriter struct {
	out  io.Writer
	line []byte // what is still to be written
}

// pass writes the line out.
func (w *groupWriter) pass() error {
	_, err := w.out.Write(w.line)
	w.line = w.line[:0]
	return err
}

// group writes an object with a key for each family, in bytewise order. A family that is called like one
// of the other keys is shown as family:NAME.
func (w *groupWriter) group(g *holdfast.Group) error {
	type member struct {
		key   string
		write func() error
	}
	members := []member{
		{labelsKey, func() error { w.line = appendLabels(w.line, keyLabels(g)); return nil }},
		{successKey, func() error { w.line = strconv.AppendBool(w.line, g.LastPushSucceeded()); return nil }},
	}
	for _, m := range g.Members() {
		key := m.Name
		if key == labelsKey || key == successKey {
			key = "family:" + key
		}
		members = append(members, member{key, func() error { return w.family(m) }})
	}
	slices.SortFunc(members, func(a, b member) int { return cmp.Compare(a.key, b.key) })
	for i, m := range members {
		w.line = append(w.line, separator(i))
		w.line = append(appendString(w.line, m.key), ':')
		if err := m.write(); err != nil {
			return err
		}
	}
	w.line = append(w.line, '}')
	return w.pass()
}

// separator is what stands before the i-th member of an object.
func separator(i int) byte {
	if i == 0 {
		return '{'
	}
	return ','
}

func (w *groupWriter) family(m holdfast.Member) error {
	b := append(w.line, `{"time_stamp":"`...)
	b = m.Pushed().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","type":"`...)
	b = append(b, m.Type.String()...)
	b = append(b, '"')
	if m.Help != "" {
		b = appendString(append(b, `,"help":`...), m.Help)
	}
	b = append(b, `,"metrics":[`...)
	first := true
	for metric, err := range m.Each() {
		if err != nil {
			return err
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		w.line = appendMetric(b, m.Type, metric)
		if err := w.pass(); err != nil {
			return err
		}
		b = w.line
	}
	w.line = append(b, "]}"...)
	return nil
}

func appendMetric(b []byte, typ dto.MetricType, m *dto.Metric) []byte {
	switch typ {
	case dto.MetricType_SUMMARY:
		return appendSummary(b, m)
	case dto.MetricType_HISTOGRAM:
		return appendHistogram(b, m)
	}
	// A gauge histogram has a value of 0 here, as in the reference: what reads this API knows no more.
	b = appendLabels(append(b, `{"labels":`...), metricLabels(m))
	b = appendNumber(append(b, `,"value":`...), valueOf(typ, m))
	return append(b, '}')
}

// valueOf is the value of a metric that has just one.
func valueOf(typ dto.MetricType, m *dto.Metric) float64 {
	switch typ {
	case dto.MetricType_COUNTER:
		return m.GetCounter().GetValue()
	case dto.MetricType_GAUGE:
		return m.GetGauge().GetValue()
	}
	return m.GetUntyped().GetValue() // 0 for what is not untyped
}

func appendSummary(b []byte, m *dto.Metric) []byte {
	summary := m.GetSummary()
	b = append(b, `{"count":"`...)
	b = strconv.AppendUint(b, summary.GetSampleCount(), 10)
	b = appendLabels(append(b, `","labels":`...), metricLabels(m))
	var quantiles [][2]string
	for _, q := range summary.GetQuantile() {
		quantiles = append(quantiles, [2]string{number(q.GetQuantile()), number(q.GetValue())})
	}
	b = appendByKey(append(b, `,"quantiles":`...), quantiles)
	b = appendNumber(append(b, `,"sum":`...), summary.GetSampleSum())
	return append(b, '}')
}

func appendHistogram(b []byte, m *dto.Metric) []byte {
	h := m.GetHistogram()
	b = append(b, `{"buckets":`...)
	if isNative(h) {
		b = appendNativeBuckets(b, h)
	} else {
		b = appendByKey(b, classicBuckets(h))
	}
	b = append(b, `,"count":"`...)
	b = append(b, countOf(h)...)
	b = appendLabels(append(b, `","labels":`...), metricLabels(m))
	b = appendNumber(append(b, `,"sum":`...), h.GetSampleSum())
	return append(b, '}')
}

// classicBuckets returns upper bound and count of each bucket, as text, in the order they were pushed.
func classicBuckets(h *dto.Histogram) [][2]string {
	var buckets [][2]string
	for _, b := range h.GetBucket() {
		count := strconv.FormatUint(b.GetCumulativeCount(), 10)
		if b.GetCumulativeCountFloat() > 0 {
			count = number(b.GetCumulativeCountFloat())
		}
		buckets = append(buckets, [2]string{number(b.GetUpperBound()), count})
	}
	return buckets
}

func countOf(h *dto.Histogram) string {
	if h.GetSampleCountFloat() > 0 {
		return number(h.GetSampleCountFloat())
	}
	return strconv.FormatUint(h.GetSampleCount(), 10)
}

func appendNativeBuckets(b []byte, h *dto.Histogram) []byte {
	b = append(b, '[')
	first := true
	for bucket := range nativeBuckets(h) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, '[', '0'+byte(bucket.bounds))
		for _, f := range []float64{bucket.lower, bucket.upper, bucket.count} {
			b = appendNumber(append(b, ','), f)
		}
		b = append(b, ']')
	}
	return append(b, ']')
}

// appendByKey appends an object of strings, sorted; of equal keys the last one counts.
func appendByKey(b []byte, pairs [][2]string) []byte {
	slices.SortStableFunc(pairs, func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) })
	b = append(b, '{')
	first := true
	for i, pair := range pairs {
		if i+1 < len(pairs) && pairs[i+1][0] == pair[0] {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendString(b, pair[0]), ':')
		b = appendString(b, pair[1])
	}
	return append(b, '}')
}

func keyLabels(g *holdfast.Group) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, l := range g.Key().Labels() {
			if !yield(l.Name, l.Value) {
				return
			}
		}
	}
}

func metricLabels(m *dto.Metric) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, l := range m.GetLabel() {
			if !yield(l.GetName(), l.GetValue()) {
				return
			}
		}
	}
}

func appendLabels(b []byte, labels iter.Seq2[string, string]) []byte {
	b = append(b, '{')
	first := true
	for name, value := range labels {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendString(b, name), ':')
		b = appendString(b, value)
	}
	return append(b, '}')
}

// number renders a float64 in the fewest digits that read back as the same.
func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// appendNumber appends a number as a string, which JSON numbers could not be: NaN and infinities occur.
func appendNumber(b []byte, f float64) []byte {
	b = strconv.AppendFloat(append(b, '"'), f, 'g', -1, 64)
	return append(b, '"')
}

// appendString appends a JSON string in which <, > and & are escaped.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c >= utf8.RuneSelf {
			text, _ := json.Marshal(s) // a string always has JSON
			return append(b, text...)
		}
	}
	b = append(append(b, '"'), s...)
	return append(b, '"')
}
