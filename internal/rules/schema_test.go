package rules

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/rules.schema.json")

const schemaFile, docsFile = "../../docs/rules.schema.json", "../../docs/rules.md"

func TestSchemaIsWritten(t *testing.T) {
	want, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil || string(got) != string(want) {
		t.Errorf("%s is not what the parser reads (%v): go test ./internal/rules -update", schemaFile, err)
	}
}

// ruleProperties are the keys of a rule as the written schema has them.
func ruleProperties(t *testing.T) map[string]map[string]any {
	t.Helper()
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties struct {
			Rules struct {
				Items struct {
					Properties map[string]map[string]any `json:"properties"`
				} `json:"items"`
			} `json:"rules"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	return schema.Properties.Rules.Items.Properties
}

// TestSchemaAgreesWithParser tries values that the schema admits and that it does not.
func TestSchemaAgreesWithParser(t *testing.T) {
	accepts := func(name, value string) bool {
		_, err := Parse("f", fmt.Appendf(nil, "rules:\n  - match: '{job=\"a\"}'\n    %s: %s\n", name, value))
		return err == nil
	}
	checked := 0
	for name, property := range ruleProperties(t) {
		choices, _ := property["enum"].([]any)
		for _, value := range choices {
			checked++
			if !accepts(name, value.(string)) || accepts(name, value.(string)+"x") {
				t.Errorf("%s: the schema and the parser differ about %v", name, value)
			}
		}
		either, _ := property["anyOf"].([]any)
		for _, schema := range either {
			pattern, found := schema.(map[string]any)["pattern"].(string)
			if !found {
				continue
			}
			expression := regexp.MustCompile(pattern)
			for _, value := range []string{"5m", "1d12h", "1y2w3d4h5m6s7ms", "0", "90", "5 m", "m", "1h1d", "-5m", "1.5h", "5us"} {
				checked++
				if got := accepts(name, value); got != expression.MatchString(value) {
					t.Errorf("%s: %s: the parser says %v, the schema the opposite", name, value, got)
				}
			}
		}
	}
	if checked < 40 {
		t.Errorf("only %d values were tried", checked)
	}
}

func TestDocsTellAllKeys(t *testing.T) {
	text, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(keyNames(ruleKeys()), keyNames(fileKeys())) {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("%s does not tell %s", docsFile, name)
		}
	}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1)
	for _, example := range examples {
		if r, err := Parse("example", example[1]); err != nil || r.Len() == 0 {
			t.Errorf("an example has %d rules: %v\n%s", r.Len(), err, example[1])
		}
	}
	if len(examples) < 3 {
		t.Errorf("%d examples", len(examples))
	}
}

func keyNames[T any](keys []key[T]) []string {
	var all []string
	for _, k := range keys {
		all = append(all, k.name)
	}
	return all
}
