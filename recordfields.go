package holdfast

import (
	"encoding/binary"
	"fmt"
	"time"
)

// field is an optional part of a group's record, behind all others:
//
//	tag (uvarint) · length of the rest (uvarint) · the rest
//
// in ascending order of tags. A group without it does not spend a byte on it. A tag is never given
// another meaning; a build that does not know it refuses the record, for it would lose what it says.
type field struct {
	tag    uint64
	append func(b []byte, g *Group) []byte // appends nothing where the group has none of it
	read   func(r *reader, g *Group)
}

// groupFields are the optional fields of a group, by tag.
var groupFields = []field{
	{1, appendLifetime, readLifetime},
	{2, appendState, readState},
	{3, appendFirst, readFirst},
	{4, appendFrom, readFrom},
	{5, appendFailure, readFailure},
}

func appendLifetime(b []byte, g *Group) []byte {
	if g.lifetime == (lifetime{}) {
		return b
	}
	b = binary.AppendVarint(b, g.ttl)
	b = binary.AppendVarint(b, g.every)
	return binary.AppendVarint(b, g.keep)
}

func readLifetime(r *reader, g *Group) {
	g.ttl, g.every, g.keep = r.varint(), r.varint(), r.varint()
	g.late = g.every > 0 && g.pushed+g.every <= time.Now().UnixNano()
}

// The bits of a group's state.
const (
	stateAdding = 1 << iota
	stateLeft
)

func appendState(b []byte, g *Group) []byte {
	state := flag(g.adding)*stateAdding | flag(g.left)*stateLeft
	if state == 0 {
		return b
	}
	return append(b, state)
}

func readState(r *reader, g *Group) {
	state := r.uvarint()
	g.adding, g.left = state&stateAdding != 0, state&stateLeft != 0
}

// appendFields appends those fields that a group has.
func appendFields(b []byte, g *Group, known []field) []byte {
	var content []byte
	for _, f := range known {
		if content = f.append(content[:0], g); len(content) > 0 {
			b = binary.AppendUvarint(b, f.tag)
			b = binary.AppendUvarint(b, uint64(len(content)))
			b = append(b, content...)
		}
	}
	return b
}

// readFields reads what is left of a record into a group.
func readFields(r *reader, g *Group, known []field) error {
	for last := uint64(0); len(r.body) > 0 && r.err == nil; {
		tag, content := r.uvarint(), r.bytes()
		if r.err != nil {
			break
		}
		if tag <= last {
			return fmt.Errorf("field %d of the record stands behind field %d", tag, last)
		}
		last = tag
		f := find(known, tag)
		if f == nil {
			return fmt.Errorf("field %d of the record is unknown: a newer build wrote it, start that one", tag)
		}
		part := reader{body: content}
		if f.read(&part, g); part.err != nil || len(part.body) > 0 {
			return fmt.Errorf("field %d of the record has %d bytes that cannot be read", tag, len(content))
		}
	}
	return r.err
}

func find(known []field, tag uint64) *field {
	for i := range known {
		if known[i].tag == tag {
			return &known[i]
		}
	}
	return nil
}
