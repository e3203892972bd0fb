package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/common/version"

	"holdfast"
	"holdfast/internal/rules"
	"holdfast/internal/web"
)

// serve runs the gateway until it is asked to stop, and returns the exit code.
func serve(name string, args []string) int {
	f := newFlags(name)
	if err := f.parse(args); err != nil {
		f.app.Errorf("%s, try --help", err)
		return 1
	}
	logger := promslog.New(&f.log)
	greet(f, logger)
	tune(logger)
	listeners, err := prepare(f)
	if err != nil {
		logger.Error("cannot start", "err", err)
		return 1
	}
	defer closeAll(listeners)
	if *f.listen.WebSystemdSocket {
		logger.Info("Listening on systemd activated listeners instead of port listeners.")
	}
	a, err := assemble(f, logger)
	if err != nil {
		logger.Error("cannot start", "err", err)
		return 1
	}
	err = a.run(f, listeners)
	if closeErr := a.engine.Close(); closeErr != nil {
		err = errors.Join(err, fmt.Errorf("close the engine: %w", closeErr))
	}
	if err != nil {
		logger.Error("HTTP server stopped", "err", err)
		return 1
	}
	logger.Info("HTTP server stopped")
	return 0
}

func greet(f *flags, logger *slog.Logger) {
	logger.Info("starting holdfast", "version", version.Info())
	logger.Info("Build context", "build_context", version.BuildContext())
	logger.Debug("external URL", "url", f.externalURL)
	logger.Debug("path prefix used externally", "path", f.externalPath())
	logger.Debug("path prefix for internal routing", "path", f.routePrefix)
}

// prepare does what can fail because of the machine or its configuration. It comes first, so that a start
// that is bound to fail has touched nothing.
func prepare(f *flags) ([]net.Listener, error) {
	if err := checkWebConfig(*f.listen.WebConfigFile); err != nil {
		return nil, err
	}
	if f.configFile != "" {
		if _, err := rules.Load(f.configFile); err != nil {
			return nil, err
		}
	}
	return listen(f.listen)
}

// app is a gateway with all that it stands on.
type app struct {
	logger  *slog.Logger
	engine  holdfast.Engine
	gateway *holdfast.Gateway
	web     http.Handler
	rules   *ruleFile // nil for none
	history *web.History
	quit    chan struct{} // closed when a client asks for the end
}

func assemble(f *flags, logger *slog.Logger) (*app, error) {
	a := &app{logger: logger, quit: make(chan struct{}), history: web.NewHistory()}
	registry := newRegistry()
	var own prometheus.Gatherer = registry
	if f.selfTelemetryPath != "" {
		own = nil
	}
	var err error
	if a.engine, err = openEngine(f, logger, registry); err != nil {
		return nil, err
	}
	if err = a.openRules(f, registry); err != nil {
		return nil, err
	}
	a.gateway, err = holdfast.New(holdfast.Options{
		Engine: a.engine, Own: own, Registry: registry, Limits: f.gatewayLimits(), Unchecked: f.unchecked, Logger: logger,
		IdempotencyWindow: f.idempotencyWindow, ScrapeBytes: int64(f.limits.scrape),
	})
	if err != nil {
		return nil, fmt.Errorf("make the gateway: %w", err)
	}
	options := web.Options{
		Gateway: a.gateway, Names: f.names(), RoutePrefix: f.routePrefix, AggregationPath: f.aggregationPath,
		ExternalURL: f.external(), ExternalPath: f.externalPath(),
		TelemetryPath: f.telemetryPath, SelfTelemetryPath: f.selfTelemetryPath, Own: registry, Registry: registry,
		Lifecycle: f.lifecycle, AdminAPI: f.admin, Backup: backupOf(a.engine), Quit: sync.OnceFunc(func() { close(a.quit) }),
		History: a.history, Flags: f.effective(), Started: time.Now(), Limits: f.bodyLimits(), Refused: a.gateway.CountLimit, Logger: logger,
	}
	if a.rules != nil {
		if err = a.rules.load(); err != nil {
			return nil, err
		}
		options.Reload, options.Rules = a.rules.reload, a.rules.told
	}
	if a.web, err = web.New(options); err != nil {
		return nil, fmt.Errorf("lay the routes: %w; choose another --web.telemetry-path or --web.self-telemetry-path", err)
	}
	return a, nil
}

// openRules makes what reads the file of rules, if there is one. It comes before the gateway, which is to
// know the names of its own metrics.
func (a *app) openRules(f *flags, registry prometheus.Registerer) (err error) {
	if f.configFile == "" {
		return nil
	}
	use := func(r *holdfast.Rules) { a.gateway.SetRules(r) }
	a.rules, err = newRuleFile(f.configFile, registry, use, a.logger)
	return err
}

// run serves on listeners until a signal or a client asks for the end, answers what was accepted, and
// returns what cut it short, if anything did.
func (a *app) run(f *flags, listeners []net.Listener) error {
	stop, release := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer release()
	defer a.survive(syscall.SIGHUP)()

	following, unfollow := context.WithCancel(context.Background())
	defer unfollow()
	followed := make(chan error, 1)
	go func() { followed <- a.gateway.Run(following) }()
	go a.history.Run(following)

	d := newDoor(a.web, listeners, f.listen, a.logger)
	d.open()
	var err error
	select {
	case <-stop.Done():
		a.logger.Info("received SIGINT/SIGTERM; exiting gracefully...")
	case <-a.quit:
		a.logger.Warn("received termination request via web service, exiting gracefully...")
	case err = <-d.failed:
	case err = <-followed:
		d.close()
		return fmt.Errorf("follow the engine: %w", err)
	}
	release() // from here on a second signal ends the program at once
	d.close()
	unfollow()
	<-followed
	return err
}

// hangUp reads the rules again, which logs how that went.
func (a *app) hangUp() {
	if a.rules == nil {
		a.logger.Info("received SIGHUP; there is nothing to reload")
		return
	}
	_ = a.rules.reload()
}

// survive takes a signal that would end the program for the wish to read the rules again, until the
// returned function is called.
func (a *app) survive(s os.Signal) func() {
	got := make(chan os.Signal, 1)
	done := make(chan struct{})
	signal.Notify(got, s)
	go func() {
		for {
			select {
			case <-got:
				a.hangUp()
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(got)
		close(done)
	}
}
