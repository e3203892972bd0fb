package web

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"

	"holdfast"
)

const (
	firstRoom = 4 << 10  // bytes of room for a body to begin with
	keptRoom  = 64 << 10 // bytes of room that is kept for other bodies
	smallBody = 1 << 20  // bodies up to this size need not wait for large ones
	lightBody = 64 << 10 // bodies above this size take turns at being decoded
)

// account bounds the bytes that all requests hold together. An eighth is kept for small bodies, so that
// a few large ones do not lock out everybody else.
type account struct {
	limit int64 // 0 for none
	used  atomic.Int64
}

// grow asks for more bytes for one who holds own already.
func (a *account) grow(own, more int64) bool {
	for {
		used := a.used.Load()
		allowed := a.limit
		if own+more > smallBody && used > own {
			allowed -= a.limit / 8
		}
		if a.limit > 0 && used+more > allowed {
			return false
		}
		if a.used.CompareAndSwap(used, used+more) {
			return true
		}
	}
}

func (a *account) release(n int64) { a.used.Add(-n) }

// pools lend what is costly to make anew for each request.
type pools struct {
	rooms   *sync.Pool // of *[]byte
	readers *sync.Pool // of *gzip.Reader
}

func newPools() pools {
	return pools{
		rooms:   &sync.Pool{New: func() any { b := make([]byte, 0, firstRoom); return &b }},
		readers: &sync.Pool{New: func() any { return new(gzip.Reader) }},
	}
}

// body is a request body, read whole. It counts against the account until release, longer than its bytes
// are needed: what was decoded from them is larger than they are.
type body struct {
	site  *site
	room  *[]byte
	bytes []byte
	held  int64
}

// readBody reads the body of r to its end. Room grows with what arrives, never by what is announced.
func (s *site) readBody(r *http.Request) (*body, error) {
	b := &body{site: s, room: s.pools.rooms.Get().(*[]byte)}
	b.bytes = (*b.room)[:0]
	if err := b.reserve(int64(cap(b.bytes))); err != nil {
		b.release()
		return nil, err
	}
	limit := int64(0)
	if _, ok := r.Body.(inflated); ok {
		limit = s.Limits.InflatedBytes
	}
	if err := b.fill(r.Body, limit); err != nil {
		b.release()
		return nil, unreadable(err)
	}
	return b, nil
}

// fill reads from in until its end, or until more than limit bytes came; 0 is no limit.
func (b *body) fill(in io.Reader, limit int64) error {
	for {
		if len(b.bytes) == cap(b.bytes) {
			if err := b.widen(); err != nil {
				return err
			}
		}
		n, err := in.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		if limit > 0 && int64(len(b.bytes)) > limit {
			return b.site.tooLarge("inflated-bytes", "body, once inflated,", limit, "push less at once, in several pushes to different grouping keys")
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// widen doubles the room, or takes what the account can give at most.
func (b *body) widen() error {
	size := int64(cap(b.bytes))
	more := size
	if all := b.site.inflight.limit; all > 0 && size+more > all {
		more = all - size
	}
	if more <= 0 {
		return b.site.tooLarge("inflight-bytes", "body", b.site.inflight.limit, "push less at once, in several pushes to different grouping keys")
	}
	if err := b.reserve(more); err != nil {
		return err
	}
	wider := make([]byte, len(b.bytes), size+more)
	copy(wider, b.bytes)
	b.bytes = wider
	return nil
}

func (b *body) reserve(more int64) error {
	if b.site.inflight.grow(b.held, more) {
		b.held += more
		return nil
	}
	b.site.Refused("inflight-bytes")
	return &holdfast.Refusal{
		Kind: holdfast.Unavailable, Reason: "inflight-bytes", RetryAfter: time.Second,
		Message: "too many bytes of request bodies are held at present; nothing of this push was kept",
		Hint:    "push again later, or raise --limit.inflight-bytes",
	}
}

// reuse gives the room back for other bodies. The bytes are no longer valid; they count on.
func (b *body) reuse() {
	if b.room == nil {
		return
	}
	if cap(b.bytes) <= keptRoom {
		*b.room = b.bytes[:0]
		b.site.pools.rooms.Put(b.room)
	}
	b.room, b.bytes = nil, nil
}

// release ends the body's count. It may be called once.
func (b *body) release() {
	b.reuse()
	b.site.inflight.release(b.held)
}

// tooLarge counts and words the refusal of a body over a limit.
func (s *site) tooLarge(limit, what string, most int64, hint string) error {
	s.Refused(limit)
	return &holdfast.Refusal{
		Kind: holdfast.TooLarge, Reason: limit,
		Message: fmt.Sprintf("the %s is larger than the %d bytes allowed", what, most),
		Hint:    hint + ", or raise --limit." + limit,
	}
}
