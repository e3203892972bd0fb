package e2e

import (
	"net"
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
