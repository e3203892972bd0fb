package holdfast

import (
	"encoding/binary"
	"fmt"

	dto "github.com/prometheus/client_model/go"

	"holdfast/internal/exposition"
)

// Bodies are made of uvarints, zigzag varints, and strings behind their length:
//
//	group:  pushed · failed (Unix nanoseconds) · when the two time families changed (less pushed, failed)
//	        · 1 if its families are within, else 0 · their number · families, or only their names
//	        · optional fields (recordfields.go)
//	family: name · its pushed (less the group's) · type · help · unit · the block in its protobuf form
//
// A family with a record of its own has its full pushed and no name there, and its block reaches to the
// end. The gateway's own families follow from the group and are not kept. In version 1 they were, as records like
// all other families, and a group was: pushed · failed · number of families · their names.

// layout is how the records of a group stand.
type layout uint8

const (
	layoutWhole layout = iota // one record with everything
	layoutApart               // one of the group, and one of each family but the gateway's own
	layoutFirst               // one of the group, and one of each family: version 1
)

// wholeBelow is the bytes of blocks below which a group is kept as one record. A push of one family to a
// larger group does not write all others again.
const wholeBelow = 10 << 10

// apart reports whether a family of the group has a record of its own.
func (g *Group) apart(m *Member) bool {
	return g.layout == layoutFirst || g.layout == layoutApart && !g.isOwn(m.Name)
}

func (g *Group) kept() layout {
	if g == nil {
		return layoutWhole
	}
	return g.layout
}

// records returns the commit that keeps a claim.
func (c *claim) records() Commit {
	commit := Commit{Guards: []Guard{{Key: groupKey(c.key)}}}
	if c.before != nil {
		commit.Guards[0].At = c.before.revision
	}
	own := Change{Key: commit.Guards[0].Key}
	if c.after != nil {
		own.Value = (*groupRecord)(c.after)
	}
	commit.Changes = append(commit.Changes, own)
	for _, a := range c.accepted {
		commit.Changes = append(commit.Changes, Change{Key: a.recordKey(), Value: a})
	}
	for _, r := range c.forgotten {
		commit.Changes = append(commit.Changes, Change{Key: r.recordKey()})
	}
	from, to := c.before.kept(), c.after.kept()
	if from == layoutWhole && to == layoutWhole {
		return commit
	}
	for d := range pairs(c.before, c.after) {
		switch {
		case d.new != nil && c.after.apart(d.new):
			if from != to || !d.same() {
				commit.Changes = append(commit.Changes, Change{Key: familyKey(c.key, d.name()), Value: (*familyRecord)(d.new)})
			}
		case d.old != nil && c.before.apart(d.old):
			commit.Changes = append(commit.Changes, Change{Key: familyKey(c.key, d.name())})
		}
	}
	return commit
}

// groupRecord is a group in the form of its own record.
type groupRecord Group

// AppendBinary implements encoding.BinaryAppender.
func (r *groupRecord) AppendBinary(b []byte) ([]byte, error) {
	g, start := (*Group)(r), len(b)
	b = beginRecord(b)
	b = binary.AppendVarint(b, g.pushed)
	b = binary.AppendVarint(b, g.failed)
	pushed, _ := g.Member(pushTimeName)
	failed, _ := g.Member(failureTimeName)
	b = binary.AppendVarint(b, pushed.pushed-g.pushed)
	b = binary.AppendVarint(b, failed.pushed-g.failed)
	b = append(b, flag(g.layout == layoutWhole))
	b = binary.AppendUvarint(b, uint64(g.pushedFamilies()))
	for i := range g.members {
		m := &g.members[i]
		if g.isOwn(m.Name) {
			continue
		}
		b = appendString(b, m.Name)
		if g.layout == layoutWhole {
			b = binary.AppendVarint(b, m.pushed-g.pushed)
			b = m.appendHeader(b)
			b = binary.AppendUvarint(b, uint64(len(m.Proto())))
			b = append(b, m.Proto()...)
		}
	}
	return sealRecord(appendFields(b, g, groupFields), start), nil
}

// pushedFamilies counts the families that are not the gateway's own.
func (g *Group) pushedFamilies() int {
	count := 0
	for i := range g.members {
		if !g.isOwn(g.members[i].Name) {
			count++
		}
	}
	return count
}

func flag(set bool) byte {
	if set {
		return 1
	}
	return 0
}

// familyRecord is a member in the form of its record.
type familyRecord Member

// AppendBinary implements encoding.BinaryAppender.
func (r *familyRecord) AppendBinary(b []byte) ([]byte, error) {
	start := len(b)
	b = binary.AppendVarint(beginRecord(b), r.pushed)
	b = (*Member)(r).appendHeader(b)
	return sealRecord(append(b, r.Proto()...), start), nil
}

func (m *Member) appendHeader(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(m.Type))
	b = appendString(b, m.Help)
	return appendString(b, m.Unit)
}

// decodeGroup reads a group's own record. Families that have records of their own are missing in the
// group, and their names are returned.
func decodeGroup(key Key, record []byte) (g *Group, apart []string, err error) {
	version, body, err := openRecord(record)
	if err != nil {
		return nil, nil, err
	}
	r := reader{body: body}
	g = &Group{key: key, pushed: r.varint(), failed: r.varint(), layout: layoutFirst}
	if version == 1 {
		for range r.count() {
			apart = append(apart, r.string())
		}
		return g, apart, r.err
	}
	pushed, failed := g.pushed+r.varint(), g.failed+r.varint()
	if g.layout = layoutApart; r.uvarint() == 1 {
		g.layout = layoutWhole
	}
	for range r.count() {
		name := r.string()
		if g.layout == layoutApart {
			apart = append(apart, name)
			continue
		}
		m, err := r.member(name, g.pushed)
		if err != nil {
			return nil, nil, fmt.Errorf("family %s: %w", name, err)
		}
		g.members = append(g.members, m)
	}
	if err := readFields(&r, g, groupFields); err != nil {
		return nil, nil, err
	}
	labels := key.Labels()
	g.members = append(g.members, timeMember(pushTime, labels, g.pushed, pushed), timeMember(failureTime, labels, g.failed, failed))
	g.addFreshness(labels)
	return g, apart, nil
}

// member reads a family within its group's record.
func (r *reader) member(name string, groupPushed int64) (Member, error) {
	m := Member{pushed: groupPushed + r.varint(), Header: r.header(name)}
	proto := r.bytes()
	if r.err != nil {
		return Member{}, r.err
	}
	var err error
	m.Block, err = exposition.DecodeBlock(name, m.Type, proto)
	return m, err
}

func (r *reader) header(name string) *Header {
	return &Header{Name: name, Type: dto.MetricType(r.uvarint()), Help: r.string(), Unit: r.string()}
}

// decodeFamily reads a family's own record.
func decodeFamily(name string, record []byte) (Member, error) {
	_, body, err := openRecord(record)
	if err != nil {
		return Member{}, err
	}
	r := reader{body: body}
	m := Member{pushed: r.varint(), Header: r.header(name)}
	if r.err != nil {
		return Member{}, r.err
	}
	m.Block, err = exposition.DecodeBlock(name, m.Type, r.body)
	return m, err
}
