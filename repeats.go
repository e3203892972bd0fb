package holdfast

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
)

// repeats remembers the pushes that were accepted with an idempotency key, so that sending one again
// within the window changes nothing. It is guarded by the index' mu, and each is kept by the engine in
// the same commit as its push.
type repeats struct {
	window   int64 // nanoseconds; 0 remembers nothing
	limit    int64 // most that are remembered; 0 is no limit
	accepted map[repeat]int64
	order    []repeat // by time, oldest first
}

// repeat stands for a push: a hash of its grouping key and its idempotency key. The zero repeat is none.
type repeat [16]byte

// acceptance is a push that was accepted at a time.
type acceptance struct {
	repeat
	time int64 // Unix nanoseconds
}

func newRepeat(key Key, idempotencyKey string) (r repeat) {
	if idempotencyKey == "" {
		return r
	}
	sum := sha256.Sum256([]byte(key.canonical + recordSeparator + idempotencyKey))
	return repeat(sum[:len(r)])
}

// among reports whether a change repeats one that was accepted in the same batch.
func (c *change) among(accepted []acceptance) bool {
	return slices.ContainsFunc(accepted, func(a acceptance) bool { return a.repeat == c.repeat })
}

func (r *repeats) reset() { r.accepted, r.order = map[repeat]int64{}, nil }

// knows reports whether a push was accepted within the window before now.
func (r *repeats) knows(id repeat, now int64) bool {
	at, found := r.accepted[id]
	return found && now-at < r.window
}

// full refuses a push where no more can be remembered.
func (r *repeats) full() *Refusal {
	if r.limit == 0 || int64(len(r.accepted)) < r.limit {
		return nil
	}
	return overLimit(TooMany, "idempotency-keys", fmt.Sprintf("the gateway remembers %d pushes by their idempotency key, which is its limit", len(r.accepted)),
		"push without an idempotency key, later, or raise the limit")
}

// doubtful refuses to add what may have been added before, at a time that is forgotten or will be before
// this push is carried out: half of the window is left for its way here.
func (r *repeats) doubtful(c *change) *Refusal {
	if c.firstSent == 0 || c.firstSent < r.window/2 || c.push.mode != Add {
		return nil
	}
	const shown = time.Second
	return &Refusal{
		Kind: Doubtful, Reason: "doubtful",
		Message: fmt.Sprintf("the push was first sent %s ago and may have been added then: the gateway remembers pushes for %s, and trusts half of that",
			time.Duration(c.firstSent).Round(shown), time.Duration(r.window)),
		Hint:  "compare the group with what was to be added, and push again, with a new idempotency key, what is missing",
		Where: "group " + c.key.String(),
	}
}

func (r *repeats) add(a acceptance) {
	if _, known := r.accepted[a.repeat]; !known {
		r.order = append(r.order, a.repeat)
	}
	r.accepted[a.repeat] = a.time
}

// forget drops some of those that are older than the window, more than one push brings, and returns them.
// Should the engine fail to drop them too, the next start forgets them.
func (r *repeats) forget(now int64) (forgotten []repeat) {
	const some = 4
	for len(r.order) > 0 && len(forgotten) < some && !r.knows(r.order[0], now) {
		forgotten = append(forgotten, r.order[0])
		delete(r.accepted, r.order[0])
		r.order = r.order[1:]
	}
	return forgotten
}

// sort puts what was loaded in order.
func (r *repeats) sort() {
	slices.SortFunc(r.order, func(a, b repeat) int { return cmp.Compare(r.accepted[a], r.accepted[b]) })
}

// repeatPrefix begins the keys of the records of accepted pushes.
const repeatPrefix = markPrefix + "repeat" + recordSeparator

func (r repeat) recordKey() string { return repeatPrefix + string(r[:]) }

// AppendBinary implements encoding.BinaryAppender.
func (a acceptance) AppendBinary(b []byte) ([]byte, error) {
	start := len(b)
	return sealRecord(binary.AppendVarint(beginRecord(b), a.time), start), nil
}

// decodeAcceptance reads the record of an accepted push.
func decodeAcceptance(r Record) (a acceptance, err error) {
	id := strings.TrimPrefix(r.Key, repeatPrefix)
	if len(id) != len(a.repeat) {
		return a, fmt.Errorf("record key %q has no hash of %d bytes", r.Key, len(a.repeat))
	}
	a.repeat = repeat([]byte(id))
	_, body, err := openRecord(r.Value)
	if err != nil {
		return a, fmt.Errorf("record of an idempotency key: %w", err)
	}
	in := reader{body: body}
	a.time = in.varint()
	return a, in.err
}
