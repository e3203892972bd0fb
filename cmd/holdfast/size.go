package main

import (
	"fmt"
	"strconv"

	"github.com/alecthomas/units"
)

// size is a flag that counts bytes: "67108864", "64MiB" or "64MB", all powers of 1024.
type size int64

// Set implements kingpin.Value.
func (s *size) Set(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		var b units.Base2Bytes
		if b, err = units.ParseBase2Bytes(text); err != nil {
			return fmt.Errorf("invalid size %q: want a number of bytes such as 1048576 or 1MiB", text)
		}
		n = int64(b)
	}
	if n < 0 {
		return fmt.Errorf("invalid size %q: it is negative", text)
	}
	*s = size(n)
	return nil
}

// String implements kingpin.Value.
func (s *size) String() string { return units.Base2Bytes(*s).String() }
