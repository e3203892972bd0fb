package holdfast

import (
	"fmt"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"holdfast/internal/exposition"
)

// verdict is what a check says of a change: nothing, a refusal, or to wait since only a claim in flight
// stands against it.
type verdict struct {
	refusal *Refusal
	wait    bool
	clash   bool // let in although it clashes
}

func (v verdict) clear() bool { return v.refusal == nil && !v.wait }

// check is one comparison of a group that a change would make with all other groups.
type check struct {
	*index
	shape         *keyShape
	before, after *Group
	own           map[exposition.Form][]string // see strange
}

// check compares the group that a change would make with all other groups, at the cost of what the
// change touches. What the group held before needs no check again. mu is held.
func (x *index) check(shape *keyShape, before, after *Group) verdict {
	c := &check{index: x, shape: shape, before: before, after: after}
	if before == nil {
		if v := c.checkKey(); !v.clear() {
			return v
		}
	}
	for d := range pairs(before, after) {
		if d.new == nil || d.same() {
			continue
		}
		if v := c.checkMember(d); !v.clear() {
			return v
		}
	}
	return verdict{}
}

// checkKey refuses a new key whose very time metrics would equal those of another group.
func (c *check) checkKey() verdict {
	m, _ := c.after.Member(pushTimeName)
	v := c.checkSeries(c.after.key, c.shape, &m)
	if v.refusal != nil {
		v.refusal.Kind, v.refusal.Reason = Malformed, "key"
		v.refusal.Hint = "metrics without an instance label get instance=\"\", so both groups would expose equal series; push to " +
			v.refusal.Other.String() + ", or delete it first"
	}
	return v
}

func (c *check) checkMember(d difference) verdict {
	if d.old == nil || d.old.Type != d.new.Type || !exposes(d.old) {
		if v := c.checkType(c.after.key, d); !v.clear() {
			return v
		}
		if v := c.checkSuffixes(c.after, d); !v.clear() {
			return v
		}
	}
	if d.old == nil || d.old.Type != d.new.Type {
		if v := c.checkEscaped(d.new); !v.clear() {
			return v
		}
	}
	if exposes(d.old) && exposes(d.new) && d.old.SameSets(d.new.Block) {
		return verdict{}
	}
	return c.checkSeries(c.after.key, c.shape, d.new)
}

// checkType refuses a family whose name is held as another type by other groups or the gateway itself.
func (x *index) checkType(key Key, d difference) verdict {
	name, typ := d.new.Name, d.new.Type
	if own, found := x.own[name]; found {
		return checkOwnType(d.new, own)
	}
	f := x.families[name]
	if f == nil || !exposes(d.new) {
		return verdict{}
	}
	var v verdict
	for _, held := range f.types {
		if held.typ == typ {
			continue
		}
		others := held.exposed
		if exposes(d.old) && d.old.Type == held.typ {
			others--
		}
		if others > 0 {
			other, _ := f.variant(held.typ).blocks.first(key.canonical)
			return verdict{refusal: typeClash(d.new, key, held.typ, Key{other})}
		}
		v.wait = v.wait || held.claimed > 0
	}
	return v
}

// checkOwnType compares with the gateway's own family of the name, which alone decides: what is stored
// as another type is masked.
func checkOwnType(m *Member, own dto.MetricType) verdict {
	if own == m.Type {
		return verdict{}
	}
	return verdict{refusal: inconsistent("type",
		fmt.Sprintf("gathered metric family %s has type %s but should have %s", m.Name, m.Type, own),
		"the gateway exposes a metric of this name about itself; rename yours, or move the gateway's own with --web.self-telemetry-path")}
}

func typeClash(m *Member, key Key, held dto.MetricType, other Key) *Refusal {
	r := inconsistent("type",
		fmt.Sprintf("collected metric %q %s is not a %s", m.Name, firstSeries(m), held),
		fmt.Sprintf("a family has one type over all groups: push it as %s, rename it, or delete the other group", strings.ToLower(held.String())))
	r.Where = fmt.Sprintf("family %s: %s in group %s, but %s in group %s", m.Name, m.Type, key, held, other)
	r.Other = other
	return r
}

