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

func (r *reader) string() string {
	n := r.uvarint()
	if r.err != nil || n > uint64(len(r.body)) {
		r.fail()
		return ""
	}
	s := string(r.body[:n])
	r.body = r.body[n:]
	return s
}

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

// The coders are safe for concurrent use and costly to make. Their options are constant, so making them
// cannot fail.
var (
	zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
		e, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true))
		return e
	})
	zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
		d, _ := zstd.NewReader(nil)
		return d
	})
)
