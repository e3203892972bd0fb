package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// patience is how long a test waits for what must happen at once on an idle machine.
const patience = 30 * time.Second

var (
	listening = regexp.MustCompile(`Listening on"?[ ,]"?address"?[=:]"?([^\s",]+)`)
	polling   = 10 * time.Millisecond
)

// running is a started holdfast.
type running struct {
	cmd       *exec.Cmd
	listeners []string // addresses, in the order of the log
	exited    chan struct{}

	mu      sync.Mutex
	log     bytes.Buffer
	changed chan struct{} // closed and renewed when the log grows
}

// startHoldfast starts the program in folder dir with args, on as many free loopback ports as listeners
// says, and returns when it is listening. It keeps groups in memory unless args say where.
func startHoldfast(dir string, listeners int, args ...string) (*running, error) {
	for range listeners {
		args = append(args, "--web.listen-address=127.0.0.1:0")
	}
	if !slices.ContainsFunc(args, func(a string) bool {
		return strings.HasPrefix(a, "--storage.") || strings.HasPrefix(a, "--persistence.file")
	}) {
		args = append(args, "--storage.engine=memory")
	}
	r := &running{cmd: exec.Command("holdfast", args...), exited: make(chan struct{}), changed: make(chan struct{})}
	r.cmd.Dir = dir
	stderr, err := r.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	go r.follow(stderr)
	if err := r.await(fmt.Sprintf(`(?s)(Listening on.*){%d}`, listeners)); err != nil {
		r.kill()
		return nil, err
	}
	for _, m := range listening.FindAllStringSubmatch(r.text(), -1) {
		r.listeners = append(r.listeners, m[1])
	}
	return r, nil
}

func (r *running) follow(stderr io.Reader) {
	lines := bufio.NewReader(stderr)
	for {
		line, err := lines.ReadString('\n')
		r.mu.Lock()
		r.log.WriteString(line)
		close(r.changed)
		r.changed = make(chan struct{})
		r.mu.Unlock()
		if err != nil {
			break
		}
	}
	_ = r.cmd.Wait() // its outcome is read from ProcessState
	close(r.exited)
}

func (r *running) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

// await returns once the log matches pattern.
func (r *running) await(pattern string) error {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return err
	}
	deadline := time.After(patience)
	for {
		r.mu.Lock()
		found, changed := re.MatchString(r.log.String()), r.changed
		r.mu.Unlock()
		if found {
			return nil
		}
		select {
		case <-changed:
		case <-r.exited:
			if re.MatchString(r.text()) {
				return nil
			}
			return fmt.Errorf("holdfast exited before its log had %q:\n%s", pattern, r.text())
		case <-deadline:
			return fmt.Errorf("the log never had %q:\n%s", pattern, r.text())
		}
	}
}

// awaitReady returns once /-/ready below prefix answers 200.
func (r *running) awaitReady(prefix string) error {
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(polling)
	defer tick.Stop()
	for time.Now().Before(deadline) {
		if reply, err := http.Get("http://" + r.listeners[0] + prefix + "/-/ready"); err == nil {
			reply.Body.Close()
			if reply.StatusCode == http.StatusOK {
				return nil
			}
		}
		<-tick.C
	}
	return fmt.Errorf("never ready:\n%s", r.text())
}

// exit waits for the end and returns the exit code, or -1 after a signal.
func (r *running) exit() (int, error) {
	select {
	case <-r.exited:
		return r.cmd.ProcessState.ExitCode(), nil
	case <-time.After(patience):
		return 0, fmt.Errorf("still running:\n%s", r.text())
	}
}

func (r *running) kill() {
	_ = r.cmd.Process.Kill() // it may have ended
	<-r.exited
}

// send sends one request and returns status, headers and body as text.
func send(method, url, user string, body io.Reader) (string, error) {
	q, err := http.NewRequest(method, url, body)
	if err != nil {
		return "", err
	}
	if name, password, ok := strings.Cut(user, ":"); ok {
		q.SetBasicAuth(name, password)
	}
	client := &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	reply, err := client.Do(q)
	if err != nil {
		return "", err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s\n%s", reply.Status, text), nil
}
