package exposition

import "hash/maphash"

// identity tells which summary or histogram a sample line is of: by the family's name and the labels
// other than le and quantile, whatever their order.
//
// A line whose family is a summary or histogram from its begin on starts anew. One that names such a
// family only inside its braces does not: its labels are laid over those of the last line that did, as
// the parser of prometheus/common has it.
type identity struct {
	sum     uint64 // of the hashes of all pairs, so that order does not count
	begun   bool   // some line of the body started anew
	fresh   bool   // this one did
	hash    maphash.Hash
	written Labels            // since the last start
	older   map[string]string // the same by name, once a line lays its labels over
}

// begin starts anew with the name of a family.
func (id *identity) begin(family string) {
	id.sum, id.begun, id.fresh = 0, true, true
	clear(id.written)
	clear(id.older)
	id.written = id.written[:0]
	id.add("", family) // no label has an empty name
}

// add adds a label. It reports false where no line has started yet.
func (id *identity) add(name, text string) bool {
	switch {
	case !id.begun:
		return false
	case id.fresh: // no name occurs twice in a line
		id.written = append(id.written, Label{name, text})
	default:
		id.layOver(name, text)
	}
	id.sum += id.pair(name, text)
	return true
}

// layOver makes a label take the place of one of that name.
func (id *identity) layOver(name, text string) {
	for _, l := range id.written {
		id.older[l.Name] = l.Value
	}
	clear(id.written)
	id.written = id.written[:0]
	if before, found := id.older[name]; found {
		id.sum -= id.pair(name, before)
	}
	id.older[name] = text
}

// pair hashes one label. Two identities are taken for one with a chance of 2^-64, which nobody outside
// can raise. 0xFF is in no UTF-8, so that name and value cannot run into each other.
func (id *identity) pair(name, text string) uint64 {
	id.hash.SetSeed(setsSeed())
	id.hash.WriteString(name)
	id.hash.WriteByte(0xff)
	id.hash.WriteString(text)
	return id.hash.Sum64()
}

// clear forgets everything.
func (id *identity) clear() {
	clear(id.written)
	clear(id.older)
	*id = identity{written: id.written[:0], older: id.older}
}
