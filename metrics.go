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
	expired       prometheus.Counter
	expiryLag     prometheus.Gauge
	pressed       prometheus.Counter
}

var (
	groupsDesc = prometheus.NewDesc("holdfast_groups", "Number of groups held.", nil, nil)
	failedDesc = prometheus.NewDesc("holdfast_failed_groups", "Number of groups held that never saw an accepted push.", nil, nil)
	seriesDesc = prometheus.NewDesc("holdfast_series", "Number of series held, the two time metrics of each group among them.", nil, nil)
	bytesDesc  = prometheus.NewDesc("holdfast_held_bytes", "Bytes of encoded metrics held.", nil, nil)
	expiryDesc = prometheus.NewDesc("holdfast_expiring_groups", "Number of groups held that expire unless they are pushed to.", nil, nil)
	lateDesc   = prometheus.NewDesc("holdfast_overdue_groups", "Number of groups held whose last accepted push is older than they said it would be.", nil, nil)
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
	m.expired = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "holdfast_expired_groups_total", Help: "Groups that left since their time to live was over.",
	})
	m.expiryLag = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "holdfast_expiry_lag_seconds", Help: "How long after its time was over the last group that expired was removed.",
	})
	m.pressed = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "holdfast_scrape_compressed_pages_total", Help: "Stretches of the page that were compressed for a scrape, rather than sent as they were compressed for one before.",
	})
	if r == nil {
		return nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.loadSeconds, m.refusals, m.limitRefusals, m.expired, m.expiryLag, m.pressed, stock{g}} {
		errs = append(errs, r.Register(c))
	}
	return errors.Join(errs...)
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
	for _, d := range []*prometheus.Desc{groupsDesc, failedDesc, seriesDesc, bytesDesc, expiryDesc, lateDesc, maskedDesc, oldestDesc} {
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
	aged := ageOf(snap)
	gauge(expiryDesc, float64(aged.expiring))
	gauge(lateDesc, float64(aged.overdue))
	if aged.oldest != 0 {
		gauge(oldestDesc, float64(aged.oldest)/1e9)
	}
}

// age is what time does to the groups of a moment.
type age struct {
	oldest            int64 // least time of a last accepted push, in Unix nanoseconds; 0 if there is none
	expiring, overdue int
}

func ageOf(snap snapshot) (total age) {
	for _, l := range snap.order.pages {
		a := l.pressed.aged.Load()
		if a == nil {
			a = agesOf(l.page)
			l.pressed.aged.Store(a)
		}
		if a.oldest != 0 && (total.oldest == 0 || a.oldest < total.oldest) {
			total.oldest = a.oldest
		}
		total.expiring += a.expiring
		total.overdue += a.overdue
	}
	return total
}

// agesOf adds up a shared page of groups. It is kept with the page, since most pages do not change between
// two scrapes.
func agesOf(pg *page[*Group]) *age {
	a := &age{}
	for group := range valuesOf(pg) {
		if group.pushed != 0 && (a.oldest == 0 || group.pushed < a.oldest) {
			a.oldest = group.pushed
		}
		if group.ttl > 0 {
			a.expiring++
		}
		if group.late {
			a.overdue++
		}
	}
	return a
}
