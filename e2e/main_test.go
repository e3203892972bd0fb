// Package e2e proves Holdfast's binary against real clients, a real Prometheus, a real Chromium and
// Prometheus' own parsers, and against kills, power cuts and failing disks. It needs root, for mounts, and Debian's
// python3-prometheus-client, nodejs with npm, curl, prometheus, prometheus-pushgateway, chromium, strace
// and e2fsprogs, which scripts/parts.sh installs; what is missing fails its test and says so.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binaryVariable names the binary to test; without it, it is built once.
const binaryVariable = "HOLDFAST_BIN"

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	if os.Getenv(binaryVariable) != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "holdfast-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "making a folder for the binary:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "holdfast")
	build := exec.Command("go", "build", "-o", binary, "./cmd/holdfast")
	build.Dir, build.Stdout, build.Stderr = "..", os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building holdfast:", err)
		return 1
	}
	if err := os.Setenv(binaryVariable, binary); err != nil {
		fmt.Fprintln(os.Stderr, "passing on where the binary is:", err)
		return 1
	}
	return m.Run()
}
