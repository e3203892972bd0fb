package exposition

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"
)

// described tells all that a family holds, to the bit and in its order.
func described(f *Family) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q help %q unit %q %v\n", f.Name, f.Help, f.Unit, f.Type)
	for _, m := range f.metrics {
		v := m.value
		fmt.Fprintf(&b, "  %q %x %v %v %v %v", m.labels, math.Float64bits(v.number), v.unset, m.typed, m.stamped, m.summarised)
		for _, message := range []proto.Message{v.counter, v.summary, v.histogram} {
			wire, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
			fmt.Fprintf(&b, " %x %v %v", wire, message.ProtoReflect().IsValid(), err)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func describedAll(families []*Family) string {
	var b strings.Builder
	for _, f := range families {
		b.WriteString(described(f))
	}
	return b.String()
}

// libraryPanics is what textByLibrary returns where the library's parser panics.
const libraryPanics = "panic: "

// textByLibrary is what the parser of prometheus/common makes of a body.
func textByLibrary(body []byte, names model.ValidationScheme) (families []*Family, problem string) {
	defer func() {
		if p := recover(); p != nil {
			families, problem = nil, libraryPanics+fmt.Sprint(p)
		}
	}()
	parser := expfmt.NewTextParser(names)
	byName, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		return nil, err.Error()
	}
	for _, mf := range byName {
		families = append(families, FromProto(mf))
	}
	slices.SortFunc(families, func(a, b *Family) int { return strings.Compare(a.Name, b.Name) })
	return families, ""
}

// insideBraces is how the one refusal begins that the library does not word, since it panics there.
const insideBraces = "stand in braces with its name"

// sameAsLibrary checks that a body is taken, understood and refused as the library does.
func sameAsLibrary(t *testing.T, body []byte, names model.ValidationScheme) {
	t.Helper()
	before := slices.Clone(body)
	want, problem := textByLibrary(body, names)
	got, err := DecodeText(body, names)
	if !bytes.Equal(before, body) {
		t.Fatalf("%v, %q: the body was changed", names, before)
	}
	switch {
	case strings.HasPrefix(problem, libraryPanics):
		if err == nil || !strings.Contains(err.Error(), insideBraces) {
			t.Fatalf("%v, %q: got %v, want a refusal, since the library panics: %s", names, body, err, problem)
		}
	case problem != "":
		if err == nil || err.Error() != problem {
			t.Fatalf("%v, %q:\n got %v\nwant %s", names, body, err, problem)
		}
	case err != nil:
		t.Fatalf("%v, %q: refused: %v", names, body, err)
	default:
		clear(body) // what was kept must not be part of it
		if got, want := describedAll(got), describedAll(want); got != want {
			t.Fatalf("%v, %q:\n got %s\nwant %s", names, before, got, want)
		}
		copy(body, before)
	}
}
