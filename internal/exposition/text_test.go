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
	"google.golang.org/protobuf/proto"
)

// one yields a single block.
func one(b *Block) func(func(*Block) bool) {
	return slices.Values([]*Block{b})
}

// ownText writes a family as this package does, without overlay and checks.
func ownText(t testing.TB, mf *dto.MetricFamily, s model.EscapingScheme) string {
	t.Helper()
	var w bytes.Buffer
	h := Header{mf.GetName(), mf.GetHelp(), mf.GetType()}
	if err := WriteFamily(&w, Format{Text, s}, h, one(FromProto(mf).EncodeOwn())); err != nil {
		t.Fatal(err)
	}
	return w.String()
}

// libraryText writes it as prometheus/common does.
func libraryText(t testing.TB, mf *dto.MetricFamily, s model.EscapingScheme) string {
	t.Helper()
	var w bytes.Buffer
	if _, err := expfmt.MetricFamilyToText(&w, model.EscapeMetricFamily(mf, s)); err != nil {
		t.Fatal(err)
	}
	return w.String()
}

// samplesOfAllTypes are families whose text has some peculiarity each.
func samplesOfAllTypes() []*dto.MetricFamily {
	floats := []float64{
		0, math.Copysign(0, -1), 1, -1, 42, 999999, -999999, 1e6, -1e6, 1234567, 1e15, 1e21, 0.5, 1e-4, 1e-5, 0.1 + 0.2,
		math.MaxFloat64, math.SmallestNonzeroFloat64, math.NaN(), math.Inf(1), math.Inf(-1), 123456.5, 1 << 53,
	}
	var families []*dto.MetricFamily
	for _, f := range floats {
		families = append(families,
			&dto.MetricFamily{
				Name: proto.String("n:a_1"), Help: proto.String("a \"b\" \\ \n c"), Type: gaugeType.Enum(),
				Metric: []*dto.Metric{gauge(f, "a", "x\\y\"z\nä", "b", "")},
			},
			&dto.MetricFamily{
				Name: proto.String("c"), Type: counterType.Enum(),
				Metric: []*dto.Metric{{Counter: &dto.Counter{Value: &f}}},
			},
			&dto.MetricFamily{
				Name: proto.String("s"), Type: summaryType.Enum(),
				Metric: []*dto.Metric{labelled(&dto.Metric{Summary: &dto.Summary{
					SampleSum: &f, SampleCount: proto.Uint64(math.MaxUint64),
					Quantile: []*dto.Quantile{{Quantile: &f, Value: &f}, {}},
				}}, "a", "1")},
			},
			&dto.MetricFamily{
				Name: proto.String("h"), Type: gaugeHistType.Enum(),
				Metric: []*dto.Metric{{Histogram: &dto.Histogram{
					SampleSum: &f, SampleCountFloat: &f,
					Bucket: []*dto.Bucket{{UpperBound: &f, CumulativeCountFloat: &f}},
				}}},
			})
	}
	empty := &dto.Metric{
		Gauge: &dto.Gauge{}, Counter: &dto.Counter{}, Untyped: &dto.Untyped{}, Summary: &dto.Summary{}, Histogram: &dto.Histogram{},
	}
	for _, typ := range []dto.MetricType{gaugeType, counterType, untypedType, summaryType, histogramType} {
		families = append(families, &dto.MetricFamily{Name: proto.String("e"), Type: typ.Enum(), Metric: []*dto.Metric{empty}})
	}
	return append(families, &dto.MetricFamily{
		Name: proto.String("n"), Type: histogramType.Enum(), Metric: []*dto.Metric{{Histogram: integerNative()}},
	})
}

func TestTextIsTheLibrarys(t *testing.T) {
	for _, mf := range samplesOfAllTypes() {
		for _, s := range append(schemes(), model.NoEscaping) {
			if got, want := ownText(t, mf, s), libraryText(t, mf, s); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		}
	}
}

