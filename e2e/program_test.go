package e2e

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take.
const patience = 60 * time.Second

// program is a running program and what it said on standard error.
type program struct {
	command *exec.Cmd
	mu      sync.Mutex
	said    strings.Builder
	drained chan struct{} // closed when standard error has ended
}

// launch starts a program and stops it by SIGTERM when the test ends; it must then exit with 0.
func launch(t *testing.T, path string, args ...string) *program {
	t.Helper()
	p := &program{command: exec.Command(path, args...), drained: make(chan struct{})}
	stderr, err := p.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatalf("starting %s: %v; scripts/parts.sh installs what the tests need", path, err)
	}
	go p.listen(stderr)
	t.Cleanup(func() { p.stop(t) })
	return p
}

func (p *program) listen(stderr io.Reader) {
	defer close(p.drained)
	lines := bufio.NewReader(stderr)
	for {
		line, err := lines.ReadString('\n')
		p.mu.Lock()
		p.said.WriteString(line)
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (p *program) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

func (p *program) stop(t *testing.T) {
	t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("stopping %s: %v", p.command.Path, err)
	}
	kill := time.AfterFunc(patience, func() { _ = p.command.Process.Kill() })
	defer kill.Stop()
	<-p.drained
	if err := p.command.Wait(); err != nil {
		t.Errorf("%s ended with %v, want exit code 0", p.command.Path, err)
	}
	if t.Failed() {
		t.Logf("%s said:\n%.8000s", p.command.Path, p.log())
	}
}

// awaitLog polls the log for a pattern and returns its first group.
func (p *program) awaitLog(t *testing.T, pattern *regexp.Regexp) string {
	t.Helper()
	var found []string
	eventually(t, "the log has "+pattern.String(), func() bool {
		found = pattern.FindStringSubmatch(p.log())
		return found != nil
	})
	return found[1]
}

// eventually polls until check holds. It gives up, and fails, when patience ends.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for !check() {
		select {
		case <-deadline:
			t.Fatalf("not within %v: %s", patience, what)
		case <-tick.C:
		}
	}
}

// run runs a command to its end and returns its standard output.
func run(t *testing.T, stdin, path string, args ...string) string {
	t.Helper()
	command := exec.Command(path, args...)
	var stderr strings.Builder
	command.Stdin, command.Stderr = strings.NewReader(stdin), &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s%s\nscripts/parts.sh installs what the tests need", path, args, err, out, stderr.String())
	}
	return string(out)
}

// need returns where a program is, or fails with the command that installs it.
func need(t *testing.T, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v: apt-get install -y --no-install-recommends %s", err, debian)
	}
	return path
}

// needFile fails with the command that installs a file which is missing.
func needFile(t *testing.T, path, install string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: %s", err, install)
	}
}
