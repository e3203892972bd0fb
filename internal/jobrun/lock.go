package jobrun

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrLocked says that another run holds the lock.
var ErrLocked = errors.New("another run of the job is going on")

// Lock takes the lock of a name on this machine, for this user. It is free again after release, or when
// the program ends however it ends. The error is ErrLocked, or tells why there can be no lock.
func Lock(name string) (release func(), err error) {
	file := filepath.Join(os.TempDir(), fmt.Sprintf("holdfast-run-%d-%x.lock", os.Getuid(), sha256.Sum256([]byte(name))))
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR|noFollow, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the job: %w", err)
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil // the lock goes with the open file
}
