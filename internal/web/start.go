package web

import (
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// startView shows how to push, with this gateway's own address.
type startView struct{ Examples []exampleView }

// exampleView is a text to be copied.
type exampleView struct{ ID, Name, Text string }

func (s *site) start(r *http.Request) *startView {
	base := quotable(s.base(r))
	var v startView
	for _, e := range []exampleView{
		{"python", "Python", pythonExample},
		{"go", "Go", goExample},
		{"shell", "Shell", shellExample},
		{"powershell", "PowerShell", powerShellExample},
	} {
		e.Text = strings.ReplaceAll(e.Text, "ADDRESS", base)
		v.Examples = append(v.Examples, e)
	}
	return &v
}

func (s *site) startPage(r *http.Request, _ *tongue) (any, error) { return s.start(r), nil }

// quotable escapes, as URLs do, what could end a quoted text or begin an expansion inside one.
func quotable(address string) string {
	return strings.NewReplacer(`"`, "%22", "`", "%60", "$", "%24", `\`, "%5C", "'", "%27", "\n", "%0A", " ", "%20").Replace(address)
}

const pythonExample = `from prometheus_client import CollectorRegistry, Gauge, push_to_gateway

registry = CollectorRegistry()
done = Gauge('job_last_success_timestamp_seconds',
             'Last time the job succeeded', registry=registry)
done.set_to_current_time()
push_to_gateway('ADDRESS', job='nightly_report',
                registry=registry)
`

const goExample = `done := prometheus.NewGauge(prometheus.GaugeOpts{
	Name: "job_last_success_timestamp_seconds",
	Help: "Last time the job succeeded",
})
done.SetToCurrentTime()
err := push.New("ADDRESS", "nightly_report").
	Collector(done).
	Push()
`

const shellExample = `cat <<EOF | curl --fail-with-body --data-binary @- \
  'ADDRESS/metrics/job/nightly_report'
# TYPE job_last_success_timestamp_seconds gauge
job_last_success_timestamp_seconds $(date +%s)
EOF
`

const powerShellExample = "$now = [DateTimeOffset]::UtcNow.ToUnixTimeSeconds()\n" +
	"$body = \"# TYPE job_last_success_timestamp_seconds gauge`n\" +\n" +
	"        \"job_last_success_timestamp_seconds $now`n\"\n" +
	"Invoke-RestMethod -Method Post -Body $body `\n" +
	"  -Uri 'ADDRESS/metrics/job/nightly_report'\n"

// scrapeText is the part of Prometheus' configuration that scrapes this gateway.
func (s *site) scrapeText(r *http.Request) string {
	base, err := url.Parse(s.base(r))
	if err != nil {
		return ""
	}
	lines := []string{"scrape_configs:", "  - job_name: holdfast", "    honor_labels: true"}
	if base.Scheme == "https" {
		lines = append(lines, "    scheme: https")
	}
	if telemetry := path.Join("/", base.Path, s.TelemetryPath); telemetry != "/metrics" {
		lines = append(lines, "    metrics_path: "+strconv.Quote(telemetry))
	}
	lines = append(lines, "    static_configs:", "      - targets: ["+strconv.Quote(base.Host)+"]")
	return strings.Join(lines, "\n") + "\n"
}
