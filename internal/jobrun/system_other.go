//go:build !unix

package jobrun

import "os"

// forwarded are the signals that are passed on. Here the system sends them to the command too.
func forwarded() []os.Signal { return []os.Signal{os.Interrupt} }

func seenByAll(os.Signal) bool { return true }

// end ends a process; here it cannot be asked to.
func end(p *os.Process) error { return p.Kill() }

func signalOf(*os.ProcessState) int { return 0 }
