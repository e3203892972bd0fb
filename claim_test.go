package holdfast

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"holdfast/internal/exposition"
)

// heldEngine answers a commit only when the test says how.
type heldEngine struct {
	*Memory
	answers chan error
	mu      sync.Mutex
	commits []Commit
}

func (e *heldEngine) Commit(ctx context.Context, c Commit) (Revision, error) {
	e.mu.Lock()
	e.commits = append(e.commits, c)
	e.mu.Unlock()
	if err := <-e.answers; err != nil {
		return 0, err
	}
	return e.Memory.Commit(ctx, c)
}

// committed returns the commits so far.
func (e *heldEngine) committed() []Commit {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.commits)
}

// inBubble runs test with a gateway on a held engine, under fake time.
func inBubble(t *testing.T, test func(t *testing.T, g *Gateway, e *heldEngine)) {
	synctest.Test(t, func(t *testing.T) {
		e := &heldEngine{Memory: NewMemory(), answers: make(chan error)}
		g, err := New(Options{Engine: e, Logger: slog.New(slog.DiscardHandler), Limits: Limits{FailedGroupTTL: 24 * time.Hour}, IdempotencyWindow: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		go g.Run(ctx)
		synctest.Wait()
		test(t, g, e)
		cancel()
		synctest.Wait()
	})
}

func job(name string) Key { return NewKey(exposition.Label{Name: "job", Value: name}) }

func oneMetric(name string, typ dto.MetricType) []*exposition.Family {
	r := generator{rand.New(rand.NewPCG(1, 1))}
	m := r.metric(typ)
	m.Label = nil
	return []*exposition.Family{exposition.FromProto(&dto.MetricFamily{Name: proto.String(name), Type: typ.Enum(), Metric: []*dto.Metric{m}})}
}

// pushAsync pushes and delivers the answer.
func pushAsync(g *Gateway, key Key, families []*exposition.Family) <-chan error {
	answer := make(chan error, 1)
	go func() {
		answer <- g.Push(context.Background(), Push{Key: key, Mode: ReplaceFamily, Families: families, Time: time.Now()})
	}()
	return answer
}

func answered(answer <-chan error) bool { return len(answer) > 0 }

// A push that clashes only with one that is still on its way to the engine must be answered by the
// outcome of that one, never before.
func TestClaimInFlight(t *testing.T) {
	for _, outcome := range []error{nil, ErrUnavailable} {
		t.Run(fmt.Sprint(outcome), func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
				first := pushAsync(g, job("a"), oneMetric("m", dto.MetricType_GAUGE))
				synctest.Wait()
				second := pushAsync(g, job("b"), oneMetric("m", dto.MetricType_COUNTER))
				synctest.Wait()
				if answered(first) || answered(second) {
					t.Fatal("a push was answered before the engine kept anything")
				}
				e.answers <- outcome
				synctest.Wait()
				if err := <-first; (err == nil) != (outcome == nil) {
					t.Errorf("first push: %v, engine said %v", err, outcome)
				}
				e.answers <- nil // the second push, or its failure time
				synctest.Wait()
				err := <-second
				if refused := err != nil; refused != (outcome == nil) {
					t.Errorf("second push: %v, though the engine said %v to the first", err, outcome)
				}
			})
		})
	}
}

// Two groups of different shapes that claim the same series at once: one of them must wait, too.
func TestClaimOfEqualSeriesInFlight(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
		zoned := NewKey(exposition.Label{Name: "job", Value: "a"}, exposition.Label{Name: "zone", Value: "x"})
		families := oneMetric("m", dto.MetricType_GAUGE)
		labelled := []*exposition.Family{exposition.FromProto(&dto.MetricFamily{
			Name: proto.String("m"), Type: dto.MetricType_GAUGE.Enum(),
			Metric: []*dto.Metric{{Label: []*dto.LabelPair{{Name: proto.String("zone"), Value: proto.String("x")}}, Gauge: &dto.Gauge{Value: proto.Float64(1)}}},
		})}
		first := pushAsync(g, zoned, families)
		synctest.Wait()
		second := pushAsync(g, job("a"), labelled)
		synctest.Wait()
		e.answers <- nil
		synctest.Wait()
		e.answers <- nil
		synctest.Wait()
		if err := <-first; err != nil {
			t.Error(err)
		}
		var refusal *Refusal
		if err := <-second; !errors.As(err, &refusal) || refusal.Reason != "duplicate" || refusal.Other != zoned {
			t.Errorf("second push: %v, want a refusal that names %v", err, zoned)
		}
	})
}

// Pushes that wait behind a commit of their key are kept by one commit, in their order.
func TestWaitingPushesShareCommit(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
		var answers []<-chan error
		for i := range 50 {
			answers = append(answers, pushAsync(g, job("a"), oneMetric(fmt.Sprintf("m%d", i), dto.MetricType_GAUGE)))
			synctest.Wait()
		}
		e.answers <- nil
		e.answers <- nil
		synctest.Wait()
		for i, answer := range answers {
			if err := <-answer; err != nil {
				t.Errorf("push %d: %v", i, err)
			}
		}
		if len(e.committed()) != 2 {
			t.Errorf("%d commits for 50 pushes of which 49 waited, want 2", len(e.committed()))
		}
		if page := scrapeText(t, g); strings.Count(page, "\nm") != 50 {
			t.Errorf("not all of 50 families are there:\n%s", page)
		}
	})
}

