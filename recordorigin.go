package holdfast

import (
	"encoding/binary"
	"unique"
)

// How its pushes went is kept with a group in optional fields: when it was first pushed to, where the
// last accepted push came from, and why one was last refused.

func appendFirst(b []byte, g *Group) []byte {
	if g.first == 0 {
		return b
	}
	return binary.AppendVarint(b, g.pushed-g.first)
}

func readFirst(r *reader, g *Group) { g.first = g.pushed - r.varint() }

func appendFrom(b []byte, g *Group) []byte {
	if g.from == (Origin{}) {
		return b
	}
	return appendOrigin(b, g.from)
}

func readFrom(r *reader, g *Group) { g.from = readOrigin(r) }

func appendFailure(b []byte, g *Group) []byte {
	if g.failure == nil {
		return b
	}
	b = appendString(b, g.failure.Reason)
	b = appendString(b, g.failure.Message)
	return appendOrigin(b, g.failure.Origin)
}

func readFailure(r *reader, g *Group) {
	g.failure = &Failure{Reason: shared(r.string()), Message: r.string(), Origin: readOrigin(r)}
}

func appendOrigin(b []byte, o Origin) []byte {
	b = appendString(b, o.Remote)
	b = appendString(b, o.ContentType)
	return binary.AppendUvarint(b, uint64(o.Bytes))
}

func readOrigin(r *reader) Origin {
	return Origin{Remote: r.string(), ContentType: shared(r.string()), Bytes: int64(r.uvarint())}
}

// shared returns a text of which many groups have an equal one, in memory that they share while they are
// loaded together.
func shared(text string) string { return unique.Make(text).Value() }