func firstSeries(m *Member) string {
	for _, labels := range m.EachSeries() {
		return labels.String()
	}
	return ""
}

// suffixes are what the samples of histograms and summaries add to the name of their family.
var suffixes = [...]string{"_count", "_sum", "_bucket"}

// takesSuffix reports whether samples of a family of this type carry the suffix.
func takesSuffix(typ dto.MetricType, suffix string) bool {
	return typ == dto.MetricType_HISTOGRAM || typ == dto.MetricType_SUMMARY && suffix != "_bucket"
}

// checkSuffixes refuses a family whose name is that of another family's samples, or the other way round.
func (x *index) checkSuffixes(after *Group, d difference) verdict {
	var v verdict
	for _, suffix := range suffixes {
		if base, found := strings.CutSuffix(d.new.Name, suffix); found {
			found := x.holding(after, base, func(typ dto.MetricType) bool { return takesSuffix(typ, suffix) })
			if found.held {
				return verdict{refusal: suffixClash(after.key, d.new.Name, d.new.Name, base, found)}
			}
			v.wait = v.wait || found.claimed
		}
		if takesSuffix(d.new.Type, suffix) {
			found := x.holding(after, d.new.Name+suffix, func(dto.MetricType) bool { return true })
			if found.held {
				return verdict{refusal: suffixClash(after.key, d.new.Name, d.new.Name+suffix, d.new.Name, found)}
			}
			v.wait = v.wait || found.claimed
		}
	}
	return v
}

// holding is who holds a family of some name, the group in question included as it would be.
type holding struct {
	held, claimed bool
	typ           dto.MetricType
	by            Key // the zero Key for the gateway itself
}

func (x *index) holding(after *Group, name string, counts func(dto.MetricType) bool) holding {
	if typ, found := x.own[name]; found && counts(typ) {
		return holding{held: true, typ: typ}
	}
	if m, found := after.Member(name); found && counts(m.Type) {
		return holding{held: true, typ: m.Type, by: after.key}
	}
	f := x.families[name]
	if f == nil {
		return holding{}
	}
	before, _ := x.groups[after.key].Member(name)
	var h holding
	for _, t := range f.types {
		others := t.members
		if before.Header != nil && before.Type == t.typ {
			others--
		}
		if counts(t.typ) && others > 0 {
			return holding{held: true, typ: t.typ, by: x.holder(name, after.key)}
		}
		h.claimed = h.claimed || counts(t.typ) && t.claimed > 0
	}
	return h
}

// holder returns the least key, other than the given one, of a group that exposes the family.
func (x *index) holder(name string, not Key) Key {
	for i := range x.families[name].variants {
		if other, found := x.families[name].variants[i].blocks.first(not.canonical); found {
			return Key{other}
		}
	}
	return Key{}
}

func suffixClash(key Key, pushed, long, base string, h holding) *Refusal {
	problem := fmt.Sprintf("collected metric named %q collides with previously collected %s named %q", long, strings.ToLower(h.typ.String()), base)
	if pushed == base {
		problem = fmt.Sprintf("collected histogram or summary named %q collides with previously collected metric named %q", base, long)
	}
	r := inconsistent("suffix", problem, fmt.Sprintf("samples of the histogram or summary %s are named %s too; rename one of the two families", base, long))
	r.Where, r.Other = whereBoth(key, pushed, h)
	r.within = h.by == key
	return r
}

// whereBoth says where two families stand that clash, and which other group is in the way.
func whereBoth(key Key, pushed string, h holding) (where string, other Key) {
	switch h.by {
	case Key{}:
		return fmt.Sprintf("%s is pushed to group %s; the other is the gateway's own", pushed, key), Key{}
	case key:
		return fmt.Sprintf("both are in group %s", key), Key{}
	default:
		return fmt.Sprintf("%s is pushed to group %s; the other is in group %s", pushed, key, h.by), h.by
	}
}
