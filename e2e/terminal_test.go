package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// terminal is a program at a pseudo-terminal of 33 lines and 77 columns.
type terminal struct {
	t      *testing.T
	c      *exec.Cmd
	master *os.File
	mu     sync.Mutex
	shown  bytes.Buffer
	closed chan struct{} // when the terminal shows nothing more
}

func atTerminal(t *testing.T, g gateway, args ...string) *terminal {
	t.Helper()
	return onTerminal(t, g, exec.Command(os.Getenv(binaryVariable), args...))
}

// onTerminal starts c, with the gateway in its environment.
func onTerminal(t *testing.T, g gateway, c *exec.Cmd) *terminal {
	t.Helper()
	x := &terminal{t: t, c: c, closed: make(chan struct{})}
	x.c.Env = append(os.Environ(), append(c.Env, "HOLDFAST_URL="+g.url)...)
	var err error
	if x.master, err = pty.StartWithSize(x.c, &pty.Winsize{Rows: 33, Cols: 77}); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(x.closed)
		room := make([]byte, 4096)
		for {
			n, err := x.master.Read(room)
			x.mu.Lock()
			x.shown.Write(room[:n])
			x.mu.Unlock()
			if err != nil { // EIO, once the last program has left the terminal
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = x.c.Process.Kill()
		_ = x.master.Close()
	})
	return x
}

func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.shown.String()
}

func (x *terminal) await(text string) {
	x.t.Helper()
	eventually(x.t, "the terminal shows "+text, func() bool { return strings.Contains(x.text(), text) })
}

func (x *terminal) press(keys string) {
	x.t.Helper()
	if _, err := x.master.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
}

// exited waits for the program's end and checks its exit code.
func (x *terminal) exited(code int) {
	x.t.Helper()
	_ = x.c.Wait() // the code tells
	<-x.closed
	if got := x.c.ProcessState.ExitCode(); got != code {
		x.t.Errorf("exit code %d, want %d; the terminal shows\n%s", got, code, x.text())
	}
}

// TestRunAtTerminal runs commands as somebody at a terminal does.
func TestRunAtTerminal(t *testing.T) {
	g := startGateway(t)
	const ctrlC = "\x03"
	t.Run("its own terminal", func(t *testing.T) {
		x := atTerminal(t, g, "run", "--job", "sized", "--", "sh", "-c", "test -t 0 && test -t 1 && test -t 2 && stty size && read word && echo got $word")
		x.await("33 77")
		x.press("hello\n")
		x.await("got hello")
		x.exited(0)
		g.serves(t, `job_last_success{instance="",job="sized"} 1`)
	})
	t.Run("Ctrl-C ends it", func(t *testing.T) {
		x := atTerminal(t, g, "run", "--job", "ended", "--", "sh", "-c", "echo begun; exec sleep 300")
		x.await("begun")
		x.press(ctrlC)
		x.exited(130)
		g.serves(t, `job_last_exit_code{instance="",job="ended"} 130`, `job_last_signal_number{instance="",job="ended"} 2`)
	})
	t.Run("Ctrl-C is its own affair", func(t *testing.T) {
		x := atTerminal(t, g, "run", "--job", "stubborn", "--", "sh", "-c", `trap 'echo caught; exit 7' INT; echo begun; while :; do sleep 0.05; done`)
		x.await("begun")
		x.press(ctrlC)
		x.await("caught")
		x.exited(7)
		g.serves(t, `job_last_exit_code{instance="",job="stubborn"} 7`)
	})
	t.Run("SIGTERM is passed on", func(t *testing.T) {
		x := atTerminal(t, g, "run", "--job", "told", "--", "sh", "-c", `trap 'echo told; exit 9' TERM; echo begun; while :; do sleep 0.05; done`)
		x.await("begun")
		if err := x.c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		x.await("told")
		x.exited(9)
	})
}

// TestRemoveAtTerminal is asked, and answers.
func TestRemoveAtTerminal(t *testing.T) {
	g := startGateway(t)
	for _, zone := range []string{"1", "2", "3", "4", "5", "6"} {
		if status, body := g.do(t, "PUT", "/metrics/job/old/zone/"+zone, "x 1\n"); status != 200 {
			t.Fatal(status, body)
		}
	}
	for _, answer := range []string{"n\n", "\n", "\x04", "\x03"} {
		x := atTerminal(t, g, "groups", "rm", `{job="old"}`)
		x.await("and 1 more")
		x.await("Remove 6 groups with 18 series? [y/N] ")
		x.press(answer)
		x.await("nothing was removed")
		x.exited(0)
	}
	if n := len(g.groups(t)); n != 6 {
		t.Fatalf("%d groups are left after no", n)
	}
	x := atTerminal(t, g, "groups", "rm", `{job="old"}`)
	x.await("[y/N] ")
	x.press("y\n")
	x.await("6 groups removed")
	x.exited(0)
	if n := len(g.groups(t)); n != 0 {
		t.Errorf("%d groups are left after yes", n)
	}
}
