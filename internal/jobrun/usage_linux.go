package jobrun

import "syscall"

// measure reads what Linux tells: memory in KiB, and disk in blocks of 512 bytes. A process begins with the peak of the
// one that started it, so that a peak that is not above our own tells nothing.
func (u *Usage) measure(sys any) {
	r, ok := sys.(*syscall.Rusage)
	if !ok {
		return
	}
	u.ReadDisk, u.WroteDisk = int64(r.Inblock)*512, int64(r.Oublock)*512
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err == nil && r.Maxrss > own.Maxrss {
		u.PeakMemory = int64(r.Maxrss) << 10
	}
}
