package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// answering is a gateway that answers everything with one status.
func answering(t *testing.T, status int) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // who sends may have gone
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// deaf takes connections and says nothing.
func deaf(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return "http://" + l.Addr().String()
}

// exitCodeOf runs holdfast with args in a folder with a file that is no program. It must end by itself.
func exitCodeOf(t *testing.T, env []string, args ...string) int {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plain"), []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("holdfast", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append([]string{"HOME=" + dir, "TMPDIR=" + dir}, env...)...)
	kill := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	_ = cmd.Run() // the exit code tells
	return cmd.ProcessState.ExitCode()
}

// The exit code is the command's, or says why there is none, whatever the gateway does.
func TestRunExitCodes(t *testing.T) {
	gateways := map[string]string{
		"that takes all": answering(t, 200), "that is away": "http://127.0.0.1:1", "that hangs": deaf(t),
		"out of disk": answering(t, 503), "that refuses": answering(t, 400), "that breaks": answering(t, 500),
		"behind a proxy that lost it": answering(t, 502), "that lets nobody in": answering(t, 401),
	}
	again := `holdfast run --job a --lock --quiet --push-timeout 300ms -- true`
	for name, url := range gateways {
		t.Run("a gateway "+name, func(t *testing.T) {
			for _, c := range []struct {
				args []string
				code int
			}{
				{[]string{"--", "true"}, 0},
				{[]string{"--", "sh", "-c", "exit 3"}, 3},
				{[]string{"--", "sh", "-c", "kill -9 $$"}, 137},
				{[]string{"--", "sh", "-c", "kill -TERM $$"}, 143},
				{[]string{"--", "./nothing"}, 127},
				{[]string{"--", "./plain"}, 126},
				{[]string{"--timeout", "100ms", "--", "sleep", "60"}, 124},
				{[]string{"--lock", "--", "sh", "-c", again}, 75},
				{[]string{"--", "sh", "-c", "echo broken metrics > $HOLDFAST_METRICS; exit 4"}, 4},
				{[]string{"--spool", "spool", "--", "sh", "-c", "exit 5"}, 5},
				{[]string{"--no-such-flag", "--", "true"}, 125},
			} {
				args := append([]string{"run", "--job", "a", "--quiet", "--push-timeout", "200ms"}, c.args...)
				if got := exitCodeOf(t, []string{"HOLDFAST_URL=" + url}, args...); got != c.code {
					t.Errorf("%q: exit code %d, want %d", c.args, got, c.code)
				}
			}
		})
	}
}
