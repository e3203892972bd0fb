package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// describeMachine says what a reader must know of the machine, and nothing that names it. dir is where
// the stores of the run will be.
func describeMachine(dir string) (string, error) {
	sync, err := syncMedian(filepath.Join(dir, "sync"))
	if err != nil {
		return "", fmt.Errorf("measure fdatasync: %w", err)
	}
	return fmt.Sprintf("%d cores (%s), %s, %s; fdatasync of 4 KiB in a file that has its size: median %s",
		runtime.NumCPU(), processor(), runtime.GOOS, runtime.Version(), sync.Round(10*time.Microsecond)), nil
}

func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// syncMedian writes 4 KiB and has it on disk, 200 times.
func syncMedian(path string) (time.Duration, error) {
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	block, took := make([]byte, 4<<10), make([]time.Duration, 200)
	if _, err := file.Write(make([]byte, len(block)*len(took))); err != nil {
		return 0, err
	}
	if err := file.Sync(); err != nil {
		return 0, err
	}
	for i := range took {
		begun := time.Now()
		if _, err := file.WriteAt(block, int64(i*len(block))); err != nil {
			return 0, err
		}
		if err := syscall.Fdatasync(int(file.Fd())); err != nil {
			return 0, err
		}
		took[i] = time.Since(begun)
	}
	return median(took), nil
}

func median[T int64 | float64 | time.Duration](values []T) T {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
