package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/push"
)

// TestUpsertReports holds what the authors of four reports on the reference expected: of pushgateway issues
// 133, 366, 376 and 459. Its maintainers could not change what PUT and POST mean, and neither do we: it is
// PATCH, or the option mode=upsert in front of the path.
func TestUpsertReports(t *testing.T) {
	for _, report := range []struct {
		name   string
		path   string
		pushes []string
		want   []string
	}{
		// Tests push the time of their last success only when they succeed. The time of one that failed
		// is to stay, so that time() minus it grows.
		{"133: what a failed case does not push stays", "/metrics/job/monitor", []string{
			"monitor_last_run{case=\"a\"} 100\nmonitor_last_run{case=\"b\"} 100\nmonitor_last_success{case=\"a\"} 100\nmonitor_last_success{case=\"b\"} 100\n",
			"monitor_last_run{case=\"a\"} 200\nmonitor_last_run{case=\"b\"} 200\nmonitor_last_success{case=\"a\"} 200\n",
		}, []string{
			`monitor_last_run{case="a",instance="",job="monitor"} 200`, `monitor_last_run{case="b",instance="",job="monitor"} 200`,
			`monitor_last_success{case="a",instance="",job="monitor"} 200`, `monitor_last_success{case="b",instance="",job="monitor"} 100`,
		}},
		// One counter, pushed by several instances of a program under one key, each with its own labels:
		// only what has the same labels is replaced.
		{"376: instances that share a key do not remove each other", "/metrics/job/shop", []string{
			"# TYPE orders_total counter\norders_total{pod=\"one\",path=\"/buy\"} 1\norders_total{pod=\"one\",path=\"/pay\"} 2\n",
			"# TYPE orders_total counter\norders_total{pod=\"two\",path=\"/buy\"} 5\n",
			"# TYPE orders_total counter\norders_total{pod=\"one\",path=\"/buy\"} 3\n",
		}, []string{
			`orders_total{instance="",job="shop",path="/buy",pod="one"} 3`, `orders_total{instance="",job="shop",path="/pay",pod="one"} 2`,
			`orders_total{instance="",job="shop",path="/buy",pod="two"} 5`,
		}},
		// The second push brings another label value of the one metric.
		{"459: old label values are kept", "/metrics/job/codes", []string{
			"test_metric{code=\"200\"} 2\ntest_metric{code=\"300\"} 3\n", "test_metric{code=\"400\"} 4\n",
		}, []string{
			`test_metric{code="200",instance="",job="codes"} 2`, `test_metric{code="300",instance="",job="codes"} 3`, `test_metric{code="400",instance="",job="codes"} 4`,
		}},
	} {
		t.Run(report.name, func(t *testing.T) {
			for _, way := range []struct{ method, prefix string }{
				{http.MethodPatch, ""}, {http.MethodPut, "/with/mode=upsert"}, {http.MethodPost, "/with/mode=upsert"}, {http.MethodPatch, "/with/ttl=1h"},
			} {
				g := startGateway(t)
				for _, body := range report.pushes {
					if status, said := g.do(t, way.method, way.prefix+report.path, body); status != http.StatusOK {
						t.Fatalf("%s %s: %d %s", way.method, way.prefix+report.path, status, said)
					}
				}
				g.serves(t, report.want...)
				name, _, _ := strings.Cut(report.want[len(report.want)-1], "{")
				want := 0
				for _, line := range report.want {
					if strings.HasPrefix(line, name+"{") {
						want++
					}
				}
				if got := strings.Count(g.page(t, "allow-utf-8"), "\n"+name+"{"); got != want {
					t.Errorf("%s %s: %s has %d series, want %d", way.method, way.prefix, name, got, want)
				}
			}
		})
	}
}

// TestUpsertReportBackup is report 366: a backup tool pushes, under one key, metrics of the session and then
// of each host, with the Go client's Push, that is by PUT. All are to exist.
func TestUpsertReportBackup(t *testing.T) {
	g := startGateway(t)
	send := func(name string, value float64, labels prometheus.Labels) {
		t.Helper()
		size := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: "of a backup", ConstLabels: labels})
		size.Set(value)
		if err := push.New(g.url+"/with/mode=upsert", "backup").Collector(size).Push(); err != nil {
			t.Fatal(err)
		}
	}
	send("backup_session_success", 1, prometheus.Labels{"name": "nightly"})
	for i, host := range []string{"host-0", "host-1"} {
		send("backup_snapshot_bytes", float64(i+10), prometheus.Labels{"name": "nightly", "hostname": host})
	}
	send("backup_snapshot_bytes", 12, prometheus.Labels{"name": "nightly", "hostname": "host-0"})
	g.serves(t, `backup_session_success{instance="",job="backup",name="nightly"} 1`,
		`backup_snapshot_bytes{hostname="host-0",instance="",job="backup",name="nightly"} 12`,
		`backup_snapshot_bytes{hostname="host-1",instance="",job="backup",name="nightly"} 11`)
}

// TestClassicVerbsStay: with upsert at hand, POST still replaces a family and PUT a group, in a group
// that was upserted to as in any other, and an empty PATCH only moves the push time.
func TestClassicVerbsStay(t *testing.T) {
	g := startGateway(t)
	push := func(method, body string) {
		t.Helper()
		if status, said := g.do(t, method, "/metrics/job/verbs", body); status != http.StatusOK {
			t.Fatalf("%s: %d %s", method, status, said)
		}
	}
	line := func(name, of string, value int) string {
		return fmt.Sprintf(`%s{instance="",job="verbs",of="%s"} %d`, name, of, value)
	}
	push(http.MethodPatch, "a{of=\"1\"} 1\na{of=\"2\"} 2\nb{of=\"1\"} 1\n")
	before := g.pushTime(t)
	push(http.MethodPatch, "")
	if after := g.pushTime(t); after <= before {
		t.Errorf("the push time is %v after an empty PATCH, %v before", after, before)
	}
	g.serves(t, line("a", "1", 1), line("a", "2", 2), line("b", "1", 1))
	push(http.MethodPost, "a{of=\"3\"} 3\n")
	g.serves(t, line("a", "3", 3), line("b", "1", 1))
	g.lacks(t, line("a", "1", 1))
	push(http.MethodPut, "a{of=\"4\"} 4\n")
	g.serves(t, line("a", "4", 4))
	g.lacks(t, line("b", "1", 1))
}

// pushTime returns the push time of the one group of a gateway.
func (g gateway) pushTime(t *testing.T) float64 {
	t.Helper()
	times := values(g.page(t, "allow-utf-8"), "push_time_seconds")
	if len(times) != 1 {
		t.Fatalf("the page has %d push times, want one", len(times))
	}
	return times[0]
}

// values returns the values that a text page has of a name.
func values(page, name string) (found []float64) {
	for line := range strings.Lines(page) {
		if rest, ok := strings.CutPrefix(line, name+"{"); ok {
			var value float64
			if _, err := fmt.Sscan(rest[strings.LastIndexByte(rest, ' ')+1:], &value); err == nil {
				found = append(found, value)
			}
		}
	}
	return found
}
