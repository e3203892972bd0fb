package e2e

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// TestRunTellsOfTheWindow: the command is told when its terminal changes in size.
func TestRunTellsOfTheWindow(t *testing.T) {
	g := startGateway(t)
	x := atTerminal(t, g, "run", "--job", "size", "--", "sh", "-c", "trap 'stty size; exit 5' WINCH; echo begun; while :; do sleep 0.05; done")
	x.await("begun")
	if err := pty.Setsize(x.master, &pty.Winsize{Rows: 25, Cols: 81}); err != nil {
		t.Fatal(err)
	}
	x.await("25 81")
	x.exited(5)
	g.serves(t, `job_last_exit_code{instance="",job="size"} 5`)
}

// TestRunAndTheQuitKey: what the keyboard kills is told as killed.
func TestRunAndTheQuitKey(t *testing.T) {
	g := startGateway(t)
	x := atTerminal(t, g, "run", "--job", "quit", "--", "sh", "-c", "ulimit -c 0; echo begun; exec sleep 600")
	x.await("begun")
	x.press("\x1c")
	x.exited(131)
	g.serves(t, `job_last_signal_number{instance="",job="quit"} 3`, `job_last_success{instance="",job="quit"} 0`)
}

// TestRunHandsAKeyOnOnce: a key that is pressed once is one signal.
func TestRunHandsAKeyOnOnce(t *testing.T) {
	g := startGateway(t)
	x := atTerminal(t, g, "run", "--job", "once", "--", "sh", "-c", `n=0; trap 'n=$((n+1)); echo caught $n' INT
		trap 'exit $((n+10))' TERM; echo begun; while :; do sleep 0.05; done`)
	x.await("begun")
	x.press("\x03")
	x.await("caught 1")
	x.press("\x03")
	x.await("caught 2")
	if err := x.c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	x.exited(12)
}

// TestRunWhenTheTerminalGoes: the command is hung up as it would be without us, and that is told. It
// writes all the time, since a terminal is not closed while the test waits for what it shows.
func TestRunWhenTheTerminalGoes(t *testing.T) {
	g := startGateway(t)
	x := atTerminal(t, g, "run", "--job", "hungup", "--", "sh", "-c", "while :; do echo begun; sleep 0.05; done")
	x.await("begun")
	if err := x.master.Close(); err != nil {
		t.Fatal(err)
	}
	x.exited(129)
	g.serves(t, `job_last_signal_number{instance="",job="hungup"} 1`)
}

// TestRunIsSuspended: in a shell with job control, the command stops and goes on with its wrapper. The
// shell shows each exit code with its next prompt, and only then is typed again: a shell that takes its
// terminal back forgets what was typed before.
func TestRunIsSuspended(t *testing.T) {
	g := startGateway(t)
	shell := exec.Command(need(t, "bash", "bash"), "--norc", "--noprofile", "--noediting", "-i")
	shell.Env = []string{"HOME=" + t.TempDir(), "PS1=$ ", "PROMPT_COMMAND=echo code $?"}
	x := onTerminal(t, g, shell)
	x.await("code 0\r\n$ ")
	x.press(`"` + os.Getenv(binaryVariable) + `" run --job paused -- sh -c 'echo be""gun; while read line; do echo "read $line"; done'` + "\n")
	x.await("begun")
	x.press("\x1a")
	x.await("code 148\r\n$ ")
	x.press("fg\n")
	x.await("fg\r\n\"")
	x.press("a word\n")
	x.await("read a word")
	x.press("\x03")
	x.await("code 130")
	g.serves(t, `job_last_exit_code{instance="",job="paused"} 130`)
}
