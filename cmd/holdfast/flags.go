package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	toolkitflag "github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"holdfast"
	"holdfast/internal/web"
)

// flags is what the operator asked for on the command line of serve.
type flags struct {
	app *kingpin.Application
	log promslog.Config

	configFile        string
	listen            *toolkit.FlagConfig
	telemetryPath     string
	selfTelemetryPath string
	externalURL       *url.URL
	routePrefix       string // after parse: normalised, "" or "/foo"
	lifecycle, admin  bool

	storageEngine, storagePath, onCorruption string
	persistenceFile                          string
	persistenceInterval                      time.Duration
	persistenceIntervalSet                   bool

	aggregationPath      string // after parse: "" or "/foo"
	unchecked, utf8Names bool
	failedGroupTTL       time.Duration
	idempotencyWindow    time.Duration
	limits               limitFlags
}

// limitFlags are the --limit flags; 0 is no limit.
type limitFlags struct {
	body, inflated, inflight, label, scrape      size
	seriesPerGroup, groups, series, failedGroups uint32
	idempotencyKeys                              uint32
}

// newFlags makes the command line of serve for a program called name.
func newFlags(name string) *flags {
	app := kingpin.New(name, "Holdfast, a push gateway for Prometheus. Other commands, each with its own --help: "+strings.Join(commandNames(), ", ")+".")
	app.UsageWriter(helpWriter{})
	app.HelpFlag.Short('h')
	app.Version(version.Print("holdfast"))
	// The reference's log has this style: ts, level in lower case, caller.
	f := &flags{app: app, log: promslog.Config{Style: promslog.GoKitStyle}, listen: toolkitflag.AddFlags(app, ":9091")}
	f.addWeb()
	f.addStorage()
	f.addPush()
	app.Flag("config.file", "File of rules for groups, in YAML. It is read again on SIGHUP, and on POST to /-/reload with --web.enable-lifecycle.").
		Default("").StringVar(&f.configFile)
	app.Flag("compat.aggregation-path", "Path such as /agg, below which pushes to /metrics and /metrics/NAME/VALUE/… add up, as in aggregating gateways. Empty: none.").
		Default("").StringVar(&f.aggregationPath)
	f.addLimits()
	promslogflag.AddFlags(app, &f.log)
	return f
}

func (f *flags) addWeb() {
	f.app.Flag("web.telemetry-path", "Path that is scraped. Pushes always go to /metrics/job/….").
		Default("/metrics").StringVar(&f.telemetryPath)
	f.app.Flag("web.self-telemetry-path", "Path of a page of its own for the gateway's own metrics. Empty: they are part of the scraped page.").
		Default("").StringVar(&f.selfTelemetryPath)
	f.app.Flag("web.external-url", "URL under which browsers reach Holdfast, for example behind a reverse proxy. Its path starts the links of the page, and is the default of --web.route-prefix.").
		Default("").URLVar(&f.externalURL)
	f.app.Flag("web.route-prefix", "Prefix of all paths that are served. Default: the path of --web.external-url; / is none.").
		Default("").StringVar(&f.routePrefix)
	f.app.Flag("web.enable-lifecycle", "Let PUT and POST on /-/quit stop Holdfast, and on /-/reload read --config.file again.").
		Default("false").BoolVar(&f.lifecycle)
	f.app.Flag("web.enable-admin-api", "Let PUT on /api/v1/admin/wipe delete all groups.").
		Default("false").BoolVar(&f.admin)
}

func (f *flags) addStorage() {
	f.app.Flag("storage.engine", "What keeps the groups: disk keeps every acknowledged push over any crash, memory keeps nothing over a restart.").
		Default(engineDisk).EnumVar(&f.storageEngine, engineDisk, engineMemory)
	f.app.Flag("storage.path", "Directory of the disk engine, made if it is missing. Default: data, or the --persistence.file with .holdfast added.").
		Default("").StringVar(&f.storagePath)
	f.app.Flag("storage.on-corruption", "What a start does about damaged storage: fail, or set-aside, which renames the directory and starts empty.").
		Default(onCorruptionFail).EnumVar(&f.onCorruption, onCorruptionFail, onCorruptionSetAside)
	f.app.Flag("persistence.file", "Persistence file of a Pushgateway: what it holds is imported once, and the file stays as it is.").
		Default("").StringVar(&f.persistenceFile)
	f.app.Flag("persistence.interval", "Not needed: a push is on disk before it is answered. Accepted so that the reference's command lines work.").
		Default("5m").IsSetByUser(&f.persistenceIntervalSet).DurationVar(&f.persistenceInterval)
}

