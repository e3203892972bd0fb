//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package client

import (
	"errors"
	"os"
	"syscall"
)

var errSpoolLocked = errors.New("another holdfast replays this spool")

// lockSpool takes the lock without waiting; it ends with the process at the latest.
func lockSpool(name string) (release func(), err error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errSpoolLocked
		}
		return nil, err
	}
	return func() { _ = file.Close() }, nil
}
