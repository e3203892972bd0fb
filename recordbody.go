package holdfast

import (
	"encoding/binary"
	"errors"
	"sync"

	"github.com/klauspost/compress/zstd"
)

var errShort = errors.New("record ends too early")

// reader takes the parts of a record's body off its front. After the first error all parts are zero.
type reader struct {
	body []byte
	err  error
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.body)
	r.skip(n)
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.body)
	r.skip(n)
	return v
}

// count reads how many parts follow, each of which takes at least a byte.
func (r *reader) count() uint64 {
	n := r.uvarint()
	if n > uint64(len(r.body)) {
		r.fail()
		return 0
	}
	return n
}

// bytes reads a string in place: it aliases the body.
func (r *reader) bytes() []byte {
	n := r.count()
	part := r.body[:n:n]
	r.body = r.body[n:]
	return part
}

func (r *reader) string() string { return string(r.bytes()) }

func (r *reader) skip(n int) {
	if n <= 0 {
		r.fail()
		return
	}
	r.body = r.body[n:]
}

func (r *reader) fail() {
	if r.err == nil {
		r.err = errShort
	}
	r.body = nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// scratch lends memory in which records are compressed.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// longestScratch is the bytes above which lent memory is not kept: one huge record must not hold it.
const longestScratch = 1 << 20

// giveBack returns lent memory in the state in which it was last used.
func giveBack(lent *[]byte, used []byte) {
	if *lent = used; cap(used) <= longestScratch {
		scratch.Put(lent)
	}
}

// zstdDecoder reads records of version 1. It is safe for concurrent use and costly to make; its options
// are constant, so making it cannot fail.
var zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
	d, _ := zstd.NewReader(nil)
	return d
})
