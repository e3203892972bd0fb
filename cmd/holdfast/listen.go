package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/mdlayher/vsock"
	toolkit "github.com/prometheus/exporter-toolkit/web"
)

const vsockScheme = "vsock://"

// checkWebConfig reads the file with TLS and users and what it names, so that a mistake in it ends the
// start instead of the first request.
func checkWebConfig(file string) error {
	err := toolkit.Validate(file)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read --web.config.file %s: %w; create the file, correct the path, or leave the flag out to serve plain HTTP", file, err)
	}
	return fmt.Errorf("read --web.config.file %s: %w; correct the file, or leave the flag out to serve plain HTTP", file, err)
}

// listen opens all listeners or none. The caller closes them.
func listen(c *toolkit.FlagConfig) ([]net.Listener, error) {
	if *c.WebSystemdSocket {
		return listenSystemd()
	}
	var open []net.Listener
	for _, address := range *c.WebListenAddresses {
		l, err := listenOn(address)
		if err != nil {
			closeAll(open)
			return nil, err
		}
		open = append(open, l)
	}
	return open, nil
}

func listenSystemd() ([]net.Listener, error) {
	passed, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("take over the sockets of systemd: %w", err)
	}
	// A descriptor that is no stream socket is passed on as nil.
	open := slices.DeleteFunc(passed, func(l net.Listener) bool { return l == nil })
	if len(open) == 0 {
		return nil, errors.New("--web.systemd-socket is set, but systemd passed no socket: start Holdfast by its socket unit, or use --web.listen-address instead")
	}
	return open, nil
}

func listenOn(address string) (net.Listener, error) {
	if strings.HasPrefix(address, vsockScheme) {
		return listenVsock(address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on --web.listen-address=%s: %w%s", address, err, listenHint(address, err))
	}
	return l, nil
}

func listenVsock(address string) (net.Listener, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("read --web.listen-address=%s: %w", address, err)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read --web.listen-address=%s: the port is not a number; write %s:9091", address, vsockScheme)
	}
	l, err := vsock.Listen(uint32(port), nil)
	if err != nil {
		return nil, fmt.Errorf("listen on --web.listen-address=%s: %w", address, err)
	}
	return l, nil
}

// listenHint says what an operator can do about err, or nothing.
func listenHint(address string, err error) string {
	_, port, splitErr := net.SplitHostPort(address)
	var dns *net.DNSError
	switch {
	case splitErr != nil:
		return "; write host:port, such as :9091 or [::1]:9091"
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Sprintf("; another program holds the port, perhaps a Pushgateway or a second Holdfast: find it with \"ss -ltnp 'sport = :%s'\" and stop it, or choose another address", port)
	case errors.Is(err, syscall.EACCES):
		return "; ports below 1024 need a privilege (CAP_NET_BIND_SERVICE): grant it, or choose a higher port"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "; this machine has no such address: leave the host out to listen on all"
	case errors.As(err, &dns):
		return "; write an address of this machine, or leave the host out to listen on all"
	}
	return ""
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}
