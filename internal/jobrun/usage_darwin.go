package jobrun

import "syscall"

// measure reads what macOS tells: memory in bytes; its counts of disk operations say nothing of bytes.
func (u *Usage) measure(sys any) {
	if r, ok := sys.(*syscall.Rusage); ok {
		u.PeakMemory = r.Maxrss
	}
}
