package web

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

const (
	historyStep   = 10 * time.Second
	historyLength = 361 // moments in the ring: one hour, both ends included
)

// History remembers how the gateway fared over the last hour, in memory of a fixed size.
type History struct {
	mu     sync.Mutex
	ring   [historyLength]reading
	next   int // where the next reading goes
	held   int
	source func() reading // nil until a site watches
}

// reading is what was counted at one moment.
type reading struct {
	at                    time.Time
	groups, series, bytes float64
	pushes, refusals      float64 // since the start
}

// NewHistory makes a history. It stands still until Run.
func NewHistory() *History { return new(History) }

// Run takes a reading every ten seconds until ctx ends.
func (h *History) Run(ctx context.Context) {
	tick := time.NewTicker(historyStep)
	defer tick.Stop()
	for {
		h.note(time.Now())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// watch says where readings come from.
func (h *History) watch(source func() reading) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.source = source
}

func (h *History) note(at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.source == nil {
		return
	}
	r := h.source()
	r.at = at
	h.ring[h.next] = r
	h.next = (h.next + 1) % historyLength
	h.held = min(h.held+1, historyLength)
}

// readings returns what is remembered, oldest first.
func (h *History) readings() []reading {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]reading, 0, h.held)
	for i := range h.held {
		all = append(all, h.ring[(h.next-h.held+i+historyLength)%historyLength])
	}
	return all
}

// point is one point of a plot.
type point struct {
	at    time.Time
	value float64
}

// levels returns one quantity of all readings.
func levels(all []reading, of func(reading) float64) []point {
	points := make([]point, len(all))
	for i, r := range all {
		points[i] = point{r.at, of(r)}
	}
	return points
}

// rates returns how much a counter grew a second between readings. Those that are too close to mean much
// are left out.
func rates(all []reading, of func(reading) float64) []point {
	var points []point
	for i := 1; i < len(all); i++ {
		seconds := all[i].at.Sub(all[i-1].at).Seconds()
		if seconds >= historyStep.Seconds()/2 {
			points = append(points, point{all[i].at, max(0, of(all[i])-of(all[i-1])) / seconds})
		}
	}
	return points
}

// read takes a reading of the gateway and of the request counters.
func (s *site) read() reading {
	groups, series, bytes := s.Gateway.Totals()
	pushes, refusals := pushCounts(s.meters.requests)
	return reading{groups: float64(groups), series: float64(series), bytes: float64(bytes), pushes: pushes, refusals: refusals}
}

// pushCounts adds up the answers to pushes, by whether they were accepted.
func pushCounts(requests *prometheus.CounterVec) (accepted, refused float64) {
	metrics := make(chan prometheus.Metric)
	go func() {
		defer close(metrics)
		requests.Collect(metrics)
	}()
	for m := range metrics {
		var counted dto.Metric
		if err := m.Write(&counted); err != nil {
			continue
		}
		labels := map[string]string{}
		for name, value := range metricLabels(&counted) {
			labels[name] = value
		}
		switch {
		case labels["handler"] != "push":
		case strings.HasPrefix(labels["code"], "2"):
			accepted += counted.GetCounter().GetValue()
		default:
			refused += counted.GetCounter().GetValue()
		}
	}
	return accepted, refused
}
