package exposition

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// delimited returns families as a client pushes them in protobuf.
func delimited(t testing.TB, families ...*dto.MetricFamily) []byte {
	t.Helper()
	var body []byte
	for _, mf := range families {
		b, err := proto.Marshal(mf)
		if err != nil {
			t.Fatal(err)
		}
		body = append(protowire.AppendVarint(body, uint64(len(b))), b...)
	}
	return body
}

// What is encoded of a body, or said of it, must not change when its memory goes to another body.
func TestDecoderLendsMemory(t *testing.T) {
	const body = "# HELP x hi \\n hi\n# TYPE x gauge\nx{a=\"q\\\"1\",z=\"2\"} 1\nx{a=\"3\",z=\"4\"} 2\n"
	other := strings.Map(func(r rune) rune {
		if strings.ContainsRune("xhi12q4", r) {
			return r + 1
		}
		return r
	}, body)
	for range 10 {
		var d, next Decoder
		families, err := d.Text([]byte(body), model.LegacyValidation)
		if err != nil || len(families) != 1 {
			t.Fatal(len(families), err)
		}
		f := families[0]
		b, name, help := mustEncode(t, f, Labels{{"job", "j"}}), f.Name, f.Help
		_, refusal := f.Encode(Labels{{"a", "1"}, {"z", "2"}}) // both metrics become one
		want := lines("x", b) + name + help + refusal.Error()
		d.Release()
		if _, err := next.Text([]byte(other), model.LegacyValidation); err != nil {
			t.Fatal(err)
		}
		next.Release()
		if got := lines("x", b) + name + help + refusal.Error(); got != want {
			t.Fatalf("after the memory was used again it says\n%s\nwant\n%s", got, want)
		}
	}
}

func TestIsProtobuf(t *testing.T) {
	for contentType, want := range map[string]bool{
		`application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited`:         true,
		`Application/Vnd.Google.Protobuf;encoding="delimited";x=y;proto="io.prometheus.client.MetricFamily"`:   true,
		`application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=Delimited`:         false,
		`application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=text`:              false,
		`application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily`:                             false,
		`application/vnd.google.protobuf; encoding=delimited`:                                                  false,
		`application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; broken`: false,
		`text/plain; proto=io.prometheus.client.MetricFamily; encoding=delimited`:                              false,
		`application/json`: false,
		``:                 false,
	} {
		if got := IsProtobuf(contentType); got != want {
			t.Errorf("IsProtobuf(%q) = %v, want %v", contentType, got, want)
		}
	}
}

