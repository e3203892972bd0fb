package holdfast

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// meters are the gateway's own instruments.
type meters struct {
	refusals      *prometheus.CounterVec // by reason
	limitRefusals *prometheus.CounterVec // by limit
	loadSeconds   prometheus.Gauge
}

var (
	groupsDesc = prometheus.NewDesc("holdfast_groups", "Number of groups held.", nil, nil)
	failedDesc = prometheus.NewDesc("holdfast_failed_groups", "Number of groups held that never saw an accepted push.", nil, nil)
	seriesDesc = prometheus.NewDesc("holdfast_series", "Number of series held, the two time metrics of each group among them.", nil, nil)
	bytesDesc  = prometheus.NewDesc("holdfast_held_bytes", "Bytes of encoded metrics held.", nil, nil)
	maskedDesc = prometheus.NewDesc("holdfast_masked_groups", "Number of times that a group holds a family which is not exposed, since it clashes with what others hold.", nil, nil)
	oldestDesc = prometheus.NewDesc("holdfast_oldest_push_timestamp_seconds", "Last Unix time when the group that has waited longest was pushed to, of those that ever were.", nil, nil)
)

// register makes the instruments and registers them.
func (m *meters) register(g *Gateway, r prometheus.Registerer) error {
	m.refusals = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "holdfast_refused_pushes_total", Help: "Pushes that were readable and refused, by reason.",
	}, []string{"reason"})
	m.limitRefusals = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "holdfast_limit_refusals_total", Help: "Requests and groups that were refused or dropped because of a limit, by limit.",
	}, []string{"limit"})
	m.loadSeconds = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "holdfast_load_duration_seconds", Help: "How long it took at start to load the stored groups.",
	})
	if r == nil {
		return nil
	}
	return errors.Join(r.Register(m.loadSeconds), r.Register(m.refusals), r.Register(m.limitRefusals), r.Register(stock{g}))
}

// refused counts a refusal and returns it; nil passes through.
func (m *meters) refused(err error) error {
	refusal, refused := err.(*Refusal)
	if !refused {
		return err
	}
	if refusal.Kind == TooLarge || refusal.Kind == TooMany {
		m.limitRefusals.WithLabelValues(refusal.Reason).Inc()
	}
	m.refusals.WithLabelValues(refusal.Reason).Inc()
	return refusal
}

// CountLimit counts a request that was refused because of a limit outside this package.
func (g *Gateway) CountLimit(limit string) { g.meters.limitRefusals.WithLabelValues(limit).Inc() }

// stock collects what the gateway holds.
type stock struct{ *Gateway }

// Describe implements prometheus.Collector.
func (s stock) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{groupsDesc, failedDesc, seriesDesc, bytesDesc, maskedDesc, oldestDesc} {
		descs <- d
	}
}

// Collect implements prometheus.Collector.
func (s stock) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	s.index.mu.Lock()
	groups, held := len(s.index.groups), s.index.totals
	s.index.mu.Unlock()
	gauge(groupsDesc, float64(groups))
	gauge(failedDesc, float64(s.failures.count()))
	gauge(seriesDesc, float64(held.series))
	gauge(bytesDesc, float64(held.bytes))
	snap := s.index.snapshot()
	masked := 0
	for _, f := range snap.names.all() {
		masked += snap.masked(f, nil)
	}
	gauge(maskedDesc, float64(masked))
	if oldest := oldestPush(snap); oldest != 0 {
		gauge(oldestDesc, float64(oldest)/1e9)
	}
}

// oldestPush returns the least time of a last accepted push, in Unix nanoseconds; 0 if there is none.
func oldestPush(snap snapshot) int64 {
	var oldest int64
	for _, group := range snap.order.all() {
		if group.pushed != 0 && (oldest == 0 || group.pushed < oldest) {
			oldest = group.pushed
		}
	}
	return oldest
}
