// Package jobrun runs a command as if nobody stood between, and tells how it went.
package jobrun

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"time"
)

// Exit codes that are not the command's own.
const (
	CodeTimeout       = 124 // it ran longer than allowed and was ended
	CodeNotExecutable = 126 // the file is there, but cannot be run
	CodeNotFound      = 127 // there is no such command
	codeSignal        = 128 // and the number of the signal that killed it
)

// Job is a command to run.
type Job struct {
	Args    []string      // the command and its arguments; at least one
	Env     []string      // added to the environment, NAME=VALUE
	Stdout  io.Writer     // where its output goes; nil: to our own
	Timeout time.Duration // after which it is told to end, and a while later killed; 0 for never
	Grace   time.Duration // that while
}

// Outcome is how a command went.
type Outcome struct {
	Start, End time.Time
	Code       int  // as a shell tells it: its exit code, or 128 and the number of a signal
	Signal     int  // that killed it, 0 for none
	TimedOut   bool // it was ended since it ran too long; Code is CodeTimeout
	Usage      Usage
	Err        error // why it was not started, nil if it was
}

// Usage is what a command and those that it waited for took from the system. What the system does not
// tell is negative.
type Usage struct {
	User, System        time.Duration
	PeakMemory          int64 // bytes
	ReadDisk, WroteDisk int64 // bytes
}

// Success reports whether the command ran and ended with exit code 0.
func (o *Outcome) Success() bool { return o.Err == nil && o.Code == 0 }

// Run runs a job to its end. Signals that end or steer programs are passed on to it meanwhile, and do
// not end us.
func Run(j Job) Outcome {
	ctx, cancel := context.WithCancel(context.Background())
	if j.Timeout > 0 {
		ctx, cancel = context.WithTimeout(context.Background(), j.Timeout)
	}
	defer cancel()
	c := exec.CommandContext(ctx, j.Args[0], j.Args[1:]...)
	c.Env = append(os.Environ(), j.Env...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	if j.Stdout != nil {
		c.Stdout = j.Stdout
	}
	send := sender(c)
	c.Cancel = func() error { return send(terminate) }
	c.WaitDelay = j.Grace
	o := Outcome{Usage: unknownUsage()}
	stop := passOn(func(s os.Signal) {
		if c.Process != nil {
			_ = send(s) // it may have ended just now
		}
	}, func() { o.Start = time.Now(); o.Err = c.Start() })
	if o.Err != nil {
		stop()
		o.End, o.Code = o.Start, startCode(o.Err)
		return o
	}
	err := c.Wait()
	stop()
	o.End = time.Now()
	o.Usage = usageOf(c.ProcessState)
	o.Code, o.Signal = c.ProcessState.ExitCode(), signalOf(c.ProcessState)
	if o.Signal != 0 {
		o.Code = codeSignal + o.Signal
	}
	if ctx.Err() != nil && err != nil {
		_ = send(kill) // what it started and left behind
		o.TimedOut, o.Code = true, CodeTimeout
	}
	return o
}

// startCode is the exit code of a command that could not be started, as shells give it.
func startCode(err error) int {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return CodeNotFound
	}
	return CodeNotExecutable
}
