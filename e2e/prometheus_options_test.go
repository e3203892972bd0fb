package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// TestPrometheusIncrease: what Prometheus has of an aggregated counter never goes down, whatever restarts,
// and increase() over it is what was added.
func TestPrometheusIncrease(t *testing.T) {
	t.Parallel()
	directory, address := t.TempDir(), freeAddress(t)
	start := func() gateway { return begin(t, holdfast(directory, "--web.listen-address="+address)) }
	g := start()
	add := func(n int) {
		t.Helper()
		if status, said := g.do(t, http.MethodPost, "/with/mode=add/metrics/job/orders", fmt.Sprintf("# TYPE orders_total counter\norders_total %d\n", n)); status != http.StatusOK {
			t.Fatalf("add: %d %s", status, said)
		}
	}
	p := startPrometheus(t, gateway{url: "http://" + address})
	total := 1
	add(1)
	p.one(t, "orders_total == 1")
	for restart := range 3 {
		for range 10 {
			add(2)
			total += 2
		}
		if restart < 2 {
			g.end([]syscall.Signal{syscall.SIGKILL, syscall.SIGTERM}[restart])
			p.one(t, "up == 0")
			g = start()
		}
		p.one(t, fmt.Sprintf("orders_total == %d", total))
	}
	samples := p.samples(t, "orders_total[10m]")
	first, last := samples[0], samples[len(samples)-1]
	if first.value != 1 || last.value != float64(total) {
		t.Errorf("Prometheus has %v to %v, want 1 to %d", first.value, last.value, total)
	}
	// increase() stretches what lies between the first and the last sample over its range, so the range is
	// theirs and a millisecond.
	over := fmt.Sprintf("increase(orders_total[%.0fms])", (last.time-first.time)*1000+1)
	if increase := p.at(t, over, last.time); math.Abs(increase-float64(total-1)) > 0.1 {
		t.Errorf("%s is %v, want %d", over, increase, total-1)
	}
	if resets := p.at(t, "resets(orders_total[10m])", last.time); resets != 0 {
		t.Errorf("Prometheus sees %v resets, want none", resets)
	}
}

// TestPrometheusSeesTheEnd: an expired group is stale at the next scrape, so that no query has it any
// more, while those that do not expire are there all the time.
func TestPrometheusSeesTheEnd(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	p := startPrometheus(t, g)
	p.one(t, "up == 1")
	const ttl = 4 * time.Second
	for path, body := range map[string]string{"/with/ttl=4s/metrics/job/brief": "brief 1\n", "/metrics/job/lasting": "lasting 1\n"} {
		if status, said := g.do(t, http.MethodPut, path, body); status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, said)
		}
	}
	pushed := p.one(t, `push_time_seconds{job="brief"}`).number()
	p.one(t, "brief")
	eventually(t, "Prometheus has no group that has expired", func() bool { return len(p.query(t, "brief")) == 0 })
	// Without a marker of its end, an instant query would find the last sample for five minutes.
	if left := p.query(t, `{job="brief"}`); len(left) != 0 {
		t.Errorf("left of the group: %v", left)
	}
	samples := p.samples(t, "brief[10m]")
	if last := samples[len(samples)-1].time; last > pushed+ttl.Seconds()+1+1 {
		t.Errorf("its last sample is %.1f s after the push, want %v, a second to leave and one to be scraped at most", last-pushed, ttl)
	}
	if got := p.one(t, "lasting").number(); got != 1 {
		t.Errorf("lasting is %v", got)
	}
	p.holdUp(t)
}

// point is one sample of a series.
type point struct{ time, value float64 }

// samples returns the raw samples that a range selector of one series has now.
func (p scraper) samples(t *testing.T, selector string) []point {
	t.Helper()
	var reply struct {
		Data struct{ Result []struct{ Values [][2]any } }
	}
	p.ask(t, url.Values{"query": {selector}}, &reply)
	if len(reply.Data.Result) != 1 || len(reply.Data.Result[0].Values) == 0 {
		t.Fatalf("%s has %d series, want one", selector, len(reply.Data.Result))
	}
	var all []point
	for _, v := range reply.Data.Result[0].Values {
		when, _ := v[0].(float64)
		text, _ := v[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, point{when, value})
	}
	return all
}

// at evaluates an expression of one series at a time in Unix seconds.
func (p scraper) at(t *testing.T, expression string, when float64) float64 {
	t.Helper()
	var reply struct{ Data struct{ Result []sample } }
	p.ask(t, url.Values{"query": {expression}, "time": {strconv.FormatFloat(when, 'f', 3, 64)}}, &reply)
	if len(reply.Data.Result) != 1 {
		t.Fatalf("%s at %v has %d series, want one", expression, when, len(reply.Data.Result))
	}
	return reply.Data.Result[0].number()
}

func (p scraper) ask(t *testing.T, query url.Values, reply any) {
	t.Helper()
	response, err := http.Get(p.url + "/api/v1/query?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("query %v: %d %s %v", query, response.StatusCode, body, err)
	}
	if err := json.Unmarshal(body, reply); err != nil {
		t.Fatalf("query %v: %v in %.400s", query, err, body)
	}
}
