package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/internal/rules"
	"holdfast/internal/web"
)

// ruleFile is the file of --config.file and how it was last read.
type ruleFile struct {
	path   string
	use    func(*holdfast.Rules)
	logger *slog.Logger

	mu     sync.Mutex // held while the file is read
	status web.RulesStatus

	succeeded, at prometheus.Gauge
}

// newRuleFile registers what is told of a file; load has to follow.
func newRuleFile(path string, registry prometheus.Registerer, use func(*holdfast.Rules), logger *slog.Logger) (*ruleFile, error) {
	f := &ruleFile{
		path: path, use: use, logger: logger,
		succeeded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "holdfast_config_last_reload_successful", Help: "Whether the file of rules was sound when it was last read.",
		}),
		at: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "holdfast_config_last_reload_success_timestamp_seconds", Help: "When rules were last taken from the file, in Unix time.",
		}),
	}
	for _, gauge := range []prometheus.Gauge{f.succeeded, f.at} {
		if err := registry.Register(gauge); err != nil {
			return nil, fmt.Errorf("register what is told of the rules: %w", err)
		}
	}
	return f, nil
}

// load reads the file and puts its rules in force. With an error, which tells the place of each problem,
// those that were in force before stay.
func (f *ruleFile) load() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	loaded, err := rules.Load(f.path)
	if f.status.Err = err; err != nil {
		f.succeeded.Set(0)
		return err
	}
	f.use(loaded)
	now := time.Now()
	f.status = web.RulesStatus{File: f.path, Rules: loaded.Len(), Loaded: now}
	f.succeeded.Set(1)
	f.at.Set(float64(now.UnixMilli()) / 1e3)
	return nil
}

// reload is load with a word in the log.
func (f *ruleFile) reload() error {
	if err := f.load(); err != nil {
		f.logger.Error("rules are not sound, the old ones stay in force", "file", f.path, "err", err)
		return err
	}
	f.logger.Info("rules reloaded", "file", f.path, "rules", f.told().Rules)
	return nil
}

// told returns how the file was last read.
func (f *ruleFile) told() web.RulesStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

// checkConfigCommand checks a file of rules.
func checkConfigCommand() command {
	return command{name: "check-config", help: "Check a file of rules, as in --config.file: say what is wrong with it, each with its line and column.", setup: func(app *kingpin.Application) func(context.Context) error {
		file := app.Arg("FILE", "File of rules.").Required().ExistingFile()
		return func(context.Context) error {
			loaded, err := rules.Load(*file)
			if err != nil {
				return err
			}
			return printf("%s is sound; rules: %d\n", *file, loaded.Len())
		}
	}}
}
