package main

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestSystemdSocket passes a listening socket the way systemd does: as descriptor 3, named by LISTEN_FDS,
// for the process named by LISTEN_PID, which the shell here knows before it becomes holdfast.
func TestSystemdSocket(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()

	var log bytes.Buffer
	cmd := exec.Command("sh", "-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec holdfast --web.systemd-socket --storage.engine=memory")
	cmd.ExtraFiles = []*os.File{socket}
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The socket is open already, so the request waits until it is served.
	reply, err := (&http.Client{Timeout: patience}).Get("http://" + l.Addr().String() + "/-/healthy")
	if err != nil {
		t.Error(err)
	} else if reply.Body.Close(); reply.StatusCode != http.StatusOK {
		t.Errorf("answered %s, want 200", reply.Status)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("holdfast ended with %v\n%s", err, &log)
	}
	if want := `msg="Listening on systemd activated listeners instead of port listeners."`; !strings.Contains(log.String(), want) {
		t.Errorf("the log has no %s:\n%s", want, &log)
	}
}
