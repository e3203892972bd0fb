package web

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/gzip"

	"holdfast"
)

// inflated marks a body that was compressed on the wire.
type inflated struct{ io.Reader }

func (inflated) Close() error { return nil }

// decode limits what is received and undoes Content-Encoding. As in the reference it stands before the
// routes: a gzip header that cannot be read is a 400 for any method and path.
func (s *site) decode(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wire := &wireBody{ReadCloser: r.Body, site: s, length: r.ContentLength}
		if _, ours := r.Body.(*pacedBody); !ours {
			r = r.WithContext(r.Context()) // the server looks at the body of its own request
		}
		r.Body = wire
		switch strings.ToLower(r.Header.Get("Content-Encoding")) {
		case "gzip":
			reader := s.pools.readers.Get().(*gzip.Reader)
			defer s.pools.readers.Put(reader)
			if err := reader.Reset(wire); err != nil {
				s.reply(func(http.ResponseWriter, *http.Request) error { return unreadable(err) })(w, r)
				return
			}
			r.Body = inflated{reader}
		case "snappy":
			r.Body = inflated{snappy.NewReader(wire)}
		}
		next.ServeHTTP(w, r)
	})
}

// unreadable turns an error of reading a body into the refusal for it. Errors of limits and of pace pass
// as they are.
func unreadable(err error) error {
	var refusal *holdfast.Refusal
	var own *failure
	if errors.As(err, &refusal) {
		return refusal
	}
	if errors.As(err, &own) {
		return own
	}
	return &holdfast.Refusal{Kind: holdfast.Malformed, Reason: "body", Message: err.Error(), Err: err}
}

// wireBody refuses a body that is longer than allowed, before the first byte where its length is told.
type wireBody struct {
	io.ReadCloser
	site   *site
	length int64 // as announced; -1 if unknown
	read   int64
	err    error
}

func (b *wireBody) Read(p []byte) (int, error) {
	limit := b.site.Limits.BodyBytes
	if b.err == nil && limit > 0 && (b.length > limit || b.read > limit) {
		b.err = b.site.tooLarge("body-bytes", "body", limit, "push less at once, in several pushes to different grouping keys")
	}
	if b.err != nil {
		return 0, b.err
	}
	if limit > 0 {
		// One byte more than allowed tells a body that ends at the limit from one that goes on.
		p = p[:min(int64(len(p)), limit-b.read+1)]
	}
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if limit > 0 && b.read > limit {
		return b.Read(nil)
	}
	return n, err
}
