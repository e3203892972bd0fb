//go:build !unix

package jobrun

import (
	"os"
	"os/exec"
)

// forwarded are the signals that are caught. Here the system sends them to the command too.
func forwarded() []os.Signal { return []os.Signal{os.Interrupt} }

// sender returns what sends a command a signal; here there is none but to end it.
func sender(c *exec.Cmd) func(os.Signal) error {
	return func(s os.Signal) error {
		if s == os.Interrupt {
			return nil
		}
		return c.Process.Kill()
	}
}

// A command cannot be asked to end here.
var terminate, kill os.Signal = os.Kill, os.Kill

func signalOf(*os.ProcessState) int { return 0 }
