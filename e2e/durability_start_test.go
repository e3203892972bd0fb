package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

var listeningOn = regexp.MustCompile(`msg="Listening on" address=(\S+)`)

// holdfast is the command of a gateway that keeps its groups below a directory.
func holdfast(directory string, args ...string) *exec.Cmd {
	return serving(append([]string{"--storage.path=" + directory}, args...)...)
}

// serving is the command of a gateway.
func serving(args ...string) *exec.Cmd {
	return exec.Command(os.Getenv(binaryVariable), append([]string{"--web.listen-address=127.0.0.1:0"}, args...)...)
}

// begin starts a gateway that may end in any way, and returns when it is ready.
func begin(t *testing.T, command *exec.Cmd) gateway {
	t.Helper()
	p := &program{command: command, drained: make(chan struct{})}
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("starting %q: %v", command.Args, err)
	}
	go p.listen(stderr)
	t.Cleanup(func() {
		if command.ProcessState == nil && t.Failed() {
			t.Logf("%q is still running and said:\n%.4000s", command.Args, p.log())
		}
		p.end(syscall.SIGKILL)
	})
	g := gateway{program: p}
	eventually(t, "the gateway is ready", func() bool {
		select {
		case <-p.drained:
			t.Fatalf("%q has ended:\n%s", command.Args, p.log())
		default:
		}
		if address := listeningOn.FindStringSubmatch(p.log()); address != nil {
			g.url = "http://" + address[1]
		}
		return g.url != "" && statusOf(g.url+"/-/ready") == http.StatusOK
	})
	return g
}

// end sends a signal to a program unless it has ended, and returns its exit code once nothing more is
// heard from it; -1 is the end by a signal.
func (p *program) end(s syscall.Signal) int {
	if p.command.ProcessState == nil {
		_ = p.command.Process.Signal(s) // it may have ended by itself
		<-p.drained
		_ = p.command.Wait() // tells the exit code as an error
	}
	return p.command.ProcessState.ExitCode()
}

// stopClean ends a gateway as an operator does.
func (g gateway) stopClean(t *testing.T) {
	t.Helper()
	if code := g.end(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d after SIGTERM:\n%s", code, g.log())
	}
}

// statusOf returns the status of a GET, or 0 where there is no answer.
func statusOf(url string) int {
	response, err := http.Get(url)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// failsToStart runs a command that must exit with 1 by itself and say each of the sentences.
func failsToStart(t *testing.T, command *exec.Cmd, sentences ...string) {
	t.Helper()
	said, err := command.CombinedOutput()
	if code := command.ProcessState.ExitCode(); code != 1 {
		t.Errorf("%q: exit code %d, %v, want 1", command.Args, code, err)
	}
	for _, sentence := range sentences {
		if !strings.Contains(string(said), sentence) {
			t.Errorf("%q does not say %q; it says\n%s", command.Args, sentence, said)
		}
	}
}

// mount mounts a file system on a new directory until the test ends, and returns the directory and how
// to unmount it earlier.
func mount(t *testing.T, args ...string) (directory string, unmount func()) {
	t.Helper()
	directory = t.TempDir()
	attach := exec.Command(need(t, "mount", "mount"), append(args, directory)...)
	if out, err := attach.CombinedOutput(); err != nil {
		t.Fatalf("mount %q: %v: %s; this test must run as root where file systems may be mounted", args, err, out)
	}
	mounted := true
	unmount = func() {
		if !mounted {
			return
		}
		mounted = false
		if out, err := exec.Command(need(t, "umount", "mount"), directory).CombinedOutput(); err != nil {
			t.Errorf("umount %s: %v: %s", directory, err, out)
		}
	}
	t.Cleanup(unmount)
	return directory, unmount
}

// put pushes n as the one value of a group, and returns the status.
func (g gateway) put(t *testing.T, job string, n int) int {
	t.Helper()
	status, _ := g.do(t, http.MethodPut, "/metrics/job/"+job, fmt.Sprintf("%s %d\n", job, n))
	return status
}
