package holdfast

import (
	"log/slog"
	"sync"

	dto "github.com/prometheus/client_model/go"

	"holdfast/internal/exposition"
)

// index is groups and families as they stand, and the claims of changes that are on their way to the
// engine. Changes are installed whole under mu; snapshots share everything and cost nothing.
type index struct {
	mu       sync.Mutex
	epoch    uint64 // grows with each snapshot: what is older may be shared
	groups   map[Key]*Group
	ids      map[ID]Key
	order    run[*Group] // all groups by key
	families map[string]*family
	names    run[*family]                 // families that have metrics, by name
	stale    []string                     // families whose exposed help has to be chosen anew
	claims   map[Key]*claim               // in flight, at most one a key
	forms    map[exposition.Form][]string // names of families that need escaping, by what they become
	keyForms map[string][]Key             // keys that need escaping, by what they become
	own      map[string]dto.MetricType    // the gateway's own families
	settled  chan struct{}                // closed when the next claim ends; nil while nobody waits
	repeats  repeats
	totals
	logger *slog.Logger
}

// totals counts what is stored, and what claims in flight would add to it.
type totals struct {
	series, bytes                int
	claimedGroups, claimedSeries int
}

func newIndex(logger *slog.Logger) *index {
	x := &index{logger: logger}
	x.reset()
	return x
}

// reset drops everything that is stored. No claim may be in flight.
func (x *index) reset() {
	x.groups = map[Key]*Group{}
	x.ids = map[ID]Key{}
	x.order = run[*Group]{}
	x.families = map[string]*family{}
	x.names = run[*family]{}
	x.stale = nil
	x.claims = map[Key]*claim{}
	x.forms = map[exposition.Form][]string{}
	x.keyForms = map[string][]Key{}
	x.totals = totals{}
	x.repeats.reset()
}

// group returns the group under a key, nil if there is none.
func (x *index) group(key Key) *Group {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.groups[key]
}

// snapshot is the index of one moment. It may be read without a lock, for ever.
type snapshot struct {
	names run[*family]
	order run[*Group]
}

func (x *index) snapshot() snapshot {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, name := range x.stale {
		x.refreshHelp(name)
	}
	x.stale = nil
	x.epoch++
	return snapshot{x.names, x.order}
}

// refreshHelp chooses a family's exposed help anew.
func (x *index) refreshHelp(name string) {
	f := x.families[name]
	if f == nil {
		return
	}
	f.stale = false
	help := f.help()
	for i := range f.variants {
		if f.variants[i].help != help {
			f = x.writable(name)
			f.variants[i].help = help
		}
	}
	if len(f.helps) > 1 && !f.warned {
		f.warned = true
		x.logger.Info("metric families inconsistent help strings", "family", name, "exposed", help, "different", len(f.helps))
	}
}

// family returns the family of a name for its holders to be changed, made if there is none.
func (x *index) family(name string) *family {
	f := x.families[name]
	if f == nil {
		f = newFamily(x.epoch, name)
		x.families[name] = f
		for _, form := range exposition.Forms(name) {
			x.forms[form] = append(x.forms[form], name)
		}
	}
	return f
}

// writable returns the family of a name, copied if a snapshot may still read it.
func (x *index) writable(name string) *family {
	f := x.family(name)
	if f.epoch == x.epoch {
		return f
	}
	f = f.clone(x.epoch)
	x.families[name] = f
	if len(f.variants) > 0 {
		x.names.set(x.epoch, name, f, familyWeight, &f.place)
	}
	return f
}

// familyWeight and groupWeight make pages of some hundred families or groups.
const (
	familyWeight = 128
	groupWeight  = 128
)

// place puts a family that gained or lost its last metrics into the list of names or takes it out, and
// forgets it once nobody holds or claims it.
func (x *index) place(f *family, had bool) {
	switch has := len(f.variants) > 0; {
	case has && !had:
		x.names.set(x.epoch, f.name, f, familyWeight, &f.place)
	case had && !has:
		x.names.remove(x.epoch, f.name)
	}
	if f.unused() {
		delete(x.families, f.name)
		for _, form := range exposition.Forms(f.name) {
			x.forms[form] = without(x.forms[form], f.name)
			if len(x.forms[form]) == 0 {
				delete(x.forms, form)
			}
		}
	}
}