func TestTextOfEscapedNames(t *testing.T) {
	mf := &dto.MetricFamily{
		Name: proto.String("foo.bar"), Help: proto.String("h"), Type: gaugeType.Enum(),
		Metric: []*dto.Metric{gauge(1, "l x-é", "b", "plain", "c")},
	}
	for scheme, want := range map[model.EscapingScheme]string{
		model.UnderscoreEscaping:    "# HELP foo_bar h\n# TYPE foo_bar gauge\nfoo_bar{l_x__=\"b\",plain=\"c\"} 1\n",
		model.DotsEscaping:          "# HELP foo_dot_bar h\n# TYPE foo_dot_bar gauge\nfoo_dot_bar{l__x____=\"b\",plain=\"c\"} 1\n",
		model.ValueEncodingEscaping: "# HELP U__foo_2e_bar h\n# TYPE U__foo_2e_bar gauge\nU__foo_2e_bar{U__l_20_x_2d__e9_=\"b\",plain=\"c\"} 1\n",
		model.NoEscaping:            "# HELP \"foo.bar\" h\n# TYPE \"foo.bar\" gauge\n{\"foo.bar\",\"l x-é\"=\"b\",plain=\"c\"} 1\n",
	} {
		if got := ownText(t, mf, scheme); got != want {
			t.Errorf("%v: got\n%s\nwant\n%s", scheme, got, want)
		}
		if lib := libraryText(t, mf, scheme); lib != want {
			t.Errorf("%v: the library has\n%s\nwant\n%s", scheme, lib, want)
		}
	}
}

func TestTextOfQuotedNamesWithSuffix(t *testing.T) {
	h := &dto.Histogram{SampleCount: proto.Uint64(2)}
	mf := &dto.MetricFamily{Name: proto.String("a\"b"), Type: histogramType.Enum(), Metric: []*dto.Metric{{Histogram: h}}}
	want := "# TYPE \"a\\\"b\" histogram\n" +
		"{\"a\\\"b_bucket\",le=\"+Inf\"} 2\n{\"a\\\"b_sum\"} 0\n{\"a\\\"b_count\"} 2\n"
	if got := ownText(t, mf, model.NoEscaping); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if lib := libraryText(t, mf, model.NoEscaping); lib != want {
		t.Errorf("the library has\n%s", lib)
	}
}

func TestTextNeverPrintsAColonInABareLabelName(t *testing.T) {
	mf := &dto.MetricFamily{
		Name: proto.String("a:b"), Type: gaugeType.Enum(), Metric: []*dto.Metric{gauge(1, "x:y", "1")},
	}
	for scheme, want := range map[model.EscapingScheme]string{
		model.UnderscoreEscaping:    `a:b{x_y="1"} 1`,
		model.DotsEscaping:          `a:b{x__y="1"} 1`,
		model.ValueEncodingEscaping: `a:b{U__x_3a_y="1"} 1`,
		model.NoEscaping:            `a:b{"x:y"="1"} 1`,
	} {
		if got := ownText(t, mf, scheme); got != "# TYPE a:b gauge\n"+want+"\n" {
			t.Errorf("%v: got\n%s\nwant\n%s", scheme, got, want)
		}
	}
}

// FuzzText compares the text writer with the library's, for names, values and numbers of any kind.
func FuzzText(f *testing.F) {
	f.Add("x", "help", "a", "v", 1.5, 2.5, uint64(3), uint8(0))
	f.Add("foo.bar", "h\\\n\"", "l x-é", "\"\\\n", math.Inf(1), math.NaN(), uint64(1<<63), uint8(4))
	f.Fuzz(func(t *testing.T, name, help, label, val string, bound, number float64, count uint64, kind uint8) {
		mf := &dto.MetricFamily{Name: &name, Type: dto.MetricType(kind % 6).Enum()}
		if help != "" {
			mf.Help = &help
		}
		mf.Metric = []*dto.Metric{labelled(&dto.Metric{
			Gauge: &dto.Gauge{Value: &number}, Counter: &dto.Counter{Value: &number}, Untyped: &dto.Untyped{Value: &number},
			Summary: &dto.Summary{
				SampleCount: &count, SampleSum: &number, Quantile: []*dto.Quantile{{Quantile: &bound, Value: &number}},
			},
			Histogram: &dto.Histogram{
				SampleCount: &count, SampleSum: &number,
				Bucket: []*dto.Bucket{{UpperBound: &bound, CumulativeCount: &count}, {CumulativeCountFloat: &number}},
			},
		}, label, val)}
		if name == "" || strings.Contains(label, ":") || !model.UTF8Validation.IsValidLabelName(label) {
			return
		}
		for _, s := range append(schemes(), model.NoEscaping) {
			if got, want := ownText(t, mf, s), libraryText(t, mf, s); got != want {
				t.Errorf("%v: got\n%s\nwant\n%s", s, got, want)
			}
		}
	})
}
