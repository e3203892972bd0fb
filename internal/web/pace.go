package web

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// pace says how slow a client may be before its connection is cut.
type pace struct {
	grace  time.Duration // how long a body may take, however slow
	rate   int64         // bytes a second that a body must reach on average after grace
	stall  time.Duration // longest wait for the next bytes of a body after grace, or for the client to take a piece of an answer
	drain  time.Duration // how long the rest of a body that nobody wants is read
	unread int64         // most bytes of it
}

var errSlowBody = &failure{http.StatusRequestTimeout, "the body arrived too slowly\n" +
	"hint: after 30 s a body must have come at 256 bytes a second or more"}

// A client must take piece bytes of an answer within pace.stall. One that takes pieces within quick gets
// larger ones, since each is a call into the system.
const (
	piece  = 16 << 10
	widest = 256 << 10
	quick  = time.Second
)

// defaultPace allows any honest client on a bad line.
func defaultPace() pace {
	return pace{grace: 30 * time.Second, rate: 256, stall: 30 * time.Second, drain: 10 * time.Second, unread: 256 << 20}
}

// limit gives each connection deadlines that move on as bytes flow.
func (p pace) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		var in *pacedBody
		if r.Body != nil && r.Body != http.NoBody {
			in = &pacedBody{ReadCloser: r.Body, pace: p, control: control, begun: time.Now()}
			// The server looks at the body of its own request, so that one stays as it is.
			r = r.WithContext(r.Context())
			r.Body = in
		}
		next.ServeHTTP(&pacedWriter{ResponseWriter: w, pace: p, control: control}, r)
		if in != nil {
			in.finish(r)
		}
		// What the server still holds back goes out after this; its own deadline may be long over.
		_ = control.SetWriteDeadline(time.Now().Add(p.stall))
	})
}

// pacedWriter sets a new deadline for each piece. Writers without deadlines are tests' recorders.
type pacedWriter struct {
	http.ResponseWriter
	pace    pace
	control *http.ResponseController
	next    int // bytes of the next piece
}

// Unwrap lets http.ResponseController find the connection.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *pacedWriter) WriteHeader(status int) {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.pace.stall))
	w.ResponseWriter.WriteHeader(status)
}

func (w *pacedWriter) Write(b []byte) (n int, err error) {
	for {
		w.next = max(w.next, piece)
		begun := time.Now()
		_ = w.control.SetWriteDeadline(begun.Add(w.pace.stall))
		m, err := w.ResponseWriter.Write(b[:min(len(b), w.next)])
		n, b = n+m, b[m:]
		if time.Since(begun) < quick {
			w.next = min(2*w.next, widest)
		} else {
			w.next = piece
		}
		if err != nil || len(b) == 0 {
			return n, err
		}
	}
}

// pacedBody is a request body that must keep coming.
type pacedBody struct {
	io.ReadCloser
	pace    pace
	control *http.ResponseController
	begun   time.Time
	read    int64
	asked   bool  // somebody has begun to read, so a client that waits for the go-ahead has it
	err     error // how the body ended: io.EOF if it came whole
}

func (b *pacedBody) Read(p []byte) (int, error) {
	_ = b.control.SetReadDeadline(b.deadline(time.Now()))
	b.asked = true
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = errSlowBody
	case errors.Is(err, io.EOF):
		// From now on the server watches the connection for its end; a deadline would look like one.
		_ = b.control.SetReadDeadline(time.Time{})
	}
	if err != nil {
		b.err = err
	}
	return n, err
}

// deadline is when the next byte must have come.
func (b *pacedBody) deadline(now time.Time) time.Time {
	early := b.begun.Add(b.pace.grace)
	earned := b.begun.Add(time.Duration(b.read/b.pace.rate) * time.Second)
	if stalled := now.Add(b.pace.stall); earned.After(stalled) {
		earned = stalled
	}
	if earned.After(early) {
		return earned
	}
	return early
}

// settled is how much unread body the server itself takes in after an answer, without closing.
const settled = 256 << 10

// finish reads what a body still holds after the answer was given, so that a client that sends all
// before it reads sees the answer and no reset. The answer goes out first, for clients that would stop.
func (b *pacedBody) finish(r *http.Request) {
	if b.err != nil {
		return
	}
	// The server reads on by itself before it closes, and would wait for ever.
	_ = b.control.SetReadDeadline(time.Now().Add(b.pace.drain))
	waits := r.Header.Get("Expect") != "" && !b.asked
	if waits || r.ContentLength-b.read > b.pace.unread {
		return
	}
	if b.ends(settled) || b.control.EnableFullDuplex() != nil || b.control.Flush() != nil {
		return
	}
	b.ends(b.pace.unread)
}

// ends reads up to n bytes and reports whether the body ended there, well or not.
func (b *pacedBody) ends(n int64) bool {
	_, err := io.CopyN(io.Discard, b.ReadCloser, n)
	return err != nil
}
