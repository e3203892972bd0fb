package jobrun

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

func TestRunTells(t *testing.T) {
	for script, want := range map[string]Outcome{
		"exit 0":         {},
		"exit 3":         {Code: 3},
		"kill -9 $$":     {Code: 137, Signal: 9},
		"kill -TERM $$":  {Code: 143, Signal: 15},
		"echo x; exit 5": {Code: 5},
	} {
		var out bytes.Buffer
		o := Run(Job{Args: []string{"sh", "-c", script}, Stdout: &out})
		if o.Err != nil || o.Code != want.Code || o.Signal != want.Signal || o.TimedOut || o.Success() != (want.Code == 0) {
			t.Errorf("%s: %+v, want code %d and signal %d", script, o, want.Code, want.Signal)
		}
		if o.End.Before(o.Start) || o.Start.IsZero() || o.Usage.User < 0 {
			t.Errorf("%s: times or usage are missing: %+v", script, o)
		}
		if strings.Contains(script, "echo") && out.String() != "x\n" {
			t.Errorf("%s: wrote %q", script, out.String())
		}
	}
}

// A large command tells how much memory it held. One that held less than this program cannot be told from it on
// Linux, so nothing is said.
func TestRunTellsMemory(t *testing.T) {
	const large = 300 << 20
	o := Run(Job{Args: []string{"dd", "if=/dev/zero", "of=/dev/null", "count=1", fmt.Sprint("bs=", large)}})
	if o.Code != 0 || o.Usage.PeakMemory < large || o.Usage.PeakMemory > 10*large {
		t.Errorf("code %d, %d bytes are told of a command that held %d and somewhat more", o.Code, o.Usage.PeakMemory, large)
	}
	o = Run(Job{Args: []string{"true"}})
	if peak := o.Usage.PeakMemory; runtime.GOOS == "linux" && peak != -1 {
		t.Errorf("%d bytes are told of a command that held hardly any", peak)
	}
}

func TestRunCannotStart(t *testing.T) {
	for command, code := range map[string]int{"./nothing": CodeNotFound, "no-such-command-here": CodeNotFound, "/": CodeNotExecutable} {
		if o := Run(Job{Args: []string{command}}); o.Err == nil || o.Code != code || o.Success() {
			t.Errorf("%s: %+v, want code %d", command, o, code)
		}
	}
}

// What a command started ends with it when its time is over: a pipe that nobody holds any more tells.
func TestRunTimesOutWithWhatItStarted(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	o := Run(Job{Args: []string{"sh", "-c", "sleep 600 & wait"}, Stdout: write, Timeout: 200 * time.Millisecond, Grace: time.Minute})
	_ = write.Close()
	if !o.TimedOut {
		t.Errorf("%+v, want it timed out", o)
	}
	_ = read.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.ReadAll(read); err != nil {
		t.Errorf("what the command started runs on: %v", err)
	}
}

// A command that does not end when it is told to is killed.
func TestRunTimesOut(t *testing.T) {
	for _, script := range []string{"exec sleep 60", "trap '' TERM; while :; do sleep 0.01; done", "trap 'exit 0' TERM; while :; do sleep 0.01; done"} {
		o := Run(Job{Args: []string{"sh", "-c", script}, Timeout: 200 * time.Millisecond, Grace: 200 * time.Millisecond})
		if !o.TimedOut || o.Code != CodeTimeout || o.Success() {
			t.Errorf("%s: %+v, want it ended with %d", script, o, CodeTimeout)
		}
	}
}

func TestRunAddsToTheEnvironment(t *testing.T) {
	t.Setenv("OUTER", "1")
	var out bytes.Buffer
	Run(Job{Args: []string{"sh", "-c", "echo $OUTER $INNER"}, Env: []string{"INNER=2"}, Stdout: &out})
	if out.String() != "1 2\n" {
		t.Errorf("the command saw %q, want both variables", out.String())
	}
}

func TestLock(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	release, err := Lock("a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock("a"); !errors.Is(err, ErrLocked) {
		t.Errorf("taken twice: %v", err)
	}
	other, err := Lock("b")
	if err != nil {
		t.Fatal(err)
	}
	other()
	release()
	if release, err = Lock("a"); err != nil {
		t.Fatalf("not free after its release: %v", err)
	}
	release()
}

// Names, types and helps are as Prometheus' linter wants them.
func TestMetricsPassTheLinter(t *testing.T) {
	o := Outcome{Start: time.Unix(1, 0), End: time.Unix(3, 500_000_000), Usage: Usage{User: time.Second, System: 1, PeakMemory: 1, ReadDisk: 1, WroteDisk: 1}}
	problems, err := promlint.New(bytes.NewReader(o.Metrics())).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v in\n%s", err, problems, o.Metrics())
	}
	for _, line := range []string{"job_last_duration_seconds 2.5\n", "job_last_success_timestamp_seconds 3.5\n", "job_last_success 1\n"} {
		if !strings.Contains(string(o.Metrics()), line) {
			t.Errorf("%q is missing in\n%s", line, o.Metrics())
		}
	}
	o.Code, o.Usage = 1, unknownUsage()
	for _, part := range []string{"success_timestamp", "cpu", "_bytes"} {
		if strings.Contains(string(o.Metrics()), part) {
			t.Errorf("%s is told of a failure that nobody measured:\n%s", part, o.Metrics())
		}
	}
}
