package exposition

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// recordedBodies are the bodies in the exchanges with the reference that the conformance suite replays,
// protobuf ones or the others.
func recordedBodies(t testing.TB, protobuf bool) [][]byte {
	t.Helper()
	files, err := filepath.Glob("../../conformance/testdata/*.jsonl.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded exchanges: %v", err)
	}
	seen := map[string]bool{}
	var bodies [][]byte
	for _, name := range files {
		for body, contentType := range exchanges(t, name) {
			if !seen[body] && IsProtobuf(contentType) == protobuf {
				seen[body] = true
				bodies = append(bodies, []byte(body))
			}
		}
	}
	if len(bodies) == 0 {
		t.Fatal("no body in the recorded exchanges")
	}
	return bodies
}

// exchanges returns the bodies in one file, with the Content-Type of each.
func exchanges(t testing.TB, name string) map[string]string {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string]string{}
	lines := bufio.NewScanner(plain)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var exchange struct {
			Steps []struct {
				Headers map[string]string
				Body    []byte
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &exchange); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, step := range exchange.Steps {
			bodies[string(step.Body)] = step.Headers["Content-Type"]
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return bodies
}
