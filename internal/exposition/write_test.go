package exposition

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

func TestWriteFamilyJoinsBlocks(t *testing.T) {
	h := Header{"x", "two\nlines \\ \"quoted\"", gaugeType}
	a := mustEncode(t, family("x", gaugeType, gauge(1)), Labels{{"job", "a"}})
	b := mustEncode(t, family("x", gaugeType, gauge(2, "l.x", "1")), Labels{{"job", "b"}})
	blocks := slices.Values([]*Block{{}, a, {}, b})
	var w bytes.Buffer
	if err := WriteFamily(&w, Format{Text, model.UnderscoreEscaping}, h, blocks); err != nil {
		t.Fatal(err)
	}
	want := "# HELP x two\\nlines \\\\ \"quoted\"\n# TYPE x gauge\n" +
		"x{instance=\"\",job=\"a\"} 1\nx{instance=\"\",job=\"b\",l_x=\"1\"} 2\n"
	if w.String() != want {
		t.Errorf("got\n%s\nwant\n%s", w.String(), want)
	}
}

func TestWriteFamilyWithoutMetrics(t *testing.T) {
	for _, syntax := range []Syntax{Text, Delimited, CompactText, ProtoText} {
		var w bytes.Buffer
		err := WriteFamily(&w, Format{Syntax: syntax}, Header{Name: "x"}, slices.Values([]*Block{{}, {}}))
		if err != nil || w.Len() > 0 {
			t.Errorf("syntax %d: wrote %q, %v", syntax, w.String(), err)
		}
	}
}

func TestTypeWords(t *testing.T) {
	for typ, want := range map[dto.MetricType]string{
		gaugeType: "gauge", counterType: "counter", untypedType: "untyped", summaryType: "summary",
		histogramType: "histogram", gaugeHistType: "histogram",
	} {
		if got := typeWord(typ); got != want {
			t.Errorf("%v: got %s, want %s", typ, got, want)
		}
	}
}

// expected is the family as the library would escape it, from what a block holds.
func expected(t *testing.T, f *Family, b *Block, s model.EscapingScheme) *dto.MetricFamily {
	t.Helper()
	metrics, err := b.Metrics()
	if err != nil {
		t.Fatal(err)
	}
	mf := &dto.MetricFamily{
		Name: proto.String(escapeName(f.Name, s)), Help: proto.String("h"), Type: f.Type.Enum(), Metric: metrics,
	}
	for _, m := range mf.Metric {
		for _, l := range m.Label {
			l.Name = proto.String(escapeLabel(l.GetName(), s))
		}
		slices.SortFunc(m.Label, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
	}
	return mf
}

func TestWriteFamilyInProtobuf(t *testing.T) {
	for _, f := range blocksOfAllTypes()[1:] {
		b := mustEncode(t, f, Labels{{"job", "j"}})
		for _, s := range append(schemes(), model.NoEscaping) {
			want := expected(t, f, b, s)
			for syntax, read := range map[Syntax]func([]byte, *dto.MetricFamily) error{
				Delimited: func(page []byte, mf *dto.MetricFamily) error {
					return protodelim.UnmarshalFrom(bytes.NewReader(page), mf)
				},
				CompactText: func(page []byte, mf *dto.MetricFamily) error { return prototext.Unmarshal(page, mf) },
				ProtoText:   func(page []byte, mf *dto.MetricFamily) error { return prototext.Unmarshal(page, mf) },
			} {
				var w bytes.Buffer
				if err := WriteFamily(&w, Format{syntax, s}, Header{f.Name, "h", f.Type}, one(b)); err != nil {
					t.Fatal(err)
				}
				got := &dto.MetricFamily{}
				if err := read(w.Bytes(), got); err != nil {
					t.Errorf("%s, syntax %d, %v: %v", f.Name, syntax, s, err)
				} else if !proto.Equal(got, want) {
					t.Errorf("%s, syntax %d, %v:\n got %v\nwant %v", f.Name, syntax, s, got, want)
				}
				if lines := strings.Count(w.String(), "\n"); syntax == CompactText && lines != 1 {
					t.Errorf("%s: compact text has %d lines", f.Name, lines)
				}
			}
		}
	}
}

func TestWriteFamilyHasNoUnitAndNoEmptyHelp(t *testing.T) {
	f := family("x", counterType, &dto.Metric{Counter: &dto.Counter{Value: proto.Float64(1)}})
	f.Unit = "bananas"
	var w bytes.Buffer
	if err := WriteFamily(&w, Format{Syntax: Delimited}, Header{Name: "x"}, one(mustEncode(t, f, nil))); err != nil {
		t.Fatal(err)
	}
	got := &dto.MetricFamily{}
	if err := protodelim.UnmarshalFrom(&w, got); err != nil {
		t.Fatal(err)
	}
	if got.Unit != nil || got.Help != nil || got.Type == nil {
		t.Errorf("got %v", got)
	}
}

// failing accepts so many writes and then fails.
type failing struct{ writes int }

var errFull = errors.New("full")

func (w *failing) Write(p []byte) (int, error) {
	if w.writes--; w.writes < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriteFamilyReturnsTheWritersError(t *testing.T) {
	b := mustEncode(t, family("x", gaugeType, gauge(1)), nil)
	for syntax, writes := range map[Syntax]int{Text: 2, Delimited: 2, CompactText: 1, ProtoText: 1} {
		for n := range writes {
			err := WriteFamily(&failing{n}, Format{Syntax: syntax}, Header{"x", "", gaugeType}, one(b))
			if !errors.Is(err, errFull) {
				t.Errorf("syntax %d, write %d: got %v", syntax, n, err)
			}
		}
	}
}
