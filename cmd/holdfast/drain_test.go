package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"
)

// halfPush opens a connection and sends a push but for the last byte of its body. The gateway has
// accepted it when it asks for the body.
func halfPush(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(c, "PUT /metrics/job/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("got %q, %v; want to be asked for the body", line, err)
	}
	fmt.Fprint(c, "x 1")
	return c
}

func start(t *testing.T, args ...string) *running {
	t.Helper()
	r, err := startHoldfast(t.TempDir(), 1, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.kill)
	if err := r.awaitReady(""); err != nil {
		t.Fatal(err)
	}
	return r
}

// awaitClosed returns once nobody accepts connections at address.
func awaitClosed(t *testing.T, address string) {
	t.Helper()
	tick := time.NewTicker(polling)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		c.Close()
	}
	t.Fatalf("%s still accepts connections", address)
}

// A push that was accepted before the stop is answered, though the port is closed.
func TestStopAnswersWhatItAccepted(t *testing.T) {
	r := start(t)
	c := halfPush(t, r.listeners[0])
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	awaitClosed(t, r.listeners[0])

	fmt.Fprint(c, "\n")
	reply, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("the push was not answered: %v\n%s", err, r.text())
	}
	defer reply.Body.Close()
	if text, _ := io.ReadAll(reply.Body); reply.StatusCode != http.StatusOK {
		t.Errorf("the push was answered %s %s, want 200", reply.Status, text)
	}
	if code, err := r.exit(); err != nil || code != 0 {
		t.Errorf("exit code %d, %v, want 0\n%s", code, err, r.text())
	}
}

// A second signal does not wait for anybody.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	r := start(t)
	halfPush(t, r.listeners[0])
	for range 2 {
		if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		awaitClosed(t, r.listeners[0])
	}
	code, err := r.exit()
	if err != nil {
		t.Fatal(err)
	}
	if status := r.cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("exit code %d, want to be ended by SIGTERM\n%s", code, r.text())
	}
}
