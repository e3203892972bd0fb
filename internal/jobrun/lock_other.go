//go:build !unix

package jobrun

import (
	"errors"
	"os"
)

const noFollow = 0

func lock(*os.File) error { return errors.New("this system has no locks of the kind that is needed") }
