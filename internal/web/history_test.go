package web

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestHistoryHoldsAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHistory()
		taken := 0.0
		h.watch(func() reading {
			taken++
			return reading{groups: taken, pushes: 100 * taken}
		})
		ctx, stop := context.WithCancel(t.Context())
		go h.Run(ctx)
		<-time.After(2 * time.Hour)
		synctest.Wait()
		stop()
		all := h.readings()
		if len(all) != historyLength || all[len(all)-1].groups != taken || taken != 721 {
			t.Fatalf("%d readings of %v taken", len(all), taken)
		}
		if spanned := all[len(all)-1].at.Sub(all[0].at); spanned != time.Hour {
			t.Errorf("they span %v", spanned)
		}
		for _, p := range rates(all, func(r reading) float64 { return r.pushes }) {
			if p.value != 10 {
				t.Fatalf("a rate of %v, want 10", p.value)
			}
		}
	})
}

// Readings too close together, and counters that begin anew, give no wild rates.
func TestRatesAreSober(t *testing.T) {
	at := time.Unix(1000, 0)
	all := []reading{{at: at, pushes: 50}, {at: at.Add(historyStep), pushes: 10}, {at: at.Add(historyStep + 1), pushes: 20}}
	got := rates(all, func(r reading) float64 { return r.pushes })
	if len(got) != 1 || got[0].value != 0 {
		t.Errorf("got %v", got)
	}
}

func TestPushesAreCounted(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/metrics/job/a", "x 1\n")
	r.want(200, "POST", "/metrics/job/a", "x 1\n")
	r.want(400, "POST", "/metrics/job/a", "x 1 1\n")
	r.want(202, "DELETE", "/metrics/job/a", "")
	r.want(200, "PUT", "/metrics/job/b", "x{a=\"1\"} 1\n")
	got := r.site.read()
	if got.pushes != 3 || got.refusals != 1 || got.groups != 1 || got.series != 3 || got.bytes == 0 {
		t.Errorf("got %+v", got)
	}
}

func TestLinePlot(t *testing.T) {
	now := time.Unix(10_000, 0)
	plot, top := linePlot([]point{{now.Add(-2 * time.Hour), 1}, {now.Add(-time.Hour), 4}, {now, 2}}, now)
	if want := (lineView{"0.0,6.0 600.0,53.0", "0.0,100 0.0,6.0 600.0,53.0 600.0,100"}); top != 4 || plot != want {
		t.Errorf("got %+v with top %v, want %+v", plot, top, want)
	}
	if plot, top := linePlot(nil, now); top != 0 || plot != (lineView{}) {
		t.Errorf("nothing is drawn as %+v", plot)
	}
}

func TestOverview(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/metrics/job/a", "# TYPE x gauge\nx 1\n")
	r.want(400, "POST", "/metrics/job/bad", "x 1 1\n")
	r.site.History.note(time.Now().Add(-time.Minute))
	r.site.History.note(time.Now().Add(-50 * time.Second))
	body := r.want(200, "GET", "/overview", "").body
	has(t, body, "Takes changes", `href="./?state=failed">1 group`, "Never succeeded", "<polyline", "over the last hour: between", label("job", "a"), "The plots begin 1 min ago")
}
