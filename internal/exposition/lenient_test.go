package exposition

import "testing"

func TestLenient(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		"x 1\n":                       "x 1\n",
		"x 1":                         "x 1\n",
		"x 1\r\ny 2\r\n":              "x 1\ny 2\n",
		"x 1\r":                       "x 1\n",
		"\ufeffx 1\n":                 "x 1\n",
		"\ufeff":                      "",
		"x{a=\"\r\"} 1\n":             "x{a=\"\r\"} 1\n",
		"\ufeff# HELP x a\ufeffb\r\n": "# HELP x a\ufeffb\n",
	} {
		if got := string(Lenient([]byte(text))); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
