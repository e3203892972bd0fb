package web

import (
	"strconv"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// metricReply is one metric. Numbers are strings, since JSON has no NaN and no infinity, and many readers
// of it no whole numbers above 2^53.
type metricReply struct {
	Labels    map[string]string `json:"labels"`
	Value     string            `json:"value,omitempty"` // of a counter, gauge or untyped metric
	Count     string            `json:"count,omitempty"` // of a summary or histogram
	Sum       string            `json:"sum,omitempty"`
	Quantiles []quantileReply   `json:"quantiles,omitempty"`
	Buckets   []bucketReply     `json:"buckets,omitempty"` // classic ones, cumulative
	Native    *nativeReply      `json:"native,omitempty"`
	Exemplar  *exemplarReply    `json:"exemplar,omitempty"` // of a counter
	Created   *time.Time        `json:"created,omitempty"`
}

type quantileReply struct {
	Quantile string `json:"quantile"`
	Value    string `json:"value"`
}

type bucketReply struct {
	UpperBound string         `json:"le"`
	Count      string         `json:"count"`
	Exemplar   *exemplarReply `json:"exemplar,omitempty"`
}

// nativeReply is the native side of a histogram.
type nativeReply struct {
	Schema        int32               `json:"schema"`
	ZeroThreshold string              `json:"zero_threshold"`
	Buckets       []nativeBucketReply `json:"buckets"`
	Exemplars     []*exemplarReply    `json:"exemplars,omitempty"`
}

// nativeBucketReply is a bucket that holds something; those below zero come first.
type nativeBucketReply struct {
	Lower      string `json:"lower"`
	Upper      string `json:"upper"`
	Boundaries string `json:"boundaries"` // which bounds belong to it: "(]", "[)" or "[]"
	Count      string `json:"count"`
}

type exemplarReply struct {
	Labels map[string]string `json:"labels"`
	Value  string            `json:"value"`
	Time   *time.Time        `json:"time,omitempty"`
}

func newMetricReply(typ dto.MetricType, m *dto.Metric) *metricReply {
	reply := &metricReply{Labels: map[string]string{}}
	for name, value := range metricLabels(m) {
		reply.Labels[name] = value
	}
	switch typ {
	case dto.MetricType_SUMMARY:
		reply.summary(m.GetSummary())
	case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		reply.histogram(m.GetHistogram())
	case dto.MetricType_COUNTER:
		reply.Exemplar = newExemplarReply(m.GetCounter().GetExemplar())
		reply.Created = stampOf(m.GetCounter().GetCreatedTimestamp())
		reply.Value = number(valueOf(typ, m))
	default:
		reply.Value = number(valueOf(typ, m))
	}
	return reply
}

func (reply *metricReply) summary(s *dto.Summary) {
	reply.Count, reply.Sum = strconv.FormatUint(s.GetSampleCount(), 10), number(s.GetSampleSum())
	for _, q := range s.GetQuantile() {
		reply.Quantiles = append(reply.Quantiles, quantileReply{number(q.GetQuantile()), number(q.GetValue())})
	}
	reply.Created = stampOf(s.GetCreatedTimestamp())
}

func (reply *metricReply) histogram(h *dto.Histogram) {
	reply.Count, reply.Sum = countOf(h), number(h.GetSampleSum())
	for i, b := range classicBuckets(h) {
		reply.Buckets = append(reply.Buckets, bucketReply{b[0], b[1], newExemplarReply(h.GetBucket()[i].GetExemplar())})
	}
	reply.Created = stampOf(h.GetCreatedTimestamp())
	if !isNative(h) && h.GetZeroThreshold() == 0 && len(h.GetExemplars()) == 0 {
		return
	}
	reply.Native = &nativeReply{Schema: h.GetSchema(), ZeroThreshold: number(h.GetZeroThreshold()), Buckets: []nativeBucketReply{}}
	for b := range nativeBuckets(h) {
		bounds := map[boundaries]string{openLeft: "(]", openRight: "[)", closed: "[]"}[b.bounds]
		reply.Native.Buckets = append(reply.Native.Buckets, nativeBucketReply{number(b.lower), number(b.upper), bounds, number(b.count)})
	}
	for _, e := range h.GetExemplars() {
		reply.Native.Exemplars = append(reply.Native.Exemplars, newExemplarReply(e))
	}
}

// newExemplarReply returns nil for no exemplar.
func newExemplarReply(e *dto.Exemplar) *exemplarReply {
	if e == nil {
		return nil
	}
	reply := &exemplarReply{Labels: map[string]string{}, Value: number(e.GetValue()), Time: stampOf(e.GetTimestamp())}
	for _, l := range e.GetLabel() {
		reply.Labels[l.GetName()] = l.GetValue()
	}
	return reply
}

// stamp is the time type of the protobuf library.
type stamp[T any] interface {
	*T
	AsTime() time.Time
}

// stampOf returns nil for no time.
func stampOf[T any, S stamp[T]](t S) *time.Time {
	if t == nil {
		return nil
	}
	at := t.AsTime()
	return &at
}
