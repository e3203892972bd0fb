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
		if t == histogramType {
			m.Gauge, m.Histogram = nil, h
		}
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

// BenchmarkDecodeText defends that our own decoder reads at least three times as many bytes a second as
// the library's, and allocates for a body but not for its samples.
func BenchmarkDecodeText(b *testing.B) {
	for _, typ := range []dto.MetricType{gaugeType, histogramType} {
		for _, n := range []int{4, 1000} {
			body := []byte(ownText(b, benchFamily(typ, n), model.NoEscaping))
			b.Run(fmt.Sprintf("%v/%d/own", typ, n), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					var d Decoder
					if _, err := d.Text(body, model.LegacyValidation); err != nil {
						b.Fatal(err)
					}
					d.Release()
				}
			})
			b.Run(fmt.Sprintf("%v/%d/library", typ, n), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					parser := expfmt.NewTextParser(model.LegacyValidation)
					if _, err := parser.TextToMetricFamilies(bytes.NewReader(body)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkDecodeProtobuf defends that our own decoder reads plain numbers at least twice as fast as the
// library, without an allocation for each, and histograms no slower.
func BenchmarkDecodeProtobuf(b *testing.B) {
	for _, typ := range []dto.MetricType{gaugeType, histogramType} {
		for _, n := range []int{4, 1000} {
			body := delimited(b, benchFamily(typ, n))
			b.Run(fmt.Sprintf("%v/%d/own", typ, n), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					var d Decoder
					if _, err := d.Protobuf(body); err != nil {
						b.Fatal(err)
					}
					d.Release()
				}
			})
			b.Run(fmt.Sprintf("%v/%d/library", typ, n), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					if _, problem := protoByLibrary(body); problem != "" {
						b.Fatal(problem)
					}
				}
			})
		}
	}
}

// A usual push: so many gauges in so many families.
const pushedGauges, pushedFamilies = 20, 5

// usualPush returns its families, each of its own name.
func usualPush() []*dto.MetricFamily {
	var families []*dto.MetricFamily
	for i := range pushedFamilies {
		mf := benchFamily(gaugeType, pushedGauges/pushedFamilies)
		mf.Name = proto.String(mf.GetName() + string(rune('a'+i)))
		families = append(families, mf)
	}
	return families
}

// usualDecodes decode a usual push, in either form.
func usualDecodes(t testing.TB) map[string]func(*Decoder) ([]*Family, error) {
	t.Helper()
	var text []byte
	for _, mf := range usualPush() {
		text = append(text, ownText(t, mf, model.NoEscaping)...)
	}
	body := delimited(t, usualPush()...)
	return map[string]func(*Decoder) ([]*Family, error){
		"text":     func(d *Decoder) ([]*Family, error) { return d.Text(text, model.LegacyValidation) },
		"protobuf": func(d *Decoder) ([]*Family, error) { return d.Protobuf(body) },
	}
}

// BenchmarkPush is what a usual push costs before anything is stored: decoded and encoded, in text and
// in protobuf.
func BenchmarkPush(b *testing.B) {
	for name, decode := range usualDecodes(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			overlay := Labels{{"instance", "i"}, {"job", "j"}}
			for b.Loop() {
				var d Decoder
				families, err := decode(&d)
				if err != nil {
					b.Fatal(err)
				}
				for _, f := range families {
					mustEncode(b, f, overlay)
				}
				d.Release()
			}
		})
	}
}
