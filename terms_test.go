package holdfast

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"holdfast/internal/exposition"
)

func TestParseTerms(t *testing.T) {
	for text, want := range map[string]Terms{
		"ttl=90s":                        {TTL: new(90 * time.Second)},
		"ttl=0":                          {TTL: new(time.Duration(0))},
		"every=1d,mode=add":              {Every: new(24 * time.Hour), Mode: new(Add)},
		"mode=replace-group":             {Mode: new(ReplaceGroup)},
		"mode=upsert,gauge=max":          {Mode: new(Upsert), Gauge: new(exposition.GaugeMax)},
		"timestamps=strip,text=lenient":  {Strip: new(true), Lenient: new(true)},
		"timestamps=reject,text=strict":  {Strip: new(false), Lenient: new(false)},
		"gauge=last,mode=replace-family": {Gauge: new(exposition.GaugeLast), Mode: new(ReplaceFamily)},
	} {
		if got, err := ParseTerms(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestParseTermsRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                  `unknown option ""`,
		"tll=90s":           `unknown option "tll=90s"`,
		"ttl=90s,":          `unknown option ""`,
		"ttl=90s,ttl=80s":   `option "ttl" is given twice`,
		"ttl":               `option ttl: "" is no duration`,
		"ttl=-1s":           `option ttl: "-1s" is no duration`,
		"ttl=90":            `option ttl: "90" is no duration`,
		"every=soon":        `option every: "soon" is no duration`,
		"mode=sum":          `option mode: "sum" is none of add, replace-family, replace-group, upsert`,
		"gauge=avg":         `option gauge: "avg" is none of last, max, min, sum`,
		"timestamps=keep":   `option timestamps: "keep" is none of reject, strip`,
		"text=Lenient":      `option text: "Lenient" is none of lenient, strict`,
		"ttl=99999999999y":  `option ttl: `,
		"mode=add;ttl=1s":   `option mode: "add;ttl=1s" is none of`,
		"mode=add, ttl=10s": `unknown option " ttl=10s"`,
	} {
		_, err := ParseTerms(text)
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Kind != Malformed || !strings.HasPrefix(refusal.Message, want) {
			t.Errorf("%q: got %v, want a refusal that begins %s", text, err, want)
			continue
		}
		for _, option := range []string{"ttl=", "every=", "mode=", "gauge=", "timestamps=", "text="} {
			if !strings.Contains(refusal.Hint, option) {
				t.Errorf("%q: hint %q does not name %s", text, refusal.Hint, option)
			}
		}
	}
}

func TestTermsOver(t *testing.T) {
	rule := Terms{
		Mode: new(Add), TTL: new(time.Hour), Every: new(time.Minute), KeepPushTime: new(time.Second),
		Gauge: new(exposition.GaugeSum), DropLabels: []string{"pod"}, Strip: new(true), Lenient: new(true),
	}
	if got := (Terms{}).Over(rule); !reflect.DeepEqual(got, rule) {
		t.Errorf("nothing said: got %+v, want the rule", got)
	}
	said := Terms{
		Mode: new(Upsert), TTL: new(time.Duration(0)), Every: new(time.Hour), KeepPushTime: new(time.Hour),
		Gauge: new(exposition.GaugeLast), DropLabels: []string{}, Strip: new(false), Lenient: new(false),
	}
	if got := said.Over(rule); !reflect.DeepEqual(got, said) {
		t.Errorf("all said: got %+v, want %+v", got, said)
	}
}