func TestDecodeTextRefuses(t *testing.T) {
	utf8 := model.UTF8Validation
	for _, c := range []struct {
		body string
		line int
		want string
		hint string // a part of it
	}{
		{"x 1", 1, `unexpected end of input stream`, "--data-binary"},
		{"x 1\n# last comment", 2, `unexpected end of input stream`, "--data-binary"},
		{"x 1\r\n", 1, `expected float as value, got "1\r"`, "carriage returns"},
		{"# TYPE x counter\r\nx 1\r\n", 1, `unknown metric type "counter\r"`, "carriage returns"},
		{"x abc\n", 1, `expected float as value, got "abc"`, "a number"},
		{"blabla\n", 1, `expected float as value, got ""`, "a number"},
		{"x.y 1\n", 1, `expected float as value, got ".y"`, "a number"},
		{"x 0x10\n", 1, `expected float as value, got "0x10"`, "a number"},
		{"x 1e400\n", 1, `expected float as value, got "1e400"`, "a number"},
		{"x 1 1.5\n", 1, `expected integer as timestamp, got "1.5"`, "no timestamps"},
		{"x 1 \n", 1, `expected integer as timestamp, got ""`, "remove the blank"},
		{"x 1 # {trace=\"a\"} 1\n", 1, `expected integer as timestamp, got "#"`, "OpenMetrics"},
		{"x 1 1000 foo\n", 1, `spurious string after timestamp: " foo"`, "no timestamps"},
		{"ok 1\n1x 1\n", 2, `invalid metric name`, "letters, digits"},
		{"\xef\xbb\xbfx 1\n", 1, `invalid metric name`, "byte order mark"},
		{"\xff\xfex\x00 \x001\x00\n\x00", 1, `invalid metric name`, "UTF-16"},
		{"\x1f\x8b\x08\x00\n", 1, `invalid metric name`, "Content-Encoding: gzip"},
		{"<html>\n", 1, `invalid metric name`, "markup"},
		{"{} 1\n", 1, `invalid metric name`, "metric name"},
		{"{a=\"b\"} 1\n", 1, `invalid metric name`, "metric name"},
		{"{\"x.y\"} 1\n", 1, `invalid metric name "x.y"`, "letters, digits"},
		{"{\n\"x\": 1}\n", 1, `invalid label name for metric ""`, "JSON"},
		{"x{,} 1\n", 1, `invalid label name for metric "x"`, "label names"},
		{"x{a=\"b\",a=\"c\"} 1\n", 1, `duplicate label names for metric "x"`, "once"},
		{"x{__name__=\"b\"} 1\n", 1, `label name "__name__" is reserved`, "in front of the braces"},
		{"x{a.b=\"b\"} 1\n", 1, `expected '=' after label name, found '.'`, "label names"},
		{"x{\"y\"} 1\n", 1, `expected '=' after label name, found '}'`, "label names"},
		{"x{\"a.b\"=\"b\"} 1\n", 1, `invalid label name "a.b"`, "label names"},
		{"x{a=b} 1\n", 1, `expected '"' at start of label value, found 'b'`, "double quotes"},
		{"x{a=\"b} 1\n", 1, `label value "b} 1" contains unescaped new-line`, "double quotes"},
		{"x{a=\"\\x\"} 1\n", 1, `invalid escape sequence '\x'`, "backslash"},
		{"x{a=\"\xff\"} 1\n", 1, `invalid label value "\xff"`, "UTF-8"},
		{"x{a=\"b\" b=\"c\"} 1\n", 1, `unexpected end of label value "b"`, "commas"},
		{"{\"x\",\"y\"} 1\n", 1, `multiple metric names for metric "x"`, ""},
		{"# HELP x a\n# HELP x b\n", 2, `second HELP line for metric name "x"`, "once"},
		{
			"# TYPE x gauge\nx 1\n# TYPE x gauge\n", 3,
			`second TYPE line for metric name "x", or TYPE reported after samples`, "before its first sample",
		},
		{
			"x 1\n# TYPE x gauge\n", 2,
			`second TYPE line for metric name "x", or TYPE reported after samples`, "before its first sample",
		},
		{"# TYPE x foo\n", 1, `unknown metric type "foo"`, "gaugehistogram"},
		{"# TYPE x unknown\n", 1, `unknown metric type "unknown"`, "OpenMetrics"},
		{"# HELP 9x foo\n", 1, `invalid metric name in comment`, "metric name"},
		{"# TYPE h histogram\nh_bucket{le=\"x\"} 1\n", 2, `expected float as value for 'le' label, got "x"`, "a number"},
		{"# TYPE s summary\ns{quantile=\"x\"} 1\n", 2, `expected float as value for 'quantile' label, got "x"`, "a number"},
		{"# TYPE h histogram\nh_count -1\n", 2, `negative count for histogram "h"`, ""},
		{"# TYPE h histogram\nh_bucket{le=\"1\"} -1\n", 2, `negative bucket population for histogram "h"`, ""},
	} {
		families, err := DecodeText([]byte(c.body), model.LegacyValidation)
		want := "text format parsing error in line " + string(rune('0'+c.line)) + ": " + c.want
		var decode *DecodeError
		if !errors.As(err, &decode) || err.Error() != want || families != nil {
			t.Errorf("%q:\n got %v\nwant %v", c.body, err, want)
			continue
		}
		if !strings.Contains(decode.Hint(), c.hint) || c.hint == "" && decode.Hint() != "" {
			t.Errorf("%q: hint %q lacks %q", c.body, decode.Hint(), c.hint)
		}
	}
	if _, err := DecodeText([]byte("{\"x.y\"} 1\n"), utf8); err != nil {
		t.Errorf("quoted UTF-8 name in UTF-8 mode: %v", err)
	}
}

func TestDecodeTextAccepts(t *testing.T) {
	for body, want := range map[string]string{
		"":                          "",
		"\n \t\n":                   "",
		"x 1\n  ":                   "x 1 UNTYPED",
		"x{} 1\n":                   "x 1 UNTYPED",
		"x{a=\"b\",}1\n":            "x 1 UNTYPED",
		" x { a = \"b\" , } +Inf\n": "x 1 UNTYPED",
		"{\"x\",a=\"b\"} nan\n":     "x 1 UNTYPED",
		"x 1\ny 1\nx{a=\"1\"} 2\n":  "x 2 UNTYPED,y 1 UNTYPED",
		"#TYPE x gauge\n# EOF\n# UNIT x s\nx 1\n":                    "x 1 GAUGE",
		"# TYPE x GauGe\nx -1.5e3\n":                                 "x 1 GAUGE",
		"# TYPE x gaugehistogram\nx_sum 1\n":                         "x 1 GAUGE_HISTOGRAM",
		"# HELP x\n# TYPE x\nx 1\n":                                  "x 1 UNTYPED",
		"# HELP x only help\n# TYPE x gauge\n":                       "",
		"# TYPE h histogram\nh 1\nh_bucket{le=\"1\"} 2\nh_count 3\n": "h 1 HISTOGRAM",
		"# TYPE s summary\ns_count 3\ns_other 4\n":                   "s 1 SUMMARY,s_other 1 UNTYPED",
	} {
		families, err := DecodeText([]byte(body), model.LegacyValidation)
		if err != nil {
			t.Errorf("%q: %v", body, err)
			continue
		}
		if got := summarise(families); got != want {
			t.Errorf("%q: got %q, want %q", body, got, want)
		}
	}
}

