//go:build !linux

package holdfast

import "runtime"

// yieldThread lets other goroutines go first.
func yieldThread() { runtime.Gosched() }
