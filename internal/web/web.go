package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"holdfast"
)

// Options is what the HTTP side is made of. Gateway and Registry are required.
type Options struct {
	Gateway *holdfast.Gateway
	Names   model.ValidationScheme // of labels in paths and names in text; unset means legacy

	RoutePrefix       string // "" or like "/foo"
	ExternalURL       string // under which clients reach the gateway; "" where it is not known
	ExternalPath      string // the path of the external URL: base of links to assets; "" for relative links
	AggregationPath   string // below which pushes add up as in aggregating gateways, below RoutePrefix; "" for nowhere
	TelemetryPath     string // where Prometheus scrapes, below RoutePrefix; "" means /metrics
	SelfTelemetryPath string // where Own is served, below RoutePrefix; "" for nowhere

	Own      prometheus.Gatherer   // the gateway's own metrics; only used with SelfTelemetryPath
	Registry prometheus.Registerer // where the request meters are registered

	Lifecycle bool   // answer /-/quit
	AdminAPI  bool   // answer /api/v1/admin/wipe and /api/v1/admin/backup
	Quit      func() // begins the shutdown and returns; called after /-/quit was answered

	Reload func() error       // reads the rules again; nil where there are none to read
	Rules  func() RulesStatus // how they were last read; nil where there are none

	Backup func(ctx context.Context, w io.Writer) error // writes a tar of the store; nil where nothing is kept

	History *History          // for the plots of the page, which someone runs; nil for none
	Flags   map[string]string // for the status page and the query API
	Started time.Time

	Limits  Limits
	Refused func(limit string) // counts a refusal by one of Limits; nil for Gateway.CountLimit
	Logger  *slog.Logger       // nil for none
}

// Limits bounds request bodies. All are bytes; 0 is no limit.
type Limits struct {
	BodyBytes     int64 // of one body, as received
	InflatedBytes int64 // of one compressed body, once inflated
	InflightBytes int64 // of all bodies that are held at one time
}

// site holds what the repliers share.
type site struct {
	Options
	pace     pace
	inflight account
	pools    pools
	heavy    chan struct{} // a slot for each body above lightBody that may be worked on at once
	alone    chan struct{} // the one slot for a body above smallBody
	meters   *meters
	page     *page
	refusals refusals

	contentTypes sharedTexts
}

// New makes the handler of all routes. It fails if a route is impossible, such as a telemetry path that
// is taken, or if the meters cannot be registered.
func New(o Options) (http.Handler, error) {
	s, err := newSite(o)
	if err != nil {
		return nil, err
	}
	return s.handler()
}

func newSite(o Options) (*site, error) {
	if o.Gateway == nil || o.Registry == nil {
		return nil, errors.New("a gateway and a registry are required")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Refused == nil {
		o.Refused = o.Gateway.CountLimit
	}
	if o.Names == model.UnsetValidation {
		o.Names = model.LegacyValidation
	}
	if o.TelemetryPath == "" {
		o.TelemetryPath = "/metrics"
	}
	s := &site{
		Options: o,
		pace:    defaultPace(),
		pools:   newPools(),
		heavy:   make(chan struct{}, min(runtime.GOMAXPROCS(0), runtime.NumCPU())), // spare processors decode nothing
		alone:   make(chan struct{}, 1),
	}
	if s.History == nil {
		s.History = NewHistory()
	}
	s.inflight.limit = o.Limits.InflightBytes
	var err error
	if s.meters, err = newMeters(o.Registry, &s.inflight); err != nil {
		return nil, fmt.Errorf("registering request meters: %w", err)
	}
	s.History.watch(s.read)
	if s.page, err = newPage(o); err != nil {
		return nil, fmt.Errorf("reading the page's templates: %w", err)
	}
	return s, nil
}

func (s *site) handler() (http.Handler, error) {
	routes, err := s.routes()
	if err != nil {
		return nil, err
	}
	return s.pace.limit(s.options(routes)), nil
}
