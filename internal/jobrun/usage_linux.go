package jobrun

import "syscall"

// measure reads what Linux tells: memory in KiB, and disk in blocks of 512 bytes.
func (u *Usage) measure(sys any) {
	if r, ok := sys.(*syscall.Rusage); ok {
		u.PeakMemory = int64(r.Maxrss) << 10
		u.ReadDisk, u.WroteDisk = int64(r.Inblock)*512, int64(r.Oublock)*512
	}
}
