package web

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
)

// Dashboards are made for the sizes and counts of promhttp, so ours must be the same.
func TestPushesAreMeteredAsByPromhttp(t *testing.T) {
	sizes := prometheus.NewSummaryVec(prometheus.SummaryOpts{Name: "sizes"}, []string{"method"})
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests"}, []string{"code", "handler", "method"})
	ours, err := newMeters(prometheus.NewRegistry(), &account{})
	if err != nil {
		t.Fatal(err)
	}
	answer := func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Silent") != "":
		case r.ContentLength < 0:
			http.Error(w, "no", http.StatusBadRequest)
		default:
			w.WriteHeader(http.StatusAccepted)
		}
	}
	theirs := promhttp.InstrumentHandlerCounter(requests.MustCurryWith(prometheus.Labels{"handler": "push"}),
		promhttp.InstrumentHandlerRequestSize(sizes, http.HandlerFunc(answer)))
	for _, method := range []string{"PUT", "POST", "PATCH"} {
		for _, body := range []io.Reader{nil, strings.NewReader("x 1\n"), io.MultiReader(strings.NewReader("x 2\n"))} {
			for _, header := range []http.Header{{}, {"Silent": {"yes"}, "X-Two": {"a", "bc"}}} {
				for _, handler := range []http.Handler{theirs, ours.push(answer)} {
					r := httptest.NewRequest(method, "/metrics/job/a%2Fb/c/%C3%A9?q=1", body)
					r.Header = header
					handler.ServeHTTP(httptest.NewRecorder(), r)
				}
			}
		}
		if got, want := total(t, ours.pushSize, method), total(t, sizes, method); got != want {
			t.Errorf("%s: sizes are %s, want %s", method, got, want)
		}
	}
	for _, code := range []string{"200", "202", "400"} {
		for _, method := range []string{"put", "post", "patch"} {
			got := testutil.ToFloat64(ours.requests.WithLabelValues(code, "push", method))
			if want := testutil.ToFloat64(requests.WithLabelValues(code, "push", method)); got != want || want == 0 {
				t.Errorf("%s %s: %v requests, want %v", method, code, got, want)
			}
		}
	}
}

// total returns the sum and count of what was observed under a method.
func total(t *testing.T, of *prometheus.SummaryVec, method string) string {
	t.Helper()
	m := &dto.Metric{}
	if err := of.WithLabelValues(strings.ToLower(method)).(prometheus.Summary).Write(m); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(m.Summary.GetSampleSum(), m.Summary.GetSampleCount())
}
