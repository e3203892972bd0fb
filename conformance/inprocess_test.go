package conformance

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/model"

	"holdfast"
	"holdfast/internal/web"
)

// setup says how a gateway in this process differs from the default. It is the only place that knows
// Holdfast from inside.
type setup struct {
	mode          mode
	prefix        string // of routes
	externalPath  string
	telemetryPath string
	lifecycle     bool
	noAdmin       bool
	unchecked     bool
	quit          func()
}

// start runs a gateway in this process until the test ends.
func start(t *testing.T, s setup) *target {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	gateway, err := holdfast.New(holdfast.Options{
		Engine: holdfast.NewMemory(), Own: registry, Registry: registry,
		Unchecked: s.unchecked, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatalf("making the gateway: %v", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- gateway.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the gateway ended with %v", err)
		}
	})
	names := model.LegacyValidation
	if s.mode == utf8Mode {
		names = model.UTF8Validation
	}
	handler, err := web.New(web.Options{
		Gateway: gateway, Names: names, Registry: registry, Own: registry,
		RoutePrefix: s.prefix, ExternalPath: s.externalPath, TelemetryPath: s.telemetryPath,
		AdminAPI: !s.noAdmin, Lifecycle: s.lifecycle, Quit: s.quit,
		Flags: map[string]string{"web.route-prefix": s.prefix}, Started: time.Now(),
	})
	if err != nil {
		t.Fatalf("making the routes: %v", err)
	}
	listening := httptest.NewServer(handler)
	t.Cleanup(listening.Close)
	eventually(t, "the gateway is ready", func() bool { return gateway.Ready() == nil })
	return &target{host: strings.TrimPrefix(listening.URL, "http://"), prefix: s.prefix, mode: s.mode}
}
