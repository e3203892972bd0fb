package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"

	"holdfast/internal/web"
)

// drainTime bounds how long a stop waits for answers to requests that were accepted. Orchestrators
// kill after 30 s as a rule.
const drainTime = 25 * time.Second

// door serves one handler on several listeners. Each listener has an http.Server of its own, since the
// toolkit wraps the server's handler in the checks of the web configuration: on a shared one, checks
// would be stacked and written concurrently.
type door struct {
	listeners []net.Listener
	servers   []*http.Server
	flags     *toolkit.FlagConfig
	logger    *slog.Logger
	failed    chan error // what ended a listener that was not closed
}

func newDoor(h http.Handler, listeners []net.Listener, flags *toolkit.FlagConfig, logger *slog.Logger) *door {
	d := &door{listeners: listeners, flags: flags, logger: logger, failed: make(chan error, len(listeners))}
	for range listeners {
		d.servers = append(d.servers, web.Server(h, logger))
	}
	return d
}

// open starts to serve and returns.
func (d *door) open() {
	for i, l := range d.listeners {
		go func() {
			if err := toolkit.Serve(l, d.servers[i], d.flags, d.logger); !errors.Is(err, http.ErrServerClosed) {
				d.failed <- fmt.Errorf("serve on %s: %w", l.Addr(), err)
			}
		}()
	}
}

// close accepts nothing more, waits for the answers to what was accepted, and cuts off what is not
// answered within drainTime.
func (d *door) close() {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	var wg sync.WaitGroup
	for i, s := range d.servers {
		wg.Go(func() {
			if err := s.Shutdown(ctx); err != nil {
				d.logger.Warn("requests were cut off at shutdown", "address", d.listeners[i].Addr().String(), "after", drainTime, "err", errors.Join(err, s.Close()))
			}
		})
	}
	wg.Wait()
}
