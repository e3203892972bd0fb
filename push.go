package holdfast

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/internal/exposition"
)

// Mode is what an accepted push does to the group under its key.
type Mode uint8

// The first two modes are those of the classic paths.
const (
	ReplaceGroup  Mode = iota // PUT: all families of the group but its two time metrics go, the pushed ones come
	ReplaceFamily             // POST: each pushed family takes the place of its namesake, the rest stays
	Upsert                    // PATCH: each pushed metric takes the place of the one with its labels, the rest stays
	Add                       // only where asked for: each pushed metric is added to the one with its labels
)

// Push is one push: what to lay under a key, and how.
type Push struct {
	Key      Key
	Mode     Mode
	Families []*exposition.Family
	Time     time.Time // when the body had been read and decoded
	Terms    Terms     // what option and rule say; its Mode, where there is one, is in place of Mode
	Origin   Origin

	// Compatible makes an Add behave as those of other aggregating gateways: untyped metrics add up, and
	// a metric may say by the label clearmode, which is taken off, how it is taken.
	Compatible bool

	// IdempotencyKey names this push among all of its grouping key: a push that was accepted is not
	// applied again when it is repeated with the same one. "" is none.
	IdempotencyKey string

	// FirstSent is how long ago the push was sent for the first time, 0 if just now. One of an earlier time
	// may have been accepted and forgotten since, so it cannot be added any more.
	FirstSent time.Duration
}

// change returns the push as it waits for its turn, without what prepare makes of it.
func (p *Push) change() *change {
	return &change{
		key: p.Key, time: p.Time.UnixNano(), from: p.Origin,
		repeat: newRepeat(p.Key, p.IdempotencyKey), firstSent: int64(p.FirstSent),
	}
}

// prepared is a push whose families are encoded, ready to be laid into a group.
type prepared struct {
	key     Key
	labels  exposition.Labels // of key
	mode    Mode
	members []Member // by name
	time    int64    // Unix nanoseconds
	from    Origin
	lifetime
	gauge      exposition.GaugeRule // of an Add
	compatible bool
	parts      map[string][]part // of families whose metrics say how each of them is taken, by name
}

// ownPrefixes begin the names of the gateway's own families, which nobody may push.
var ownPrefixes = []string{"pushgateway_", "holdfast_"}

// hasOwnPrefix reports whether a name, or what it becomes when it is escaped, is one of the gateway's own.
func hasOwnPrefix(name string) bool {
	begins := func(name string) bool {
		return slices.ContainsFunc(ownPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	}
	return begins(name) || slices.ContainsFunc(exposition.Forms(name), func(f exposition.Form) bool { return begins(f.Name) })
}

// prepare encodes the families of p under its key. It refuses what can be judged without looking at any
// group.
func (p *Push) prepare(limits Limits) (*prepared, error) {
	labels := p.Key.Labels()
	if err := limits.checkLabels(labels); err != nil {
		return nil, err
	}
	ready := &prepared{
		key: p.Key, labels: labels, mode: p.Mode, time: p.Time.UnixNano(), members: make([]Member, 0, len(p.Families)),
		from: p.Origin, lifetime: p.Terms.lifetime(), gauge: said(p.Terms.Gauge), compatible: p.Compatible,
	}
	ready.from.ContentType = cut(ready.from.ContentType)
	if p.Terms.Mode != nil {
		ready.mode = *p.Terms.Mode
	}
	if refusal := p.timestamped(); refusal != nil && !said(p.Terms.Strip) {
		return nil, refusal
	}
	headers := make([]Header, 0, len(p.Families))
	for _, f := range p.Families {
		if f.Name == pushTimeName || f.Name == failureTimeName || ready.every > 0 && isFreshness(f.Name) {
			continue
		}
		if drop := p.Terms.DropLabels; ready.mode == Add && len(drop) > 0 {
			var err error
			if f, err = f.DropLabels(drop, ready.gauge); err != nil {
				return nil, invalid(err)
			}
		}
		m, err := ready.encode(p, f, limits)
		if err != nil {
			return nil, err
		}
		headers = append(headers, Header{Name: f.Name, Help: f.Help, Unit: f.Unit, Type: f.Type})
		m.Header = &headers[len(headers)-1]
		ready.members = append(ready.members, m)
	}
	slices.SortFunc(ready.members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return ready, nil
}

// timestamped refuses a push with a timestamp anywhere, before anything else is judged.
func (p *Push) timestamped() *Refusal {
	for _, f := range p.Families {
		if at, found := f.Timestamped(); found {
			r := inconsistent("timestamp", "pushed metrics must not have timestamps",
				"leave the timestamp out: Prometheus stamps samples when it scrapes; push_time_seconds tells when they were pushed")
			r.Where = "metric " + f.Name + at.String() + " of the body, pushed to group " + p.Key.String()
			return r
		}
	}
	return nil
}

// member encodes a family; its header is not set yet.
func (p *Push) member(f *exposition.Family, labels exposition.Labels, limits Limits) (Member, error) {
	if err := limits.checkTexts(f); err != nil {
		return Member{}, err
	}
	if hasOwnPrefix(f.Name) {
		return Member{}, inconsistent("own_name",
			fmt.Sprintf("metric family %q has a name that is reserved for the gateway's own metrics", f.Name),
			"rename the metric: names must not begin with pushgateway_ or holdfast_")
	}
	block, err := f.Encode(labels)
	if err != nil {
		return Member{}, invalid(err)
	}
	if err := limits.checkBlock(f.Name, block); err != nil {
		return Member{}, err
	}
	return Member{Block: block, pushed: p.Time.UnixNano()}, nil
}

// brings reports whether the push has a family of the name.
func (p *prepared) brings(name string) bool {
	_, found := slices.BinarySearchFunc(p.members, name, func(m Member, n string) int { return strings.Compare(m.Name, n) })
	return found
}
