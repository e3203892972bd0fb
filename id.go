package holdfast

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// ID is a key's name of fixed length, for URLs: the first 128 bits of the SHA-256 of its canonical form.
type ID [16]byte

// ID returns the key's ID.
func (k Key) ID() ID {
	sum := sha256.Sum256([]byte(k.canonical))
	return ID(sum[:16])
}

// String renders the ID in hex.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// ParseID reads an ID in hex. Errors are *Refusal of kind Malformed.
func ParseID(text string) (ID, error) {
	var id ID
	const hint = "take it from a list of groups"
	if len(text) != hex.EncodedLen(len(id)) {
		return ID{}, malformed("id", fmt.Sprintf("a group's id has %d hexadecimal digits, not %d characters", hex.EncodedLen(len(id)), len(text)), hint)
	}
	if _, err := hex.Decode(id[:], []byte(text)); err != nil {
		return ID{}, malformed("id", fmt.Sprintf("a group's id is hexadecimal, not %q", text), hint)
	}
	return id, nil
}

// GroupByID returns the group of an ID; nil if there is none. Errors are *Refusal.
func (g *Gateway) GroupByID(id ID) (*Group, error) {
	if err := g.Ready(); err != nil {
		return nil, err
	}
	g.index.mu.Lock()
	defer g.index.mu.Unlock()
	return g.index.groups[g.index.ids[id]], nil
}

// List returns a group as a list of groups would tell of it.
func (g *Gateway) List(group *Group) Listed {
	snap := g.index.snapshot()
	return Listed{group, snap.masks(g.index.own).of(group)}
}
