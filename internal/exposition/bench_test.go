package exposition

import (
	"bytes"
	"fmt"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"
)

// benchFamily has n gauges of four labels, or n histograms of ten buckets.
func benchFamily(t dto.MetricType, n int) *dto.MetricFamily {
	mf := &dto.MetricFamily{Name: proto.String("http_request_duration_seconds"), Help: proto.String("How long."), Type: &t}
	for i := range n {
		m := gauge(float64(i)*1.5, "code", "200", "handler", fmt.Sprintf("/api/v1/%06d", i), "instance", "", "job", "batch")
		h := &dto.Histogram{SampleCount: proto.Uint64(10), SampleSum: proto.Float64(12.5)}
		for b := range 10 {
			h.Bucket = append(h.Bucket, &dto.Bucket{
				UpperBound: proto.Float64(float64(b) / 10), CumulativeCount: proto.Uint64(uint64(b)),
			})
		}
		m.Histogram = h
		mf.Metric = append(mf.Metric, m)
	}
	return mf
}

// BenchmarkText defends that blocks are written faster than the library writes its families.
func BenchmarkText(b *testing.B) {
	for _, typ := range []dto.MetricType{gaugeType, histogramType} {
		mf := benchFamily(typ, 100)
		rows := new(desk).rows(FromProto(mf), nil, false)
		b.Run(fmt.Sprintf("%v/own", typ), func(b *testing.B) {
			t := newTextMetric(mf.GetName(), typ)
			var out []byte
			for b.Loop() {
				out = out[:0]
				for i := range rows {
					out = t.appendMetric(out, rows[i].labels, &rows[i].metric.value)
				}
			}
			b.SetBytes(int64(len(out)))
		})
		b.Run(fmt.Sprintf("%v/library", typ), func(b *testing.B) {
			var out bytes.Buffer
			for b.Loop() {
				out.Reset()
				if _, err := expfmt.MetricFamilyToText(&out, mf); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(out.Len()))
		})
	}
}

// BenchmarkEncode defends the price of a push: what it holds, at so many series.
func BenchmarkEncode(b *testing.B) {
	overlay := Labels{{"instance", "host-1"}, {"job", "batch"}}
	for _, n := range []int{1, 20, 1000} {
		for _, typ := range []dto.MetricType{gaugeType, histogramType} {
			f := FromProto(benchFamily(typ, n))
			b.Run(fmt.Sprintf("%v/%d", typ, n), func(b *testing.B) {
				b.ReportAllocs()
				var block *Block
				for b.Loop() {
					var err error
					if block, err = f.Encode(overlay); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(block.Size())/float64(n), "held-B/series")
			})
		}
	}
}

// BenchmarkDecodeText is the part of a push that the library does.
func BenchmarkDecodeText(b *testing.B) {
	body := []byte(ownText(b, benchFamily(gaugeType, 20), model.NoEscaping))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeText(body, model.LegacyValidation); err != nil {
			b.Fatal(err)
		}
	}
}