func (f *flags) addPush() {
	f.app.Flag("push.disable-consistency-check", "Accept pushes without comparing them with other groups, and answer 202. Families that clash are masked in scrapes.").
		Default("false").BoolVar(&f.unchecked)
	f.app.Flag("push.enable-utf8-names", "Allow any UTF-8 in names of metrics and labels. In paths such names may be written in the form U__….").
		Default("false").BoolVar(&f.utf8Names)
	f.app.Flag("push.failed-group-ttl", "How long a group is kept to which no push ever succeeded. 0: until it is deleted.").
		Default("24h").DurationVar(&f.failedGroupTTL)
	f.app.Flag("push.idempotency-window", "For how long a push with an Idempotency-Key header is remembered: sent again, it is answered as before and not applied again. 0 is not at all.").
		Default("10m").DurationVar(&f.idempotencyWindow)
}

func (f *flags) addLimits() {
	l := &f.limits
	f.app.Flag("scrape.cache-bytes", "Most bytes of compressed pages kept from one scrape to the next. What is beyond is compressed at each scrape. 0 is no limit.").
		Default("256MiB").SetValue(&l.scrape)
	f.app.Flag("limit.body-bytes", "Largest body of a push as it is sent, such as 64MiB. 0 is no limit, here and below.").
		Default("64MiB").SetValue(&l.body)
	f.app.Flag("limit.inflated-bytes", "Largest body of a push after decompression.").
		Default("128MiB").SetValue(&l.inflated)
	f.app.Flag("limit.inflight-bytes", "Most bytes of bodies held at once, over all requests.").
		Default("256MiB").SetValue(&l.inflight)
	f.app.Flag("limit.label-bytes", "Longest label, its name and its value together.").
		Default("16KiB").SetValue(&l.label)
	f.app.Flag("limit.series-per-group", "Most series in one group.").
		Default("1000000").Uint32Var(&l.seriesPerGroup)
	f.app.Flag("limit.groups", "Most groups.").
		Default("1000000").Uint32Var(&l.groups)
	f.app.Flag("limit.series", "Most series over all groups.").
		Default("20000000").Uint32Var(&l.series)
	f.app.Flag("limit.failed-groups", "Most groups to which no push ever succeeded. Above it the oldest failure leaves first.").
		Default("1000").Uint32Var(&l.failedGroups)
	f.app.Flag("limit.idempotency-keys", "Most pushes that are remembered by their Idempotency-Key header.").
		Default("1000000").Uint32Var(&l.idempotencyKeys)
}

// parse reads args, prints help or the version where asked and exits then. Its errors are for the one who
// typed args.
func (f *flags) parse(args []string) error {
	if err := parse(f.app, args); err != nil {
		return err
	}
	if f.failedGroupTTL < 0 {
		return fmt.Errorf("--push.failed-group-ttl is negative: %s", f.failedGroupTTL)
	}
	if f.idempotencyWindow < 0 {
		return fmt.Errorf("--push.idempotency-window is negative: %s", f.idempotencyWindow)
	}
	if f.aggregationPath != "" {
		if f.aggregationPath = normalPrefix(f.aggregationPath); f.aggregationPath == "" {
			return errors.New("--compat.aggregation-path is the root, where all else is; choose a path such as /agg")
		}
	}
	if f.routePrefix == "" && f.externalURL != nil {
		f.routePrefix = f.externalURL.Path
	}
	f.routePrefix = normalPrefix(f.routePrefix)
	return nil
}

// external returns the external URL, "" where none was given.
func (f *flags) external() string {
	if f.externalURL == nil {
		return ""
	}
	return f.externalURL.String()
}

// externalPath returns the path of the external URL, "" or "/foo".
func (f *flags) externalPath() string {
	if f.externalURL == nil {
		return ""
	}
	return normalPrefix(f.externalURL.Path)
}

// normalPrefix gives a path one leading and no trailing slash; the root is "".
func normalPrefix(path string) string {
	if path = strings.Trim(path, "/"); path == "" {
		return ""
	}
	return "/" + path
}

// effective returns every flag by name with the value in force, for the status page.
func (f *flags) effective() map[string]string {
	values := map[string]string{}
	for _, flag := range f.app.Model().Flags {
		if flag.Hidden || flag.Name == "help" || flag.Name == "version" {
			continue
		}
		values[flag.Name] = flag.Value.String()
	}
	values["web.route-prefix"] = f.routePrefix
	return values
}

func (f *flags) names() model.ValidationScheme {
	if f.utf8Names {
		return model.UTF8Validation
	}
	return model.LegacyValidation
}

func (f *flags) gatewayLimits() holdfast.Limits {
	return holdfast.Limits{
		LabelBytes:     int64(f.limits.label),
		SeriesPerGroup: int64(f.limits.seriesPerGroup),
		Groups:         int64(f.limits.groups),
		Series:         int64(f.limits.series),
		FailedGroups:   int64(f.limits.failedGroups),
		FailedGroupTTL: f.failedGroupTTL,

		IdempotencyKeys: int64(f.limits.idempotencyKeys),
	}
}

func (f *flags) bodyLimits() web.Limits {
	return web.Limits{
		BodyBytes:     int64(f.limits.body),
		InflatedBytes: int64(f.limits.inflated),
		InflightBytes: int64(f.limits.inflight),
	}
}
