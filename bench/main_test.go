package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be the opponents that the driver starts out of itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && isOpponent(os.Args[1]) {
		if err := run(context.Background(), os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func startOne(t *testing.T, args ...string) *target {
	t.Helper()
	one, err := startOpponent(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(one.stop)
	return one
}

func TestOpponentsTakePushes(t *testing.T) {
	dir := t.TempDir()
	for _, one := range []*target{startOne(t, "null"), startOne(t, "append", dir)} {
		for _, protobuf := range []bool{false, true} {
			load := pushLoad{shape: shape{5, 4}, protobuf: protobuf, clients: 4, duration: 200 * time.Millisecond}
			got, err := load.run(t.Context(), one)
			if err != nil {
				t.Fatal(err)
			}
			if got.ops == 0 || got.ops != len(got.latencies) || got.at(0.99) < got.at(0.5) || got.at(0.5) <= 0 {
				t.Errorf("%s: %d pushes, %d latencies, p50 %v, p99 %v", one.name, got.ops, len(got.latencies), got.at(0.5), got.at(0.99))
			}
			if resident, err := one.resident(); err != nil || resident < 1<<20 {
				t.Errorf("%s: %d bytes of memory, %v", one.name, resident, err)
			}
		}
	}
}

func TestAppendKeepsEveryBody(t *testing.T) {
	dir := t.TempDir()
	one := startOne(t, "append", dir)
	const pushes = 50
	if err := fill(t.Context(), one, shape{1, 1}, pushes, false); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.Join(dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(kept, []byte("# TYPE ")); n != pushes {
		t.Errorf("%d bodies kept of %d that were answered", n, pushes)
	}
}

func TestOpenLoopHoldsItsRate(t *testing.T) {
	one := startOne(t, "null")
	one.keys = 10
	load := pushLoad{shape: shape{1, 1}, clients: 8, duration: 300 * time.Millisecond, rate: 200}
	got, err := load.run(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	if got.ops != 60 {
		t.Errorf("%d pushes in 0.3 s at 200 a second, want 60", got.ops)
	}
}

func TestScrapesAreChecked(t *testing.T) {
	page := []byte("# TYPE go_x gauge\ngo_x 1\n# TYPE bench_a gauge\nbench_a 5\n")
	file := filepath.Join(t.TempDir(), "page")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		t.Fatal(err)
	}
	one := startOne(t, "bytes", file)
	for _, gzip := range []bool{false, true} {
		got, err := scrapeLoad{gzip: gzip, want: pushed(page)}.run(t.Context(), one)
		if err != nil || got.bytes == 0 {
			t.Errorf("gzip %v: %d bytes, %v", gzip, got.bytes, err)
		}
	}
	if _, err := (scrapeLoad{gzip: true, want: []byte("bench_a 6\n")}).run(t.Context(), one); err == nil {
		t.Error("a page that is not the one wanted was let through")
	}
}

func TestCheckPageRefusesASecondMember(t *testing.T) {
	member, err := compressWhole([]byte("bench_a 5\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := checkPage(member, []byte("bench_a 5\n")); err != nil {
		t.Fatal(err)
	}
	if err := checkPage(append(member, member...), []byte("bench_a 5\n")); err == nil {
		t.Error("a second member was let through")
	}
}

// TestRunReports runs the whole command once: against its own null server, which takes pushes as any
// gateway does.
func TestRunReports(t *testing.T) {
	one := startOne(t, "null")
	t.Chdir(t.TempDir())
	args := []string{
		"-url", "http://" + one.address, "-parts", "push", "-groups", "10", "-clients", "2",
		"-duration", "50ms", "-rounds", "2", "-name", "self",
	}
	if err := run(t.Context(), args); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("bench", "results", "self.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"fdatasync", "| null ", "| append ", "| gateway ", "2 clients"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), os.TempDir()) {
		t.Errorf("the report holds a path of this machine:\n%s", text)
	}
}

func TestOnlyLoopbackIsLoaded(t *testing.T) {
	for _, base := range []string{"http://192.0.2.1:9091", "https://127.0.0.1:9091", "http://127.0.0.1:9091/prefix", "http://gateway:9091"} {
		if _, err := attach(base, 0); err == nil {
			t.Errorf("%s was accepted", base)
		}
	}
	if _, err := attach("http://127.0.0.1:9091/", 0); err != nil {
		t.Error(err)
	}
}
