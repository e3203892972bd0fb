package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// target is what a load runs against.
type target struct {
	name    string
	address string // host:port
	pid     int    // 0 where CPU and memory are not known
	keys    int    // groups that random pushes fall on
	stop    func()
}

// startOpponent starts this program again as one of its opponents.
func startOpponent(ctx context.Context, args ...string) (*target, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe() // held open as long as the opponent is wanted
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start opponent %s: %w", args[0], err)
	}
	t := &target{name: args[0], pid: cmd.Process.Pid, keys: maxKeys}
	t.stop = func() { _ = in.Close(); _ = cmd.Wait() }
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.stop()
		return nil, fmt.Errorf("opponent %s told no address: %w", args[0], err)
	}
	t.address = strings.TrimSpace(line)
	return t, nil
}

// gateway says which Holdfast is started.
type gateway struct {
	name, binary, engine, dir string
	args                      []string
}

// startGateway starts Holdfast with an empty store and waits until it is ready.
func startGateway(ctx context.Context, g gateway) (*target, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	store, err := os.MkdirTemp(g.dir, "store")
	if err != nil {
		return nil, err
	}
	args := append([]string{"--web.listen-address=" + address, "--storage.engine=" + g.engine, "--log.level=error"}, g.args...)
	if g.engine != "memory" {
		args = append(args, "--storage.path="+store)
	}
	cmd := exec.CommandContext(ctx, g.binary, args...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", g.name, err)
	}
	t := &target{name: g.name, address: address, pid: cmd.Process.Pid}
	t.stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		_ = os.RemoveAll(store)
	}
	if err := t.awaitReady(ctx); err != nil {
		t.stop()
		return nil, fmt.Errorf("%s: %w", g.name, err)
	}
	return t, nil
}

// attach makes a target of a gateway that runs already, on loopback only.
func attach(base string, pid int) (*target, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	ip := net.ParseIP(strings.Replace(u.Hostname(), "localhost", "127.0.0.1", 1))
	if u.Scheme != "http" || ip == nil || !ip.IsLoopback() || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("-url %s: only http on a loopback address, without a path, is loaded", base)
	}
	return &target{name: "gateway", address: net.JoinHostPort(ip.String(), u.Port()), pid: pid, stop: func() {}}, nil
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// awaitReady asks until the gateway says that it is ready, for at most a minute.
func (t *target) awaitReady(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		c, err := dial(ctx, t.address, 4<<10)
		if err == nil {
			r, err := c.ask([]byte("GET /-/ready HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"), io.Discard)
			_ = c.Close()
			if err == nil && r.status == 200 {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return errors.New("not ready in time")
		case <-again.C:
		}
	}
}

// cpu returns the user and system time that the target's threads have used, 0 where it is not known. The
// scheduler tells it in nanoseconds; the usual file has ticks of 10 ms, more than a scrape takes.
func (t *target) cpu() (time.Duration, error) {
	if t.pid == 0 {
		return 0, nil
	}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", t.pid))
	if err != nil {
		return 0, err
	}
	if len(threads) == 0 {
		return 0, fmt.Errorf("read CPU time of %s: it has no threads", t.name)
	}
	var total time.Duration
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if errors.Is(err, os.ErrNotExist) {
			continue // it has ended
		}
		if err != nil {
			return 0, fmt.Errorf("read CPU time: %w", err)
		}
		var ran int64 // nanoseconds; what follows is of no interest
		if _, err := fmt.Sscan(string(text), &ran); err != nil {
			return 0, fmt.Errorf("read CPU time: %w", err)
		}
		total += time.Duration(ran)
	}
	return total, nil
}

// resident returns the bytes of memory that the target holds, 0 where they are not known.
func (t *target) resident() (int64, error) {
	if t.pid == 0 {
		return 0, nil
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", t.pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kib, err := strconv.ParseInt(number, 10, 64)
	return kib << 10, err
}
