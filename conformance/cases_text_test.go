package conformance

import (
	"net/http"
	"slices"
	"testing"
)

// TestTextAccepted holds bodies that are taken, and the samples they become in group {job="j"}.
func TestTextAccepted(t *testing.T) {
	g := open(t, defaultMode)
	const plain = `x{instance="",job="j"} 1`
	for body, lines := range map[string][]string{
		"x 1\n":                      {"# TYPE x untyped", plain},
		"\n \t\nx 1\n\n":             {plain},
		"x 1\n  ":                    {plain},
		"\tx\t1\n":                   {plain},
		"x{a=\"b\"}1\n":              {`x{a="b",instance="",job="j"} 1`},
		"x { a = \"b\" , } 1\n":      {`x{a="b",instance="",job="j"} 1`},
		"x{} 1\n":                    {plain},
		"{\"x\",a=\"b\"} 1\n":        {`x{a="b",instance="",job="j"} 1`},
		"{a=\"b\",\"x\"} 1\n":        {`x{a="b",instance="",job="j"} 1`},
		"\"x\" 1\n":                  {plain},
		"x{\"a\"=\"b\"} 1\n":         {`x{a="b",instance="",job="j"} 1`},
		"x{a=\"\\\\ \\n \\\"\"} 1\n": {`x{a="\\ \n \"",instance="",job="j"} 1`},
		"x{a=\"\"} 1\n":              {`x{a="",instance="",job="j"} 1`},
		"x{job=\"other\"} 1\n":       {plain},
		"x{instance=\"i\"} 1\n":      {`x{instance="i",job="j"} 1`},
		"# a comment\nx 1\n":         {"# TYPE x untyped", plain},
		"# TYPE x COUNTER\nx 1\n":    {"# TYPE x counter", plain},
		"# TYPE x\n# HELP x\nx 1\n":  {"# TYPE x untyped", plain},
		"# EOF\n# UNIT x s\nx 1\n":   {plain},
		"x 1\ny 2\nx{a=\"b\"} 3\n":   {plain, `y{instance="",job="j"} 2`, `x{a="b",instance="",job="j"} 3`},
		"x{a=\"作业\"} 1e6\n":          {`x{a="作业",instance="",job="j"} 1e+06`},
		"x nan\n":                    {`x{instance="",job="j"} NaN`},
		"x -INF\n":                   {`x{instance="",job="j"} -Inf`},
		"x +Infinity\n":              {`x{instance="",job="j"} +Inf`},
		"x -0\n":                     {`x{instance="",job="j"} 0`},
		"x 999999\n":                 {`x{instance="",job="j"} 999999`},
		"x 1234567\n":                {`x{instance="",job="j"} 1.234567e+06`},
		"x .0001\n":                  {`x{instance="",job="j"} 0.0001`},
		"x 0.00001\n":                {`x{instance="",job="j"} 1e-05`},
		"# TYPE s summary\ns{quantile=\".5\"} 2\ns 3\n": {
			`s{instance="",job="j",quantile="0.5"} 2`,
			`s_sum{instance="",job="j"} 0`, `s_count{instance="",job="j"} 0`,
		},
		"# TYPE s summary\ns_count 3.7\n": {`s_count{instance="",job="j"} 3`},
		"# TYPE h histogram\nh_bucket{le=\"1e1\"} 2\nh_bucket{le=\"1.0\"} 1\nh_count 3\nh_sum 4.5\n": {
			`h_bucket{instance="",job="j",le="10"} 2`, `h_bucket{instance="",job="j",le="1"} 1`,
			`h_bucket{instance="",job="j",le="+Inf"} 3`, `h_count{instance="",job="j"} 3`, `h_sum{instance="",job="j"} 4.5`,
		},
		"# TYPE h histogram\nh_bucket{le=\"1\"} 1.5\nh_count 2.5\n": {`h_bucket{instance="",job="j",le="1"} 1.5`, `h_count{instance="",job="j"} 2.5`},
		"# TYPE h gaugehistogram\nh_count 2\n":                      {"# TYPE h histogram", `h_count{instance="",job="j"} 2`},
		"# TYPE x counter\n":                                        {`push_time_seconds{instance="",job="j"} T`},
	} {
		t.Run(body, func(t *testing.T) {
			g.wipe(t)
			g.accept(t, put("/metrics/job/j", body))
			g.scrape(t).serves(t, lines...)
		})
	}
}

