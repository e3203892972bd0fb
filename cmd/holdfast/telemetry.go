package main

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/collectors/version"
)

// newRegistry makes the registry of the gateway's own metrics, with those of the build, of the Go runtime
// and of the operating system in it. pushgateway_build_info keeps the name that dashboards know.
func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		version.NewCollector("pushgateway"),
		version.NewCollector("holdfast"),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return r
}
