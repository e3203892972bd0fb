package holdfast

import (
	"encoding/base64"
	"encoding/binary"
)

// Cursor is a place in a list of groups: that of the last one that was listed. As it names a value and a
// key and no number, groups that come and go elsewhere neither hide nor repeat others behind it.
type Cursor struct {
	sort       Sort
	descending bool
	value      int64
	key        Key
}

// String renders the cursor for a URL; "" for the zero Cursor.
func (c Cursor) String() string {
	if c == (Cursor{}) {
		return ""
	}
	head := byte(c.sort) << 1
	if c.descending {
		head |= 1
	}
	b := binary.AppendVarint([]byte{head}, c.value)
	return base64.RawURLEncoding.EncodeToString(append(b, c.key.canonical...))
}

// ParseCursor reads what String returned. Errors are *Refusal of kind Malformed.
func ParseCursor(text string) (Cursor, error) {
	if text == "" {
		return Cursor{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < 2 || Sort(b[0]>>1) > BySize {
		return Cursor{}, badCursor("the cursor cannot be read")
	}
	value, n := binary.Varint(b[1:])
	if n <= 0 || len(b) == 1+n {
		return Cursor{}, badCursor("the cursor cannot be read")
	}
	return Cursor{sort: Sort(b[0] >> 1), descending: b[0]&1 == 1, value: value, key: Key{string(b[1+n:])}}, nil
}

func badCursor(message string) *Refusal {
	return malformed("cursor", message, "take it from the answer before, and leave sort and order as they were; or start without one")
}

// check refuses a cursor of a list in another order.
func (c Cursor) check(q *Query) error {
	if c == (Cursor{}) || c.sort == q.Sort && c.descending == q.Descending {
		return nil
	}
	return badCursor("the cursor belongs to a list in another order")
}
