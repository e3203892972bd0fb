package e2e

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"
)

var optionRounds = flag.Int("option-rounds", 6, "how often TestKillWithOptions kills the gateway, 4 times at least")

// TestKillWithOptions ends the gateway by SIGKILL at random moments while clients add, upsert and push
// groups that expire. After each restart every acknowledged add is in the totals once, every acknowledged
// series of an upsert is there, and groups are there until their time is over, and never again.
func TestKillWithOptions(t *testing.T) {
	directory, m := t.TempDir(), newMixture()
	for round := range *optionRounds {
		if round == 2 {
			<-time.After(mixedTTL) // so that times end while the gateway is down
		}
		g := m.start(t, directory)
		ended := m.run(g.url)
		before := m.acknowledged.Load()
		eventually(t, "pushes are acknowledged", func() bool { return m.acknowledged.Load() > before+mixers })
		<-time.After(rand.N(time.Second))
		killed := time.Now()
		g.end(syscall.SIGKILL)
		ended()
		m.downs = append(m.downs, down{from: killed})
	}
	g := m.start(t, directory)
	m.resend(t, g.url)
	m.checkTotals(t, integers(g.page(t, "allow-utf-8")), 0)
	eventually(t, "all groups that expire are gone", func() bool { return m.checkMortals(t, g) == 0 })
	g.stopClean(t)
	t.Logf("%d kills, %d acknowledged pushes, %d groups gone, %d of them kept on since their time ended while the gateway was down",
		*optionRounds, m.acknowledged.Load(), m.count(func(x *mortal) bool { return x.gone }), m.count(func(x *mortal) bool { return x.graced }))
	for _, graced := range []bool{false, true} {
		if m.count(func(x *mortal) bool { return x.gone && x.graced == graced }) == 0 {
			t.Errorf("of the groups that are gone, none has ended with graced = %v", graced)
		}
	}
}

// start starts the gateway again and compares what it serves with what was pushed.
func (m *mixture) start(t *testing.T, directory string) gateway {
	t.Helper()
	if last := len(m.downs) - 1; last >= 0 {
		m.downs[last].launched = time.Now()
	}
	g := begin(t, holdfast(directory))
	if last := len(m.downs) - 1; last >= 0 {
		m.downs[last].ready = time.Now()
	}
	served := integers(g.page(t, "allow-utf-8"))
	m.checkTotals(t, served, 1)
	m.checkUpserts(t, served)
	m.checkMortals(t, g)
	if t.Failed() {
		t.Fatalf("after %d kills and %d acknowledged pushes", len(m.downs), m.acknowledged.Load())
	}
	return g
}

// checkTotals compares the totals with what was acknowledged; of each client, up to open adds may be in
// them without an acknowledgement.
func (m *mixture) checkTotals(t *testing.T, served map[string]int, open int) {
	t.Helper()
	var kept [mixedTotals]int
	var unanswered [mixedTotals]int
	for i := range m.clients {
		c := &m.clients[i]
		kept[i%mixedTotals] += c.added
		if c.pending != "" {
			unanswered[i%mixedTotals] += open
		}
	}
	for i := range mixedTotals {
		if total := served[fmt.Sprintf(`added_total{instance="",job="mixed",of="%d"}`, i)]; total < kept[i] || total > kept[i]+unanswered[i] {
			t.Errorf("total %d is %d; %d adds were acknowledged, and %d were sent without an answer", i, total, kept[i], unanswered[i])
		}
	}
}

func (m *mixture) checkUpserts(t *testing.T, served map[string]int) {
	t.Helper()
	for i := range m.clients {
		for slot := range mixedSlots {
			u := &m.clients[i].upserts[slot]
			got := served[fmt.Sprintf(`upserted{client="%d",instance="",job="mixed",slot="%d"}`, i, slot)]
			if got != u.kept && got != u.tried {
				t.Errorf("client %d slot %d is %d; %d was acknowledged, %d was sent", i, slot, got, u.kept, u.tried)
			}
			u.kept = got
		}
	}
}

// down is a time without a gateway: it was killed somewhat after from, began to start after launched, and
// had loaded what was stored before ready.
type down struct{ from, launched, ready time.Time }

const (
	mixedTTL = time.Second
	slack    = time.Second // by which an expired group may be late to leave
)

// mortal is a group that expires.
type mortal struct {
	sent, answered time.Time // answered is when it was known whether it was accepted
	accepted       bool
	gone, graced   bool
}

// until returns until when a group is surely there, and from when on it surely is not. Its time may end
// while the gateway is down; then it stays once more as long, counted from the start.
func (x *mortal) until(downs []down) (least, most time.Time) {
	least, most = x.sent.Add(mixedTTL), x.answered.Add(mixedTTL+slack)
	for _, d := range downs {
		if least.After(d.from) && least.Before(d.launched) {
			least = d.launched.Add(mixedTTL)
		}
		if x.sent.Before(d.from) && most.After(d.from) && most.Before(d.ready.Add(slack)) {
			most = d.ready.Add(mixedTTL + slack)
		}
	}
	return least, most
}

// checkMortals compares a page with when groups have to be there, and returns how many are.
func (m *mixture) checkMortals(t *testing.T, g gateway) (left int) {
	t.Helper()
	begun := time.Now()
	page := g.page(t, "allow-utf-8")
	ended := time.Now()
	there := m.numbers(page)
	for i := range m.clients {
		for n, x := range m.clients[i].mortals {
			at := [2]int{i, n}
			least, most := x.until(m.downs)
			switch present := there[at]; {
			case present && x.gone:
				t.Errorf("group %v came back", at)
			case present && begun.After(most):
				t.Errorf("group %v is there %v after its time", at, begun.Sub(most)+slack)
			case !present && x.accepted && ended.Before(least):
				t.Errorf("group %v is gone %v before its time", at, least.Sub(ended))
			case present:
				left++
			default:
				x.gone = true
			}
			x.graced = x.graced || there[at] && begun.After(x.answered.Add(mixedTTL))
		}
	}
	return left
}

func (m *mixture) count(is func(x *mortal) bool) (count int) {
	for i := range m.clients {
		count += len(slices.DeleteFunc(slices.Clone(m.clients[i].mortals), func(x *mortal) bool { return !is(x) }))
	}
	return count
}
