package web

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// reader is a client that takes each piece of an answer in a time of its own.
type reader struct {
	http.ResponseWriter
	takes  []time.Duration
	pieces []int
}

func (r *reader) Write(b []byte) (int, error) {
	r.pieces = append(r.pieces, len(b))
	if len(r.takes) > 0 {
		<-time.After(r.takes[0])
		r.takes = r.takes[1:]
	}
	return len(b), nil
}

// A client that takes what it gets is sent more at once; one that hesitates gets small pieces again, so
// that thirty seconds are enough for each.
func TestPiecesFollowTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &reader{ResponseWriter: httptest.NewRecorder(), takes: []time.Duration{0, 0, 0, 0, 0, 0, 20 * time.Second}}
		w := &pacedWriter{ResponseWriter: client, pace: defaultPace(), control: http.NewResponseController(client)}
		if n, err := w.Write(make([]byte, 1<<20+1)); n != 1<<20+1 || err != nil {
			t.Fatal(n, err)
		}
		const k = 1 << 10
		if want := []int{16 * k, 32 * k, 64 * k, 128 * k, 256 * k, 256 * k, 256 * k, 16 * k, 1}; !slices.Equal(client.pieces, want) {
			t.Errorf("pieces are %d, want %d", client.pieces, want)
		}
	})
}
