package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// reference is the command of a real Pushgateway with a persistence file.
func reference(t *testing.T, file string) *exec.Cmd {
	t.Helper()
	return exec.Command(need(t, "prometheus-pushgateway", "prometheus-pushgateway"), "--web.listen-address=127.0.0.1:0", "--persistence.file="+file)
}

// pushedLines returns what a page has of pushed families, sorted.
func pushedLines(t *testing.T, g gateway) []string {
	t.Helper()
	return slices.Sorted(slices.Values(pushed(strings.Split(g.page(t, "allow-utf-8"), "\n"))))
}

// same fails where two pages differ in what was pushed.
func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if !slices.Equal(want, got) {
		t.Errorf("%s: the page was\n%s\nand is\n%s", what, strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
}

const everyType = `# HELP moved_total help \\ of
# TYPE moved_total counter
moved_total{path="/a\n\"b\""} 1e300
# TYPE moved_gauge gauge
moved_gauge -0
moved_gauge{v="作业"} NaN
# TYPE moved_summary summary
moved_summary{quantile="0.5"} 4
moved_summary_sum 10
moved_summary_count 3
# TYPE moved_histogram histogram
moved_histogram_bucket{le="1"} 1
moved_histogram_bucket{le="+Inf"} 2
moved_histogram_sum 7
moved_histogram_count 2
moved_untyped 5e-324
`

// fillReference has a real Pushgateway write a file, and returns what it served.
func fillReference(t *testing.T, file string) []string {
	t.Helper()
	g := begin(t, reference(t, file))
	for _, path := range []string{"/metrics/job/a", "/metrics/job/a/instance/b", "/metrics/job@base64/L3Zhcg/l/%E4%BD%9C"} {
		if status, answer := g.do(t, http.MethodPut, path, everyType); status != http.StatusOK {
			t.Fatalf("PUT %s: %d %s", path, status, answer)
		}
	}
	if status, _ := g.do(t, http.MethodPut, "/metrics/job/failed", "moved_total{a=\"b\"} 1\n"); status != http.StatusBadRequest {
		t.Fatalf("a push of another type: %d", status)
	}
	served := pushedLines(t, g)
	g.stopClean(t)
	return served
}

// TestMoveFromThePushgatewayAndBack: Holdfast takes a real Pushgateway's file over, once, and leaves it
// as it was. What it exports, a real Pushgateway serves.
func TestMoveFromThePushgatewayAndBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "persistence")
	served := fillReference(t, file)
	before := contentOf(t, file)

	g := begin(t, serving("--persistence.file="+file, "--persistence.interval=1m"))
	same(t, "imported", served, pushedLines(t, g))
	if status := g.put(t, "later", 1); status != http.StatusOK {
		t.Fatalf("a push after the import: %d", status)
	}
	if status, _ := g.do(t, http.MethodDelete, "/metrics/job/a", ""); status != http.StatusAccepted {
		t.Fatalf("DELETE after the import: %d", status)
	}
	served = pushedLines(t, g)
	g.stopClean(t)
	g = begin(t, serving("--persistence.file="+file))
	same(t, "started again", served, pushedLines(t, g))
	g.stopClean(t)
	if contentOf(t, file) != before {
		t.Error("the persistence file was changed")
	}

	exported := filepath.Join(t.TempDir(), "exported")
	export := []string{"export-persistence", "--storage.path=" + file + ".holdfast", exported}
	run(t, "", os.Getenv(binaryVariable), export...)
	g = begin(t, reference(t, exported))
	same(t, "went back", served, pushedLines(t, g))
	g.stopClean(t)
	failsToStart(t, exec.Command(os.Getenv(binaryVariable), export...), exported, "exists")
}

// TestPersistenceFileThatChanged: if a Pushgateway ran on the file after its import, nobody but the
// operator knows which state is the right one.
func TestPersistenceFileThatChanged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "persistence")
	fillReference(t, file)
	begin(t, serving("--persistence.file="+file)).stopClean(t)
	g := begin(t, reference(t, file))
	if status := g.put(t, "meanwhile", 1); status != http.StatusOK {
		t.Fatalf("a push to the Pushgateway: %d", status)
	}
	g.stopClean(t)
	before := contentOf(t, file)
	failsToStart(t, serving("--persistence.file="+file), "has changed since", "move "+file+" away", "move "+file+".holdfast away")
	if contentOf(t, file) != before {
		t.Error("the persistence file was changed")
	}
}

// TestDamagedPersistenceFile: a file that cannot be read whole is neither imported nor changed, and
// there is no start without it.
func TestDamagedPersistenceFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "persistence")
	fillReference(t, file)
	whole := contentOf(t, file)
	for _, damaged := range []string{"", whole[:len(whole)/2], "not a persistence file\n"} {
		if err := os.WriteFile(file, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		failsToStart(t, serving("--persistence.file="+file), "import --persistence.file "+file, "move the file away")
		if contentOf(t, file) != damaged {
			t.Errorf("the damaged file was changed")
		}
	}
}

func contentOf(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
