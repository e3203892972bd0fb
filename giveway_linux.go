package holdfast

import "syscall"

// yieldThread lets threads of any process go first. The runtime may give this thread's goroutines to another one
// meanwhile.
func yieldThread() { _, _, _ = syscall.Syscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
