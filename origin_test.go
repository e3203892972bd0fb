package holdfast

import (
	"reflect"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// A group tells when it was first pushed to, where its last push came from, and why one was refused, after
// a restart too.
func TestGroupKeepsHowItWasPushed(t *testing.T) {
	engine := newKeeper()
	g := newTestGateway(t, func(o *Options) { o.Engine = engine })
	at := func(second int64) time.Time { return time.Unix(1_700_000_000+second, 0) }
	push := func(name string, second int64, from Origin) error {
		return g.Push(t.Context(), Push{Key: job("a"), Families: oneMetric(name, dto.MetricType_GAUGE), Time: at(second), Origin: from})
	}
	first, bad, last := Origin{"10.0.0.1:5", "text/plain", 10}, Origin{"10.0.0.2:6", strings.Repeat("x", 2000), 20}, Origin{"10.0.0.3:7", "", 30}
	for i, err := range []error{push("m", 1, first), push("holdfast_m", 2, bad), push("m", 3, last)} {
		if (err != nil) != (i == 1) {
			t.Fatalf("push %d: %v", i, err)
		}
	}
	bad.ContentType = bad.ContentType[:maxNoted] + "…"
	want := &Failure{Reason: "own_name", Message: inconsistentPrefix + `metric family "holdfast_m" has a name that is reserved for the gateway's own metrics`, Origin: bad}
	restarted := newTestGateway(t, func(o *Options) { o.Engine = engine })
	for _, g := range []*Gateway{g, restarted} {
		group, err := g.GroupByID(job("a").ID())
		if err != nil || group == nil {
			t.Fatalf("group %v, %v", group, err)
		}
		if got := group.FirstPushed(); !got.Equal(at(1)) {
			t.Errorf("first pushed at %v", got)
		}
		if got := group.Origin(); got != last {
			t.Errorf("last push from %+v, want %+v", got, last)
		}
		if got := group.Failure(); !reflect.DeepEqual(got, want) {
			t.Errorf("failure %+v, want %+v", got, want)
		}
	}
	if err := g.Delete(t.Context(), job("a")); err != nil {
		t.Fatal(err)
	}
	if group, err := g.GroupByID(job("a").ID()); err != nil || group != nil {
		t.Errorf("after its delete the id finds %v, %v", group, err)
	}
}

func TestIDs(t *testing.T) {
	id := job("a").ID()
	if id.String() != "503b9a301e1f80069c4ad632d0aa053c" {
		t.Errorf("id %s", id)
	}
	if again, err := ParseID(id.String()); err != nil || again != id {
		t.Errorf("%s reads back as %s: %v", id, again, err)
	}
	for _, text := range []string{"", "12", strings.Repeat("g", 32)} {
		if _, err := ParseID(text); err == nil || !strings.Contains(err.Error(), "hexadecimal") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
