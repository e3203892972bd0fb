package exposition

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
)

// oddBodies are bodies at the edges of the grammar, each a few lines.
func oddBodies() []string {
	return []string{
		// names and quotes
		`"x" 1`, `x"y z" 1`, `"x\"y\\z\n" 2`, `"" 1`, `"x` + "\ny 1", `"x\q" 1`, `"x"y 1`, `x{"a"="b"} 1`, `x{a"b c"="d"} 1`,
		`x{"a\n"="b"} 1`, `x{"a` + "\n" + `"="b"} 1`, `x{"\q"="b"} 1`, `x{""="b"} 1`, `x{a:b="c"} 1`, `a:b{c="d"} 1`, `x{"é"="ü"} 1`,
		"x\xff 1", "\"x\xff\" 1", "x{\"a\xff\"=\"b\"} 1", `x{9a="b"} 1`, `{"x"} 1`, `{"x",} 1`, `{a="1","x",b="2"} 1`, `{"x" "y"} 1`,
		`{"x"} `, `{"x"`, `{"x.y"`, `{"x.y",`, `{"x"}`, `{x} 1`, `{x,a="b"} 1`, `{"x",a} 1`, `{"x"=`, `{a="b",a="c","x"} 1`, `{,"x"} 1`,
		// escapes and ends
		`x{a="\\\"\n"} 1`, `x{a="\`, `x{a="b\`, `x{a`, `x{a=`, `x{a="b"`, `x{a="b",`, `x{a="b"}`, `x `, `x`, `"x`, `"x"`, "#", "# ", "# HELP",
		"# HELP x", "# HELP x ", "# HELP x a", "# TYPE x ", "# TYPE x g", "# TYPE x gau\\ge\n# HELP x a\\nb\\\\c\\\"d\n x 1",
		"# HELP x a\\qb", "# HELP x a\\", "# HELP x a\\\n", "# HELP x \xff\nx 1", "#HELP x a\n#\tTYPE\tx\tGauge\nx 1", "# TYPE \"x y\" gauge\n{\"x y\"} 1",
		"# TYPE x\"y z\" gauge", "# TYPE x,y gauge", "# TYPE x \u017fummary\nx{quantile=\"1\"} 2", "# HELP \"\" x", "# TYPE \"x\"\nx 1",
		// values and timestamps
		"x +Inf", "x -inf", "x infinity", "x nan", "x 0x1p3", "x 1_0", "x 1e309", "x .5", "x 5.", "x -0", "x\t1\t2", "x 1 +5", "x 1 -5", "x 1 5 ",
		"x 1 5 \\a", "x 1 9223372036854775808", "x 1 ", "x 1\t", "x", "x\n", "x  \n", "x 1\r", "x\x001", "x\x00y 1",
		// parts of summaries and histograms
		"# TYPE s summary\ns_sum 1\ns_count 3.7\ns{quantile=\"0.5\"} 2\ns{quantile=\"nan\"} 2\ns 7\ns_bucket 1",
		"# TYPE s summary\ns_count -1\ns_count NaN\ns{a=\"1\",b=\"2\",quantile=\"1\"} 1\ns_sum{b=\"2\",a=\"1\"} 2\ns{a=\"2\",b=\"1\"} 1",
		"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\nh_bucket{a=\"b\",le=\"1\"} 1.5\nh_count{a=\"b\"} 2",
		"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_count 2.5", "# TYPE h histogram\nh_bucket{le=\"1\"} 0\nh_bucket{le=\"2\"} nan\nh_count 0",
		"# TYPE h gaugehistogram\nh_count 1e19\nh_count 2.5\nh_bucket{le=\"1\"} 1e19", "# TYPE h gauge_histogram\nh_sum -1",
		"# TYPE h histogram\nh{le=\"\"} 1", "# TYPE h histogram\nh{le=\"1\",le=\"2\"} 1\nh{quantile=\"1\"} 1", "# TYPE s summary\ns{le=\"1\",quantile=\"1_0\"} 1",
		"h_sum 1\n# TYPE h histogram\nh_sum 2\nh_count 3", "# HELP h_sum a\n# TYPE h histogram\nh_sum 2", "# TYPE h histogram\n# HELP h_sum a\n# TYPE h_count gauge",
		"# TYPE x_count summary\nx_count_count 1\nx_count 1\nx_count_sum 2", "# TYPE x summary\n# TYPE x_count histogram\nx_count 1\nx_count_count 1\nx_sum_sum 1",
		"_count 1\n_sum 1\n_bucket 1", "# TYPE h histogram\nh_count 1 5\nh_count 2",
		// what one line leaves for the next
		"# TYPE h histogram\n{\"h\",a=\"b\",le=\"1\"} 1\n{\"h_bucket\",le=\"1\",a=\"b\"} 2\n{\"h_sum\"} 2",
		"# TYPE h histogram\nx 1\n{\"h\",a=\"b\"} 1", "# TYPE h histogram\nx 1\n{\"h\"} 1\n{\"h\",le=\"1\"} 1\n{\"h\",a=\"b\"} 1",
		"# TYPE h histogram\n# TYPE g histogram\n# HELP x y\n{\"h\"} 1\n# HELP z y\n{\"g\",le=\"1\"} 1",
		"# TYPE h histogram\nh{a=\"1\"} 1\nx 1\n{\"h\",b=\"2\"} 1\nx 1\n{\"h\",a=\"3\"} 1\nh{a=\"3\",b=\"2\"} 1\n{\"h_bucket\",le=\"1\"} 4",
		"# TYPE s summary\ns{quantile=\"0.5\"} 1\nx 1\n{\"s\"} 3\n{quantile=\"0.9\",\"x\"} 3\n{a=\"b\",\"x\",quantile=\"0.9\"} 3",
		"# TYPE h histogram\nh{le=\"1\"} 1\n{le=\"2\",\"x\"} 3\n{le=\"2\",\"h\"} 4\n# HELP h_sum x\n{\"x\"} 2\n{le=\"x\",\"x\"} 1",
		"# TYPE s summary\n# TYPE h histogram\ns{a=\"1\"} 1\n{a=\"1\",\"h\",le=\"1\"} 2\n{a=\"2\",le=\"3\",\"s\",quantile=\"1\"} 2\ns{a=\"2\"} 5",
	}
}

// FuzzDecodeTextAgainstLibrary defends that nothing but the time differs from the library's parser.
func FuzzDecodeTextAgainstLibrary(f *testing.F) {
	for _, body := range oddBodies() {
		f.Add([]byte(body))
		f.Add([]byte(body + "\n"))
	}
	for _, body := range recordedBodies(f, false) {
		f.Add(body)
	}
	for _, mf := range samplesOfAllTypes() {
		f.Add([]byte(ownText(f, mf, model.NoEscaping)))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		sameAsLibrary(t, body, model.LegacyValidation)
		sameAsLibrary(t, body, model.UTF8Validation)
	})
}

func TestDecodeTextRefusesWhereTheLibraryPanics(t *testing.T) {
	body := []byte("# TYPE h histogram\nx 1\n{\"h\",a=\"b\"} 1\n")
	if _, problem := textByLibrary(body, model.LegacyValidation); !strings.HasPrefix(problem, libraryPanics) {
		t.Errorf("the library now says %q: do as it does", problem)
	}
	_, err := DecodeText(body, model.LegacyValidation)
	want := `text format parsing error in line 3: labels of "h" stand in braces with its name, but not right behind a line of its family`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A body four times as long must cost about four times as much, also where each step could look at all
// that came before it: then it would cost sixteen times as much. The ratio is the best of a few, for a
// busy machine makes either side slow at times.
func TestDecodeTextCostsWhatTheBodyHolds(t *testing.T) {
	const n, tries, most = 3_000, 12, 11
	for name := range hostileBodies(1) {
		best := math.Inf(1)
		for range tries {
			short := timeToDecode(t, hostileBodies(n)[name])
			long := timeToDecode(t, hostileBodies(4 * n)[name])
			best = min(best, float64(long)/float64(short))
		}
		if best > most {
			t.Errorf("%s: a body of four times the length costs %.1f times as much", name, best)
		}
	}
}

func timeToDecode(t *testing.T, body string) time.Duration {
	t.Helper()
	begin := time.Now()
	if _, err := DecodeText([]byte(body), model.LegacyValidation); err != nil {
		t.Error(err)
	}
	return time.Since(begin)
}

// hostileBodies are bodies of a length that grows with n, made to be costly to read.
func hostileBodies(n int) map[string]string {
	var many, stale, histograms strings.Builder
	many.WriteString("# TYPE h histogram\nh{")
	for i := range n {
		fmt.Fprintf(&many, "a%d=\"\\\"\",", i)
		fmt.Fprintf(&stale, "x 1\n{\"h\",c%d=\"1\"} 1\n", i)
		fmt.Fprintf(&histograms, "g_bucket{a=\"%d\",le=\"1\"} 1\n", i)
	}
	many.WriteString("} 1\n")
	few := "h{"
	for i := range 2 * manyLabels {
		few += fmt.Sprintf("b%d=\"\",", i)
	}
	few += "} 1\n"
	return map[string]string{
		"labels":           many.String(),
		"labels and sets":  many.String() + strings.Repeat(few, n/10),
		"labels laid over": many.String() + stale.String() + strings.Repeat("h{a=\"1\"} 1\nx 1\n{\"h\",d=\"1\"} 1\n", n/10),
		"buckets":          "# TYPE g histogram\n" + strings.Repeat("g_bucket{le=\"1\"} 1\n", n) + histograms.String(),
	}
}
