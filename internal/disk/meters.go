package disk

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
)

// meters are the engine's instruments.
type meters struct {
	refusals *prometheus.CounterVec // by reason
	commits  prometheus.Histogram
	fsyncs   prometheus.Histogram
	levels   []prometheus.Collector
}

func newMeters() *meters {
	durations := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(100e-6, 2.5, 12),
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
		})
	}
	m := &meters{
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_storage_refusals_total", Help: "Changes that the storage did not keep, by reason.",
		}, []string{"reason"}),
		commits: durations("holdfast_storage_commit_duration_seconds", "Time from a change until it was on disk, the wait for its turn included."),
		fsyncs:  durations("holdfast_storage_fsync_duration_seconds", "Time of each fsync of a log."),
	}
	for _, reason := range []string{"conflict", "full", "too_large", "unknown", "unavailable"} {
		m.refusals.WithLabelValues(reason)
	}
	return m
}

// register registers the instruments, and gauges that ask the engine.
func (m *meters) register(e *Engine) error {
	if e.Registry == nil {
		return nil
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	m.levels = []prometheus.Collector{
		m.refusals, m.commits, m.fsyncs,
		gauge("holdfast_storage_free_bytes", "Free bytes of the storage's disk when last looked at.", func() float64 { return float64(e.space.left()) }),
		gauge("holdfast_storage_bytes", "Bytes of the storage's files, its ballast not among them.", func() float64 { return float64(e.held()) }),
		gauge("holdfast_storage_failed", "1 when the storage has failed and only a restart heals it, else 0.", func() float64 {
			if e.failure.err() != nil {
				return 1
			}
			return 0
		}),
	}
	var errs []error
	for _, c := range m.levels {
		errs = append(errs, e.Registry.Register(c))
	}
	return errors.Join(errs...)
}

// unregister takes the instruments away: their engine is closed.
func (m *meters) unregister(r prometheus.Registerer) {
	for _, c := range m.levels {
		r.Unregister(c)
	}
}

// held adds up the directory's files, in bytes. Pebble, which would know, may never answer once it has failed.
func (e *Engine) held() int64 {
	names, err := e.fs.List(e.Path)
	if err != nil {
		return 0
	}
	var sum int64
	for _, name := range names {
		if is, err := e.fs.Stat(e.fs.PathJoin(e.Path, name)); err == nil && !is.IsDir() && name != ballastName {
			sum += is.Size()
		}
	}
	return sum
}

// committed counts a commit by what became of it.
func (m *meters) committed(took time.Duration, err error) {
	switch {
	case err == nil:
		m.commits.Observe(took.Seconds())
	case errors.Is(err, holdfast.ErrConflict):
		m.refusals.WithLabelValues("conflict").Inc()
	case errors.Is(err, holdfast.ErrFull):
		m.refusals.WithLabelValues("full").Inc()
	case errors.Is(err, holdfast.ErrTooLarge):
		m.refusals.WithLabelValues("too_large").Inc()
	case errors.Is(err, holdfast.ErrUnknown):
		m.refusals.WithLabelValues("unknown").Inc()
	default:
		m.refusals.WithLabelValues("unavailable").Inc()
	}
}
