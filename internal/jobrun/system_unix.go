//go:build unix

package jobrun

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// forwarded are the signals that end or steer a program. Those of stopping and of windows reach it
// without us.
func forwarded() []os.Signal {
	return []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2}
}

// sender prepares a command that is not started yet for signals, and returns what sends it one. Where
// somebody sits at the terminal, the command stays in our process group, so that it may read the terminal,
// and gets the keyboard's signals from there. Else it leads a group of its own, and signals reach what it
// started too.
func sender(c *exec.Cmd) func(os.Signal) error {
	if attended() {
		return func(s os.Signal) error {
			if s == syscall.SIGINT || s == syscall.SIGQUIT {
				return nil
			}
			return c.Process.Signal(s)
		}
	}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return func(s os.Signal) error { return syscall.Kill(-c.Process.Pid, s.(syscall.Signal)) }
}

// attended reports whether a terminal sends its signals to our process group.
func attended() bool {
	terminal, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer terminal.Close()
	foreground, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err == nil && foreground == unix.Getpgrp()
}

// The signals that ask a command to end, and that end it.
var (
	terminate os.Signal = syscall.SIGTERM
	kill      os.Signal = syscall.SIGKILL
)

func signalOf(s *os.ProcessState) int {
	if status, ok := s.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return int(status.Signal())
	}
	return 0
}
