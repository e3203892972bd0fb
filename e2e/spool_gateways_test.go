package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestSpoolHangingGateway: a gateway that takes connections and never answers keeps nobody longer than
// --push-timeout, and what it was sent counts once when one answers again.
func TestSpoolHangingGateway(t *testing.T) {
	s := newSpooler(t, 1)
	hanging, err := net.Listen("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		// Nobody accepts: the system completes the connection, and nothing is ever read from it.
		if said := s.push(t, 0, "1s"); !strings.Contains(said, "context deadline exceeded") {
			t.Errorf("the command said %q", said)
		}
	}
	if err := hanging.Close(); err != nil {
		t.Fatal(err)
	}
	g := s.gateway(t, t.TempDir())
	s.push(t, 0, "60s")
	if n := s.check(t, g.page(t, "allow-utf-8")); n != 4 || s.waiting(t) != 0 {
		t.Errorf("%d pushes arrived, %d wait", n, s.waiting(t))
	}
	g.stopClean(t)
}

// TestSpoolForTheReference: a Pushgateway, which knows no batches, gets what waits one by one.
func TestSpoolForTheReference(t *testing.T) {
	s := newSpooler(t, 1)
	s.mode = "push"
	for range 5 {
		s.push(t, 0, "10ms")
	}
	g := begin(t, exec.Command(need(t, "prometheus-pushgateway", "prometheus-pushgateway"), "--web.listen-address="+s.address))
	if said := s.push(t, 0, "60s"); said != "" {
		t.Errorf("the command said %q", said)
	}
	if n := s.check(t, g.page(t, "allow-utf-8")); n != 6 || s.waiting(t) != 0 {
		t.Errorf("%d pushes arrived, %d wait", n, s.waiting(t))
	}
}

// TestSpoolOnAFullDisk: a gateway that is there gets the push all the same; otherwise it is lost, and not
// silently.
func TestSpoolOnAFullDisk(t *testing.T) {
	s, full := newSpooler(t, 1), false
	s.directory, _ = mount(t, "-t", "tmpfs", "-o", "size=256k", "tmpfs")
	s.push(t, 0, "10ms")
	g := s.gateway(t, t.TempDir())
	s.push(t, 0, "60s")
	for n := 0; !full; n++ {
		full = os.WriteFile(fmt.Sprintf("%s/filler%d", s.directory, n), make([]byte, 4<<10), 0o600) != nil
	}
	if said := s.push(t, 0, "60s"); !strings.Contains(said, "delivered, but the spool is of no use") {
		t.Errorf("the command said %q", said)
	}
	if n := s.check(t, g.page(t, "allow-utf-8")); n != 3 {
		t.Errorf("%d pushes arrived", n)
	}
	g.stopClean(t)
	command := s.command(0, "100ms")
	said, _ := command.CombinedOutput() // the exit code tells
	if code := command.ProcessState.ExitCode(); code != 75 || !strings.Contains(string(said), "no space left") {
		t.Errorf("exit code %d, said %q", code, said)
	}
}
