package exposition

import (
	"testing"

	"github.com/prometheus/common/model"
)

func TestNegotiate(t *testing.T) {
	const proto = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily"
	prometheus3 := "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6," +
		"application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4," +
		"text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
	native := proto + ";encoding=delimited;q=0.7," + prometheus3
	for _, c := range []struct {
		accept string
		want   Format
	}{
		{"", Format{Text, model.UnderscoreEscaping}},
		{"*/*", Format{Text, model.UnderscoreEscaping}},
		{"garbage", Format{Text, model.UnderscoreEscaping}},
		{"text/plain", Format{Text, model.UnderscoreEscaping}},
		{"text/plain;version=0.0.4", Format{Text, model.UnderscoreEscaping}},
		{"text/plain;version=1.0.0", Format{Text, model.UnderscoreEscaping}},
		{"application/openmetrics-text;version=1.0.0", Format{Text, model.UnderscoreEscaping}},
		{proto + ";encoding=delimited", Format{Delimited, model.UnderscoreEscaping}},
		{proto + ";encoding=text", Format{ProtoText, model.UnderscoreEscaping}},
		{proto + ";encoding=compact-text", Format{CompactText, model.UnderscoreEscaping}},
		{proto, Format{Text, model.UnderscoreEscaping}},
		{"application/vnd.google.protobuf;proto=other;encoding=delimited", Format{Text, model.UnderscoreEscaping}},
		{"application/vnd.google.protobuf;encoding=delimited", Format{Text, model.UnderscoreEscaping}},
		{proto + ";encoding=delimited;q=0.1,text/plain;q=0.9", Format{Text, model.UnderscoreEscaping}},
		{proto + ";encoding=delimited;q=0.9,text/plain;q=0.1", Format{Delimited, model.UnderscoreEscaping}},
		{"text/plain;escaping=allow-utf-8", Format{Text, model.NoEscaping}},
		{"text/plain;escaping=dots", Format{Text, model.DotsEscaping}},
		{"text/plain;escaping=values", Format{Text, model.ValueEncodingEscaping}},
		{"text/plain;escaping=underscores", Format{Text, model.UnderscoreEscaping}},
		{"text/plain;escaping=unknown", Format{Text, model.UnderscoreEscaping}},
		{"application/json;escaping=dots,text/plain;q=0.5", Format{Text, model.DotsEscaping}},
		{"application/json;escaping=dots", Format{Text, model.DotsEscaping}},
		{"application/json;escaping=dots;q=0.1,text/plain;q=0.5", Format{Text, model.UnderscoreEscaping}},
		{"text/html;escaping=dots,text/plain;q=0.5;escaping=values", Format{Text, model.ValueEncodingEscaping}},
		{prometheus3, Format{Text, model.NoEscaping}},
		{native, Format{Delimited, model.UnderscoreEscaping}},
	} {
		if got := Negotiate([]string{c.accept}); got != c.want {
			t.Errorf("%s: got %v, want %v", c.accept, got, c.want)
		}
	}
	if got := Negotiate(nil); got != (Format{Text, model.UnderscoreEscaping}) {
		t.Errorf("no header: got %v", got)
	}
	if got := Negotiate([]string{"text/plain", proto + ";encoding=delimited"}); got.Syntax != Text {
		t.Errorf("a second header counted: %v", got)
	}
}

func TestContentType(t *testing.T) {
	const proto = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding="
	for want, f := range map[string]Format{
		"text/plain; version=0.0.4; charset=utf-8; escaping=underscores": {Text, model.UnderscoreEscaping},
		"text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8": {Text, model.NoEscaping},
		proto + "delimited; escaping=dots":                               {Delimited, model.DotsEscaping},
		proto + "text; escaping=values":                                  {ProtoText, model.ValueEncodingEscaping},
		proto + "compact-text; escaping=underscores":                     {CompactText, model.UnderscoreEscaping},
	} {
		if got := f.ContentType(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