// refusedTexts maps bodies to the end of the 400's first line.
func refusedTexts() map[string]string {
	return map[string]string{
		"x 1":                              `line 1: unexpected end of input stream`,
		"x 1\n# comment":                   `line 2: unexpected end of input stream`,
		"x 1\r\n":                          `line 1: expected float as value, got "1\r"`,
		"# TYPE x counter\r\nx 1\n":        `line 1: unknown metric type "counter\r"`,
		"x abc\n":                          `line 1: expected float as value, got "abc"`,
		"blabla\n":                         `line 1: expected float as value, got ""`,
		"x.y 1\n":                          `line 1: expected float as value, got ".y"`,
		"x 0x10\n":                         `line 1: expected float as value, got "0x10"`,
		"x 1_0\n":                          `line 1: expected float as value, got "1_0"`,
		"x 1e400\n":                        `line 1: expected float as value, got "1e400"`,
		"x 1 \n":                           `line 1: expected integer as timestamp, got ""`,
		"x 1 1.5\n":                        `line 1: expected integer as timestamp, got "1.5"`,
		"x 1 1000 foo\n":                   `line 1: spurious string after timestamp: " foo"`,
		"ok 1\n\n1x 1\n":                   `line 3: invalid metric name`,
		"\ufeffx 1\n":                      `line 1: invalid metric name`,
		"{} 1\n":                           `line 1: invalid metric name`,
		"{a=\"b\"} 1\n":                    `line 1: invalid metric name`,
		"{\"x.y\"} 1\n":                    `line 1: invalid metric name "x.y"`,
		"x{,} 1\n":                         `line 1: invalid label name for metric "x"`,
		"x{a=\"b\",a=\"c\"} 1\n":           `line 1: duplicate label names for metric "x"`,
		"x{__name__=\"b\"} 1\n":            `line 1: label name "__name__" is reserved`,
		"x{a.b=\"b\"} 1\n":                 `line 1: expected '=' after label name, found '.'`,
		"x{\"y\"} 1\n":                     `line 1: expected '=' after label name, found '}'`,
		"x{\"a.b\"=\"b\"} 1\n":             `line 1: invalid label name "a.b"`,
		"x{a=b} 1\n":                       `line 1: expected '"' at start of label value, found 'b'`,
		"x{a=\"b} 1\n":                     `line 1: label value "b} 1" contains unescaped new-line`,
		"x{a=\"\\x\"} 1\n":                 `line 1: invalid escape sequence '\x'`,
		"x{a=\"\xff\"} 1\n":                `line 1: invalid label value "\xff"`,
		"x{a=\"b\" b=\"c\"} 1\n":           `line 1: unexpected end of label value "b"`,
		"{\"x\",\"y\"} 1\n":                `line 1: multiple metric names for metric "x"`,
		"# HELP x a\n# HELP x b\n":         `line 2: second HELP line for metric name "x"`,
		"# TYPE x gauge\n# TYPE x gauge\n": `line 2: second TYPE line for metric name "x", or TYPE reported after samples`,
		"x 1\n# TYPE x gauge\n":            `line 2: second TYPE line for metric name "x", or TYPE reported after samples`,
		"# TYPE x foo\n":                   `line 1: unknown metric type "foo"`,
		"# HELP 9x foo\n":                  `line 1: invalid metric name in comment`,
		"# TYPE h histogram\nh_bucket{le=\"x\"} 1\n":  `line 2: expected float as value for 'le' label, got "x"`,
		"# TYPE s summary\ns{quantile=\"x\"} 1\n":     `line 2: expected float as value for 'quantile' label, got "x"`,
		"# TYPE h histogram\nh_count -1\n":            `line 2: negative count for histogram "h"`,
		"# TYPE h histogram\nh_bucket{le=\"1\"} -1\n": `line 2: negative bucket population for histogram "h"`,
	}
}

// TestTextRefused: one bad line refuses the whole body and leaves no trace.
func TestTextRefused(t *testing.T) {
	g := open(t, defaultMode)
	for body, says := range refusedTexts() {
		t.Run(body, func(t *testing.T) {
			g.wipe(t)
			g.accept(t, put("/metrics/job/kept", "kept 1\n"))
			before := g.pageText(t)
			for _, path := range []string{"/metrics/job/kept", "/metrics/job/new"} {
				for _, method := range []string{http.MethodPut, http.MethodPost} {
					got := g.do(t, text(method, path, body))
					line := firstLine(string(got.body))
					if want := "text format parsing error in " + says; got.status != http.StatusBadRequest || line != want {
						t.Errorf("%s: %d %q, want 400 %q", method, got.status, line, want)
					}
				}
			}
			if after := g.pageText(t); !slices.Equal(before, after) {
				t.Errorf("the scrape changed from %q to %q", before, after)
			}
		})
	}
}

// pageText returns the pushed samples with their times.
func (g *target) pageText(t *testing.T) []string {
	t.Helper()
	var lines []string
	for _, line := range splitLines(g.get(t, "/metrics", nil).body) {
		if name := nameOf(line); !isOwn(name) && name != "#" {
			lines = append(lines, line)
		}
	}
	return lines
}
