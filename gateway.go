package holdfast

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Options is what a Gateway is made of.
type Options struct {
	Engine      Engine
	Own         prometheus.Gatherer   // the gateway's own metrics, exposed among the pushed ones; nil for none
	Registry    prometheus.Registerer // where the gateway registers its instruments; nil for nowhere
	Limits      Limits
	ScrapeBytes int64 // most bytes of compressed pages that are kept from scrape to scrape; 0 is no limit

	// IdempotencyWindow is how long a push with an idempotency key is remembered; 0 is not at all.
	IdempotencyWindow time.Duration

	Unchecked bool // accept pushes that clash with other groups; what clashes is masked
	Logger    *slog.Logger
}

// Gateway keeps groups, checks pushes against each other and writes scrapes. Its methods may be called
// concurrently.
type Gateway struct {
	Options
	index    *index
	lanes    lanes
	failures failures
	schedule schedule
	meters   meters
	scrapes  scrapes
	kept     kept
	way      giveWay
	open     atomic.Bool // everything stored is loaded
	rules    atomic.Pointer[Rules]

	// gate is held for reading while a change is on its way, and for writing by what changes all groups.
	gate sync.RWMutex
}

// New makes a gateway. It serves once Run has caught up with the engine. The error is that of the
// registry.
func New(o Options) (*Gateway, error) {
	g := &Gateway{Options: o, index: newIndex(o.Logger), lanes: lanes{waiting: map[Key][]*change{}}}
	g.index.repeats.window, g.index.repeats.limit = int64(o.IdempotencyWindow), o.Limits.IdempotencyKeys
	g.way.yield = yieldThread
	g.failures.reset()
	g.schedule.reset()
	if err := g.learnOwn(); err != nil {
		return nil, err
	}
	return g, g.meters.register(g, o.Registry)
}

// Run loads what the engine holds and follows it until ctx ends. An error of it is fatal.
func (g *Gateway) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if ttl := g.Limits.FailedGroupTTL; ttl > 0 {
		go whenDue(ctx, ttl, g.failures.woken, g.evictExpired)
	}
	go g.dropUnused(ctx)
	begun := time.Now()
	load := newLoader(g.index)
	defer load.close()
	for record, err := range g.Engine.Follow(ctx) {
		if err != nil {
			return err
		}
		if record.Key != "" {
			err = load.add(record)
		} else if err = load.finish(); err == nil {
			g.caughtUp(time.Since(begun))
			go whenDue(ctx, 0, g.schedule.woken, g.carryOut)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// caughtUp opens the gateway once everything that was stored is loaded.
func (g *Gateway) caughtUp(took time.Duration) {
	g.failures.fill(g.index)
	g.fillSchedule(time.Now())
	g.meters.loadSeconds.Set(took.Seconds())
	if groups := g.index.loaded(); groups > 0 {
		g.Logger.Info("loaded stored groups", "groups", groups, "duration", took)
	}
	g.open.Store(true)
}

// Ready returns nil once all stored groups are loaded, else a *Refusal of kind Unavailable.
func (g *Gateway) Ready() error {
	if g.open.Load() {
		return nil
	}
	return &Refusal{
		Kind: Unavailable, Reason: "loading",
		Message: fmt.Sprintf("the gateway is still loading its stored groups, %d so far", g.index.loaded()),
		Hint:    "retry in a few seconds", RetryAfter: retryAfter,
	}
}

// Accepting returns nil unless the gateway is loading or its engine needs a restart to keep anything
// again; then a *Refusal of kind Unavailable. Scrapes go on without an engine. A full disk is not
// counted: it heals, and to send scrapes elsewhere would help nobody.
func (g *Gateway) Accepting() error {
	if err := g.Ready(); err != nil {
		return err
	}
	if status := g.Engine.Status(); status.Fatal {
		return unavailable(status.Err)
	}
	return nil
}

// Unchecked reports whether pushes are accepted without comparing them with other groups.
func (g *Gateway) Unchecked() bool { return g.Options.Unchecked }

// Push applies p: when it returns nil, p is kept as the engine promises and visible to the next scrape.
// Its errors are *Refusal.
func (g *Gateway) Push(_ context.Context, p Push) error {
	if err := g.Ready(); err != nil {
		return err
	}
	g.way.note(time.Now())
	c := p.change()
	ready, err := p.prepare(g.Limits)
	if refusal, refused := err.(*Refusal); refused {
		if !refusal.Kind.noted() {
			return g.meters.refused(refusal)
		}
		c.refusal = refusal
	}
	c.push = ready
	err = g.lanes.do(c, g.commit)
	if err != nil {
		g.trimFailures()
	}
	return g.meters.refused(err)
}

// Delete removes the group under key; removing what is not there is no error. Errors are *Refusal.
func (g *Gateway) Delete(_ context.Context, key Key) error {
	if err := g.Ready(); err != nil {
		return err
	}
	return g.lanes.do(&change{key: key}, g.commit)
}

// Wipe removes all groups at once. Errors are *Refusal.
func (g *Gateway) Wipe(ctx context.Context) error {
	if err := g.Ready(); err != nil {
		return err
	}
	g.gate.Lock()
	defer g.gate.Unlock()
	if _, err := g.Engine.Commit(context.WithoutCancel(ctx), Commit{Wipe: true}); err != nil {
		return unavailable(err)
	}
	g.index.mu.Lock()
	defer g.index.mu.Unlock()
	g.index.reset()
	g.failures.reset()
	g.schedule.reset()
	return nil
}

// Groups returns the groups of one moment, by key, and their number.
func (g *Gateway) Groups() (int, iter.Seq[*Group], error) {
	if err := g.Ready(); err != nil {
		return 0, nil, err
	}
	order := g.index.snapshot().order
	return order.count, func(yield func(*Group) bool) {
		for _, group := range order.all() {
			if !yield(group) {
				return
			}
		}
	}, nil
}

// Totals returns the number of groups, of series and of bytes of encoded metrics that are held.
func (g *Gateway) Totals() (groups, series, bytes int) {
	g.index.mu.Lock()
	defer g.index.mu.Unlock()
	return len(g.index.groups), g.index.series, g.index.bytes
}

// SetRules puts rules in the place of those before. They count for what is pushed from now on.
func (g *Gateway) SetRules(rules *Rules) { g.rules.Store(rules) }

// Terms returns how a push to a key is to be taken: as said by the client, else as the rule of the key
// says, and within its bounds.
func (g *Gateway) Terms(key Key, said Terms) Terms { return g.rules.Load().Terms(key, said) }

// learnOwn notes the names and types of the gateway's own families, against which pushes are checked.
func (g *Gateway) learnOwn() error {
	if g.Own == nil {
		return nil
	}
	families, err := g.Own.Gather()
	if err != nil {
		return err
	}
	own := make(map[string]dto.MetricType, len(families))
	for _, mf := range families {
		own[mf.GetName()] = mf.GetType()
	}
	g.index.mu.Lock()
	defer g.index.mu.Unlock()
	g.index.own = own
	return nil
}

// failureInterval is how often at most a group's failure time is stored.
const failureInterval = time.Second
