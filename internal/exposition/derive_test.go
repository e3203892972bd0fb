package exposition

import (
	"iter"
	"math"
	"slices"
	"testing"
)

// A joined block must say what it said before, whatever it holds, and be read meanwhile without harm.
func TestJoinTextKeepsBothEncodings(t *testing.T) {
	for _, f := range blocksOfAllTypes() {
		var blocks []*Block
		var text, protos string
		for _, job := range []string{"", "a\\b\"c\nd\xc3\xa9,e=\"f\"} 5", "z"} {
			if b := mustEncode(t, f, Labels{{"job", job}}); b.Plain() {
				blocks = append(blocks, b)
				text, protos = text+lines(f.Name, b), protos+string(b.Proto())
			}
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			JoinText(f.Name, slices.Values(blocks))
		}()
		for range 2 {
			if got := string(JoinText(f.Name, slices.Values(blocks))[0]); got != text {
				t.Errorf("joined text is\n%s\nwant\n%s", got, text)
			}
			var again, all string
			for _, b := range blocks {
				again, all = again+lines(f.Name, b), all+string(b.Proto())
			}
			if again != text || all != protos {
				t.Errorf("a block of %s says something else after it was joined", f.Name)
			}
		}
		<-done
	}
}

func TestJoinTextDropsOnlyWhatTextTells(t *testing.T) {
	unusual := math.Float64frombits(math.Float64bits(math.NaN()) ^ 6)
	for number, dropped := range map[float64]bool{
		0: true, -1.5: true, 1e300: true, math.Inf(-1): true, 123456789: true, math.MaxFloat64: true, 5e-324: true,
		math.Copysign(0, -1): false, math.NaN(): true, unusual: false,
	} {
		b := mustEncode(t, family("x", gaugeType, gauge(number, "a", "1")), nil)
		want := string(b.Proto())
		JoinText("x", slices.Values([]*Block{b}))
		if held := b.protoAt.Load() != nil; held == dropped {
			t.Errorf("%v: protobuf is held: %v", number, held)
		}
		if got := string(b.Proto()); got != want {
			t.Errorf("%v: protobuf is %x, want %x", number, got, want)
		}
		if !b.Has(b.part(t)) {
			t.Errorf("%v: the block has not its own series", number)
		}
	}
}

// part returns the label part of the first metric.
func (b *Block) part(t *testing.T) []byte {
	t.Helper()
	for part := range b.EachSeries() {
		return part
	}
	t.Fatal("no series")
	return nil
}

// A page that cannot be joined does not keep its neighbours from lying one behind the other.
func TestJoinTextLeavesWhatNeedsEscaping(t *testing.T) {
	one := func(label string) *Block { return mustEncode(t, family("x", gaugeType, gauge(1, label, "1")), nil) }
	first, plain, other, last := one("a"), one("b"), one("b.c"), one("d")
	page := func(blocks ...*Block) iter.Seq[*Block] { return slices.Values(blocks) }
	texts := JoinText("x", page(first), page(plain, other), page(last))
	if texts[1] != nil || plain.protoAt.Load() == nil {
		t.Errorf("joined to %q", texts[1])
	}
	both := texts[0][:len(texts[0])+len(texts[2])]
	if want := "x{a=\"1\",instance=\"\"} 1\nx{d=\"1\",instance=\"\"} 1\n"; string(both) != want || lines("x", first)+lines("x", last) != want {
		t.Errorf("joined to %q, want %q", both, want)
	}
}
