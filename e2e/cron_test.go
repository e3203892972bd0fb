package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestCron runs a job again and again, as cron does, while its gateway is there, answers nothing, is gone,
// and is back. Each run has the exit code of its job, and in the end the gateway knows the last one.
func TestCron(t *testing.T) {
	s := newSpooler(t, 0)
	store := t.TempDir()
	runs := 0
	night := func(code, waiting int) {
		t.Helper()
		runs++
		c := exec.Command(os.Getenv(binaryVariable), "run", "--url=http://"+s.address, "--spool="+s.directory, "--push-timeout=1s", "--job=nightly",
			"--", "sh", "-c", fmt.Sprintf("echo nightly_runs %d > $HOLDFAST_METRICS; exit %d", runs, code))
		c.Env = []string{"HOME=" + t.TempDir(), "PATH=/usr/bin:/bin"}
		said, _ := c.CombinedOutput() // the exit code tells
		if got := c.ProcessState.ExitCode(); got != code {
			t.Errorf("run %d: exit code %d, want %d; it said\n%s", runs, got, code, said)
		}
		if got := s.waiting(t); got != waiting {
			t.Errorf("run %d: %d pushes wait, want %d; it said\n%s", runs, got, waiting, said)
		}
		if quiet := len(said) == 0; quiet != (waiting == 0) {
			t.Errorf("run %d with %d pushes waiting said %q", runs, waiting, said)
		}
	}
	state := func(g gateway, code, success int) {
		t.Helper()
		g.serves(t, fmt.Sprintf(`nightly_runs{instance="",job="nightly"} %d`, runs),
			fmt.Sprintf(`job_last_exit_code{instance="",job="nightly"} %d`, code), fmt.Sprintf(`job_last_success{instance="",job="nightly"} %d`, success))
	}
	g := s.gateway(t, store)
	night(0, 0)
	state(g, 0, 1)
	if err := g.command.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	night(3, 1)
	if err := g.command.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	night(4, 0)
	state(g, 4, 0)
	g.end(syscall.SIGKILL)
	night(5, 1)
	night(0, 2)
	g = s.gateway(t, store)
	night(6, 0)
	state(g, 6, 0)
	if page := g.page(t, "allow-utf-8"); !strings.Contains(page, `job_last_success_timestamp_seconds{instance="",job="nightly"} 1.`) {
		t.Error("the success of a run while the gateway was away is lost")
	}
}
