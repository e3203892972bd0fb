package jobrun

import "os"

func unknownUsage() Usage {
	return Usage{User: -1, System: -1, PeakMemory: -1, ReadDisk: -1, WroteDisk: -1}
}

// usageOf reads what the system tells of a process that has ended.
func usageOf(s *os.ProcessState) Usage {
	u := unknownUsage()
	u.User, u.System = s.UserTime(), s.SystemTime()
	u.measure(s.SysUsage())
	return u
}