// A push whose commit has an unknown outcome or fails is not visible, and says so.
func TestFailedCommit(t *testing.T) {
	for engineError, want := range map[error]Kind{ErrUnavailable: Unavailable, ErrFull: Unavailable, ErrUnknown: Unknown, ErrTooLarge: TooLarge} {
		inBubble(t, func(t *testing.T, g *Gateway, e *heldEngine) {
			answer := pushAsync(g, job("a"), oneMetric("m", dto.MetricType_GAUGE))
			e.answers <- engineError
			synctest.Wait()
			var refusal *Refusal
			if err := <-answer; !errors.As(err, &refusal) || refusal.Kind != want {
				t.Errorf("engine said %v, push says %v", engineError, err)
			}
			if (refusal.RetryAfter > 0) != (want != TooLarge) {
				t.Errorf("engine said %v, retry after %v", engineError, refusal.RetryAfter)
			}
			if page := scrapeText(t, g); page != "" {
				t.Errorf("engine said %v, scrape shows\n%s", engineError, page)
			}
			checkTotals(t, g)
		})
	}
}

// slowEngine takes a while, and fails now and then.
type slowEngine struct{ *Memory }

func (e slowEngine) Commit(ctx context.Context, c Commit) (Revision, error) {
	for range rand.IntN(100) {
		runtime.Gosched()
	}
	if rand.IntN(10) == 0 {
		return 0, ErrUnavailable
	}
	return e.Memory.Commit(ctx, c)
}

func (e slowEngine) Follow(ctx context.Context) iter.Seq2[Record, error] { return e.Memory.Follow(ctx) }

// However pushes, deletes and wipes of many clients interleave, what stands in the end must be
// consistent by the reference's own check, and all counts must be right.
func TestConcurrentChangesStayConsistent(t *testing.T) {
	g := newTestGateway(t, func(o *Options) { o.Engine = slowEngine{NewMemory()} })
	var clients sync.WaitGroup
	for c := range uint64(16) {
		clients.Go(func() {
			r := generator{rand.New(rand.NewPCG(c, 7))}
			for range 150 {
				switch n := r.IntN(40); {
				case n == 0:
					_ = g.Wipe(t.Context())
				case n < 4:
					_ = g.Delete(t.Context(), r.key())
				default:
					_ = g.Push(t.Context(), Push{Key: r.key(), Mode: Mode(r.IntN(2)), Families: decoded(r.families()), Time: time.Now()})
				}
			}
		})
	}
	clients.Wait()
	g.gate.Lock() // failure times may still be on their way
	defer g.gate.Unlock()
	checkTotals(t, g)
	checkConsistent(t, g)
}

// checkConsistent has client_golang's check look at everything that is stored.
func checkConsistent(t *testing.T, g *Gateway) {
	t.Helper()
	_, groups, err := g.Groups()
	if err != nil {
		t.Fatal(err)
	}
	stored := slow{}
	for group := range groups {
		stored[group.Key()] = map[string]*dto.MetricFamily{}
		for _, m := range group.Members() {
			metrics, err := m.Metrics()
			if err != nil {
				t.Fatal(err)
			}
			stored[group.Key()][m.Name] = &dto.MetricFamily{Name: proto.String(m.Name), Type: m.Type.Enum(), Metric: metrics}
		}
	}
	if len(stored) == 0 {
		t.Error("nothing is stored, so nothing was tried")
	}
	if _, err := stored.gather(); err != nil {
		t.Error(err)
	}
}

// A pusher that is refused over and over moves its group's failure time once a second, not each time.
func TestFailureTimeIsStoredOnceASecond(t *testing.T) {
	g := newTestGateway(t, nil)
	mustPush(t, g, job("good"), oneMetric("m", dto.MetricType_GAUGE))
	start := time.Unix(1_700_000_000, 0)
	var failed []int64
	for _, after := range []time.Duration{0, 400 * time.Millisecond, 999 * time.Millisecond, time.Second, 1500 * time.Millisecond} {
		err := g.Push(t.Context(), Push{Key: job("bad"), Families: oneMetric("m", dto.MetricType_COUNTER), Time: start.Add(after)})
		if err == nil {
			t.Fatal("a push of the wrong type was accepted")
		}
		waitForNotices(g)
		failed = append(failed, g.index.groups[job("bad")].Failed().Sub(start).Milliseconds())
	}
	if want := []int64{0, 0, 0, 1000, 1000}; !slices.Equal(failed, want) {
		t.Errorf("failure times were %v ms after the start, want %v", failed, want)
	}
}

// The exposed help is that of most groups, ties by the least text, and is logged once however often it
// is scraped and pushed.
func TestHelpIsChosenByState(t *testing.T) {
	var log bytes.Buffer
	g := newTestGateway(t, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	push := func(name, help string) {
		mf := &dto.MetricFamily{Name: proto.String("m"), Help: proto.String(help), Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{{Gauge: &dto.Gauge{}}}}
		mustPush(t, g, job(name), decoded([]*dto.MetricFamily{mf}))
	}
	shown := func(want string) {
		t.Helper()
		if page := scrapeText(t, g); !strings.Contains(page, "# HELP m "+want+"\n") {
			t.Errorf("help %q is not shown:\n%s", want, page)
		}
	}
	push("a", "b help")
	push("b", "")
	shown("b help")
	push("c", "a help")
	shown("a help")
	push("d", "b help")
	shown("b help")
	if err := g.Delete(t.Context(), job("a")); err != nil {
		t.Fatal(err)
	}
	shown("a help")
	if n := strings.Count(log.String(), "metric families inconsistent help strings"); n != 1 {
		t.Errorf("the difference was logged %d times:\n%s", n, log.String())
	}
}
