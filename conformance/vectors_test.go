package conformance

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"testing"
)

// scenario is a recorded exchange with the reference, which starts from an empty gateway.
type scenario struct {
	ID      string
	Steps   []step
	Scrape  int // status of the final scrape; 500 where the scenario poisoned the reference
	Samples []string
	Help    map[string][]string // by family: every HELP that was pushed, as sent and unescaped
	API     any
}

// step is one request and the reference's answer.
type step struct {
	Method, Path string
	Headers      map[string]string
	Body         []byte
	Status       int
	Reply        string // cut at replyCut; empty for GET
}

const replyCut = 400 // characters

func (s step) request() request {
	return request{method: s.Method, path: s.Path, header: s.Headers, body: s.Body}
}

func loadScenarios(t *testing.T, m mode) []scenario {
	t.Helper()
	file, err := os.Open("testdata/" + string(m) + ".jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []scenario
	lines := bufio.NewScanner(plain)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var s scenario
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatalf("%s, line %d: %v", file.Name(), len(all)+1, err)
		}
		all = append(all, s)
	}
	if err := lines.Err(); err != nil || len(all) == 0 {
		t.Fatalf("%s: %d scenarios, %v", file.Name(), len(all), err)
	}
	return all
}