// summarise names families, their number of metrics and their types.
func summarise(families []*Family) string {
	var parts []string
	for _, f := range families {
		parts = append(parts, f.Name+" "+string(rune('0'+f.Len()))+" "+f.Type.String())
	}
	return strings.Join(parts, ",")
}

func TestDecodeProtobuf(t *testing.T) {
	gauge := func(name string, v float64) *dto.MetricFamily {
		return &dto.MetricFamily{
			Name: proto.String(name), Type: dto.MetricType_GAUGE.Enum(),
			Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: proto.Float64(v)}}},
		}
	}
	body := delimited(t, gauge("b", 1), gauge("a", 2), gauge("b", 3), &dto.MetricFamily{Name: proto.String("empty")})
	families, err := DecodeProtobuf(body)
	if err != nil {
		t.Fatal(err)
	}
	if got := summarise(families); got != "a 1 GAUGE,b 1 GAUGE,empty 0 COUNTER" {
		t.Errorf("got %q", got)
	}
	b, err := families[1].Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := lines("b", b); got != "b{instance=\"\"} 3\n" {
		t.Errorf("the last family of a name must count, got %q", got)
	}
}

func TestDecodeProtobufRefuses(t *testing.T) {
	good := delimited(t, &dto.MetricFamily{Name: proto.String("x")})
	huge := protowire.AppendVarint(nil, 1<<40)
	for name, c := range map[string]struct {
		body []byte
		want string
		is   error
	}{
		"cut":         {good[:len(good)-1], "unexpected EOF", io.ErrUnexpectedEOF},
		"cut length":  {[]byte{0x80}, "unexpected EOF", io.ErrUnexpectedEOF},
		"huge":        {huge, "unexpected EOF", io.ErrUnexpectedEOF},
		"2^62":        {protowire.AppendVarint(nil, 1<<62), "unexpected EOF", io.ErrUnexpectedEOF},
		"2^64-1":      {protowire.AppendVarint(nil, 1<<64-1), "unexpected EOF", io.ErrUnexpectedEOF},
		"huge second": {slices.Concat(good, huge), "unexpected EOF", io.ErrUnexpectedEOF},
		"overflow":    {slices.Repeat([]byte{0xff}, 11), "binary: varint overflows a 64-bit integer", nil},
		"garbage":     {[]byte{3, 0xff, 0xff, 0xff}, "proto: cannot parse invalid wire-format data", nil},
	} {
		families, err := DecodeProtobuf(c.body)
		var decode *DecodeError
		if !errors.As(err, &decode) || err.Error() != c.want || families != nil {
			t.Errorf("%s: got %v, %v, want %q", name, families, err, c.want)
			continue
		}
		if c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v is not %v", name, err, c.is)
		}
		if decode.Hint() == "" {
			t.Errorf("%s: no hint", name)
		}
	}
}

func TestDecodeProtobufAllocatesWhatIsThere(t *testing.T) {
	body := protowire.AppendVarint(nil, 1<<40)
	if n := testing.AllocsPerRun(10, func() { DecodeProtobuf(body) }); n > 10 {
		t.Errorf("%v allocations for a body of %d bytes", n, len(body))
	}
}

func TestDecodeProtobufDropsUnknownFields(t *testing.T) {
	mf := &dto.MetricFamily{
		Name: proto.String("x"), Type: dto.MetricType_COUNTER.Enum(),
		Metric: []*dto.Metric{{Counter: &dto.Counter{Value: proto.Float64(1)}}},
	}
	plain, err := DecodeProtobuf(delimited(t, mf))
	if err != nil {
		t.Fatal(err)
	}
	mf.Metric[0].Counter.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 99, protowire.VarintType), 7))
	extended, err := DecodeProtobuf(delimited(t, mf))
	if err != nil {
		t.Fatal(err)
	}
	a, b := plain[0].EncodeOwn(), extended[0].EncodeOwn()
	if string(a.Proto()) != string(b.Proto()) {
		t.Errorf("unknown field kept: %x, want %x", b.Proto(), a.Proto())
	}
}
