package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// meters are the instruments of the HTTP side. Those named pushgateway_… are the reference's.
type meters struct {
	requests     *prometheus.CounterVec
	pushDuration *prometheus.SummaryVec
	pushSize     *prometheus.SummaryVec
	pushSeconds  *prometheus.HistogramVec
	scrapes      prometheus.Histogram
}

func newMeters(registry prometheus.Registerer, inflight *account) (*meters, error) {
	objectives := map[float64]float64{0.1: 0.01, 0.5: 0.05, 0.9: 0.01}
	m := &meters{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pushgateway_http_requests_total",
			Help: "Total HTTP requests processed by the Pushgateway, excluding scrapes.",
		}, []string{"code", "handler", "method"}),
		pushDuration: prometheus.NewSummaryVec(prometheus.SummaryOpts{
			Name:       "pushgateway_http_push_duration_seconds",
			Help:       "HTTP request duration for pushes to the Pushgateway.",
			Objectives: objectives,
		}, []string{"method"}),
		pushSize: prometheus.NewSummaryVec(prometheus.SummaryOpts{
			Name:       "pushgateway_http_push_size_bytes",
			Help:       "HTTP request size for pushes to the Pushgateway.",
			Objectives: objectives,
		}, []string{"method"}),
		pushSeconds: prometheus.NewHistogramVec(secondsOf("holdfast_push_duration_seconds",
			"Time to answer a push, reading its body included, by method."), []string{"method"}),
		scrapes: prometheus.NewHistogram(secondsOf("holdfast_scrape_duration_seconds",
			"Time to write a scrape to the end.")),
	}
	held := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "holdfast_inflight_body_bytes",
		Help: "Bytes held at present for bodies of requests, which --limit.inflight-bytes bounds.",
	}, func() float64 { return float64(inflight.used.Load()) })
	for _, c := range []prometheus.Collector{m.requests, m.pushDuration, m.pushSize, m.pushSeconds, m.scrapes, held} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// secondsOf describes a duration histogram with classic and native buckets.
func secondsOf(name, help string) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: name, Help: help,
		Buckets:                        []float64{.0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5, 10},
		NativeHistogramBucketFactor:    1.1,
		NativeHistogramMaxBucketNumber: 100,
	}
}

// count counts requests to a route under its name.
func (m *meters) count(route string, next http.HandlerFunc) http.HandlerFunc {
	return promhttp.InstrumentHandlerCounter(m.requests.MustCurryWith(prometheus.Labels{"handler": route}), next)
}

// push counts a push and observes its duration and size, as promhttp's wrappers for each of these do, in
// one step: as four they take a twentieth of all that a push costs.
func (m *meters) push(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		begun, answer := time.Now(), answered{ResponseWriter: w, status: http.StatusOK}
		next(&answer, r)
		took, method := time.Since(begun).Seconds(), strings.ToLower(r.Method)
		m.pushSeconds.WithLabelValues(method).Observe(took)
		m.pushDuration.WithLabelValues(method).Observe(took)
		m.pushSize.WithLabelValues(method).Observe(float64(sizeOf(r)))
		m.requests.WithLabelValues(strconv.Itoa(answer.status), "push", method).Inc()
	}
}

// answered notes the status of an answer.
type answered struct {
	http.ResponseWriter
	status int
}

func (a *answered) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController find the connection.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// sizeOf returns about how many bytes a request has on the wire, in the way of promhttp.
func sizeOf(r *http.Request) int64 {
	size := len(r.RequestURI) + len(r.Method) + len(r.Proto) + len(r.Host)
	for name, values := range r.Header {
		size += len(name)
		for _, value := range values {
			size += len(value)
		}
	}
	return int64(size) + max(r.ContentLength, 0)
}
