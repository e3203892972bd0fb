//go:build unix

package jobrun

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// forwarded are the signals that end or steer a program. Those of stopping and of windows reach it
// without us.
func forwarded() []os.Signal {
	return []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2}
}

// seenByAll reports whether a signal comes from the keyboard: then the terminal has sent it to the
// command too, which stands in the same foreground group.
func seenByAll(s os.Signal) bool {
	if s != syscall.SIGINT && s != syscall.SIGQUIT {
		return false
	}
	terminal, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer terminal.Close()
	foreground, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err == nil && foreground == unix.Getpgrp()
}

// end asks a process to end.
func end(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

func signalOf(s *os.ProcessState) int {
	if status, ok := s.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return int(status.Signal())
	}
	return 0
}
