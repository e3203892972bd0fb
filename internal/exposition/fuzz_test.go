package exposition

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// readBack checks that a block's page is read by the library, and gives back what the block holds.
func readBack(t *testing.T, f *Family, b *Block) {
	t.Helper()
	if b.Series() == 0 {
		return
	}
	for _, s := range append(schemes(), model.NoEscaping) {
		var page bytes.Buffer
		if err := WriteFamily(&page, Format{Text, s}, Header{f.Name, f.Help, f.Type}, one(b)); err != nil {
			t.Fatal(err)
		}
		names := model.LegacyValidation
		if s == model.NoEscaping {
			names = model.UTF8Validation
		}
		text := page.String()
		parser := expfmt.NewTextParser(names)
		families, err := parser.TextToMetricFamilies(&page)
		if err != nil {
			t.Fatalf("%v: %v in\n%s", s, err, text)
		}
		mf := families[escapeName(f.Name, s)]
		if mf == nil || len(families) != 1 || len(mf.Metric) != b.Series() {
			t.Fatalf("%v: %d families, %d metrics of %d in\n%s", s, len(families), len(mf.GetMetric()), b.Series(), text)
		}
		if got, want := values(mf.Metric), values(expected(t, f, b, s).Metric); !slices.Equal(got, want) {
			t.Fatalf("%v: got %q, want %q in\n%s", s, got, want, text)
		}
	}
}

// values renders the metrics by their text, where NaN equals NaN, in a fixed order.
func values(metrics []*dto.Metric) []string {
	var lines []string
	for _, m := range metrics {
		labels := FromProto(gathered("", untypedType, m)).metrics[0].labels
		labels.sort()
		for _, typ := range []dto.MetricType{gaugeType, counterType, untypedType, summaryType, histogramType} {
			if v, ok := valueOf(typ, m); ok {
				t := newTextMetric("x", untypedType)
				t.typ = typ
				lines = append(lines, string(t.appendMetric(nil, labels, &v)))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// parserQuirk tells families whose own text the library does not read back: it drops quantiles and
// bounds that are NaN, refuses or wraps counts that are negative or too large, and gives a name in
// braces the type of the line before.
func parserQuirk(f *Family) bool {
	if !IsPlain(f.Name) && f.Type != gaugeType && f.Type != counterType && f.Type != untypedType {
		return true
	}
	odd := func(count float64) bool { return !(count >= 0 && count < 1<<63) }
	for i := range f.metrics {
		s, h := f.metrics[i].value.summary, f.metrics[i].value.histogram
		for _, q := range s.GetQuantile() {
			if math.IsNaN(q.GetQuantile()) {
				return true
			}
		}
		for _, b := range h.GetBucket() {
			if math.IsNaN(b.GetUpperBound()) || odd(floatOr(b.GetCumulativeCountFloat(), b.GetCumulativeCount())) {
				return true
			}
		}
		if odd(float64(s.GetSampleCount())) || odd(floatOr(h.GetSampleCountFloat(), h.GetSampleCount())) {
			return true
		}
	}
	return false
}

func FuzzDecodeText(f *testing.F) {
	for _, mf := range samplesOfAllTypes() {
		f.Add([]byte(ownText(f, mf, model.NoEscaping)), true)
	}
	f.Add([]byte("# TYPE h histogram\nx 1\n{\"h\",a=\"b\"} 1\n"), false)
	f.Add([]byte("{\"x.y\",\"a:b\"=\"c\\n\"} 1\nx_y 2\n"), true)
	f.Fuzz(func(t *testing.T, body []byte, utf8Names bool) {
		names := model.LegacyValidation
		if utf8Names {
			names = model.UTF8Validation
		}
		families, err := DecodeText(body, names)
		if err != nil {
			return
		}
		checkPages(t, families)
	})
}

func FuzzDecodeProtobuf(f *testing.F) {
	for _, mf := range samplesOfAllTypes() {
		f.Add(delimited(f, mf))
	}
	for _, mf := range protosOfAllTypes() {
		f.Add(delimited(f, mf))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		families, err := DecodeProtobuf(body)
		if err != nil {
			return
		}
		checkPages(t, families)
	})
}

// checkPages encodes families and checks that what is accepted can be read, stored and read back.
func checkPages(t *testing.T, families []*Family) {
	t.Helper()
	for _, f := range families {
		f.Timestamped()
		b, err := f.Encode(Labels{{"job", "j"}})
		if err != nil {
			if strings.ToValidUTF8(err.Error(), "") != err.Error() {
				t.Fatalf("error is not UTF-8: %q", err)
			}
			continue
		}
		back, err := DecodeBlock(f.Name, f.Type, b.Proto())
		if err != nil || lines(f.Name, back) != lines(f.Name, b) || !bytes.Equal(back.Proto(), b.Proto()) {
			t.Fatalf("stored block of %q differs: %v", f.Name, err)
		}
		JoinText(f.Name, slices.Values([]*Block{back}))
		if lines(f.Name, back) != lines(f.Name, b) || !bytes.Equal(back.Proto(), b.Proto()) {
			t.Fatalf("joined block of %q differs", f.Name)
		}
		if !parserQuirk(f) {
			readBack(t, f, b)
		}
	}
}
