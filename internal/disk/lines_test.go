package disk

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// lines keeps what is logged.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all lines.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// count returns the number of lines that contain some words.
func (l *lines) count(t *testing.T, words string) int {
	t.Helper()
	count := 0
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, words) {
			count++
		}
	}
	return count
}
