package web

import (
	"sync"
	"sync/atomic"
)

// Clients have few content types among them, and short ones.
const (
	maxShared      = 64  // texts
	maxSharedBytes = 256 // of one
)

// sharedTexts gives equal texts that are kept for long the same memory.
type sharedTexts struct {
	known sync.Map // of string, by itself
	count atomic.Int32
}

// share returns a text equal to the given one.
func (t *sharedTexts) share(text string) string {
	if known, found := t.known.Load(text); found {
		return known.(string)
	}
	if len(text) <= maxSharedBytes && t.count.Add(1) <= maxShared {
		t.known.Store(text, text)
	}
	return text
}
