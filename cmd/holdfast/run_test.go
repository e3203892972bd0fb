package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"
)

// A gateway that takes requests and never answers holds a job up no longer than --push-timeout.
func TestRunAgainstAHangingGateway(t *testing.T) {
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hanging.Close()
	defer close(release)
	cmd := exec.Command("holdfast", "run", "--url", hanging.URL, "--push-timeout", "300ms", "--job", "a", "--", "sh", "-c", "exit 3")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Run() }()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		_ = cmd.Process.Kill()
		t.Fatal("the run hangs with its gateway")
	}
	if code := cmd.ProcessState.ExitCode(); code != 3 {
		t.Errorf("exit code %d, want 3", code)
	}
}
