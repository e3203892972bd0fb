package exposition

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"unsafe"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Field numbers of io.prometheus.client, as far as this package reads or writes them itself.
const (
	familyName, familyHelp, familyType, familyMetric, familyUnit = 1, 2, 3, 4, 5
	metricLabel, metricTimestamp                                 = 1, 6
	labelName, labelValue                                        = 1, 2
	numberValue                                                  = 1 // of Gauge, Counter and Untyped
)

var errCanonical = errors.New("metric is not in canonical form")

// valueField returns the field of Metric that holds a value of type t.
func valueField(t dto.MetricType) protowire.Number {
	switch t {
	case dto.MetricType_GAUGE:
		return 2
	case dto.MetricType_COUNTER:
		return 3
	case dto.MetricType_SUMMARY:
		return 4
	case dto.MetricType_UNTYPED:
		return 5
	default:
		return 7
	}
}

// numberSize is the bytes of a message that is one number.
const numberSize = 9

// appendMetric appends one metric in canonical form: the labels in their order, then v as a value of type
// t, and nothing else.
func appendMetric(dst []byte, labels Labels, t dto.MetricType, v *value) []byte {
	opts := proto.MarshalOptions{Deterministic: true}
	message := v.message(t)
	size := 0
	switch {
	case message != nil:
		size = opts.Size(message)
	case !v.unset:
		size = numberSize
	}
	field := valueField(t)
	total := pairsSize(labels) + protowire.SizeTag(field) + protowire.SizeBytes(size)
	dst = protowire.AppendTag(dst, familyMetric, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(total))
	dst = appendLabelPairs(dst, labels)
	dst = protowire.AppendTag(dst, field, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(size))
	if message == nil {
		if v.unset {
			return dst
		}
		dst = protowire.AppendTag(dst, numberValue, protowire.Fixed64Type)
		return protowire.AppendFixed64(dst, math.Float64bits(v.number))
	}
	opts.UseCachedSize = true
	dst, err := opts.MarshalAppend(dst, message)
	if err != nil { // proto2 without required fields or extensions always marshals
		panic(err)
	}
	return dst
}

// message returns a value of type t that is more than one number; nil where it is no more.
func (v *value) message(t dto.MetricType) proto.Message {
	switch {
	case t == dto.MetricType_SUMMARY:
		return v.summary
	case t == dto.MetricType_HISTOGRAM, t == dto.MetricType_GAUGE_HISTOGRAM:
		return v.histogram
	case v.counter != nil:
		return v.counter
	}
	return nil
}

func pairsSize(labels Labels) int {
	n := 0
	for i := range labels {
		n += 1 + protowire.SizeBytes(pairSize(&labels[i]))
	}
	return n
}

func pairSize(l *Label) int {
	return 2 + protowire.SizeBytes(len(l.Name)) + protowire.SizeBytes(len(l.Value))
}

func appendLabelPairs(dst []byte, labels Labels) []byte {
	for i := range labels {
		l := &labels[i]
		dst = protowire.AppendTag(dst, metricLabel, protowire.BytesType)
		dst = protowire.AppendVarint(dst, uint64(pairSize(l)))
		dst = protowire.AppendTag(dst, labelName, protowire.BytesType)
		dst = protowire.AppendString(dst, l.Name)
		dst = protowire.AppendTag(dst, labelValue, protowire.BytesType)
		dst = protowire.AppendString(dst, l.Value)
	}
	return dst
}

// eachMetric yields the metrics in a run of familyMetric fields. It ends early at bytes that are no such
// field; walked tells how many bytes were.
func eachMetric(run []byte, walked *int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for *walked < len(run) {
			metric, n := takeField(run[*walked:], familyMetric)
			if n < 0 {
				return
			}
			*walked += n
			if !yield(metric) {
				return
			}
		}
	}
}

// takeField returns the content of the length-delimited field that b begins with and the size of all of
// it, or -1 where b begins with something else.
func takeField(b []byte, want protowire.Number) (content []byte, size int) {
	num, typ, n := protowire.ConsumeTag(b)
	if n < 0 || num != want || typ != protowire.BytesType {
		return nil, -1
	}
	content, m := protowire.ConsumeBytes(b[n:])
	if m < 0 {
		return nil, -1
	}
	return content, n + m
}

// splitMetric appends the labels that a canonical metric begins with to buf. labelPart is the bytes they
// take, rest what follows. The strings share the memory of metric.
func splitMetric(metric []byte, buf Labels) (labels Labels, labelPart, rest []byte, err error) {
	at := 0
	for at < len(metric) && metric[at] == metricLabel<<3|byte(protowire.BytesType) {
		pair, n := takeField(metric[at:], metricLabel)
		if n < 0 {
			return nil, nil, nil, errCanonical
		}
		name, size := takeField(pair, labelName)
		if size < 0 {
			return nil, nil, nil, errCanonical
		}
		text, more := takeField(pair[size:], labelValue)
		if more < 0 || size+more != len(pair) {
			return nil, nil, nil, errCanonical
		}
		buf = append(buf, Label{aliased(name), aliased(text)})
		at += n
	}
	return buf, metric[:at], metric[at:], nil
}

// aliased returns b as a string without a copy. b must never change; that of a Block does not.
func aliased(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// readValue decodes what follows the labels of a canonical metric of type t.
func readValue(t dto.MetricType, rest []byte) (value, error) {
	content, n := takeField(rest, valueField(t))
	if n != len(rest) {
		return value{}, errCanonical
	}
	const numberTag = numberValue<<3 | byte(protowire.Fixed64Type)
	switch t {
	case dto.MetricType_SUMMARY:
		s := &dto.Summary{}
		return value{summary: s}, proto.Unmarshal(content, s)
	case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		h := &dto.Histogram{}
		return value{histogram: h}, proto.Unmarshal(content, h)
	}
	if len(content) == 9 && content[0] == numberTag {
		return value{number: math.Float64frombits(binary.LittleEndian.Uint64(content[1:]))}, nil
	}
	c := &dto.Counter{} // Gauge and Untyped are a Counter without its other fields
	if err := proto.Unmarshal(content, c); err != nil {
		return value{}, fmt.Errorf("reading a value: %w", err)
	}
	if t == dto.MetricType_COUNTER {
		return counterValue(c), nil
	}
	return value{number: c.GetValue(), unset: c.Value == nil}, nil
}
