//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package client

import "errors"

var errSpoolLocked = errors.New("another holdfast replays this spool")

// lockSpool refuses: without a lock two processes could replay at once.
func lockSpool(string) (release func(), err error) {
	return nil, errors.New("a spool needs file locks, which this system does not have; leave --spool out")
}
