package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"holdfast"
	"holdfast/internal/exposition"
)

// scrape writes everything in the format and the compression that the client likes best.
func (s *site) scrape(w http.ResponseWriter, r *http.Request) error {
	begun := time.Now()
	part, err := s.part(r)
	if err != nil {
		return err
	}
	format := exposition.Negotiate(r.Header.Values("Accept"))
	out := &scrapeWriter{reply: w, contentType: format.ContentType(), compress: likesGzip(r.Header.Values("Accept-Encoding"))}
	o := holdfast.ScrapeOptions{Format: format, Part: part, Cut: func() {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now())
	}}
	if out.compress {
		o.Coding = holdfast.Gzip
	}
	err = s.Gateway.Scrape(r.Context(), out, o)
	if err != nil && !out.begun {
		return err
	}
	if err == nil {
		out.begin() // also where there is nothing to say
	} else {
		// A page that stops in the middle must not look like a whole one.
		panic(http.ErrAbortHandler)
	}
	s.meters.scrapes.Observe(time.Since(begun).Seconds())
	return nil
}

// scrapeWriter sends the header with the first bytes.
type scrapeWriter struct {
	reply       http.ResponseWriter
	contentType string
	compress    bool
	begun       bool
}

func (w *scrapeWriter) Write(p []byte) (int, error) {
	w.begin()
	return w.reply.Write(p)
}

func (w *scrapeWriter) begin() {
	if w.begun {
		return
	}
	w.begun = true
	w.reply.Header().Set("Content-Type", w.contentType)
	if w.compress {
		w.reply.Header().Set("Content-Encoding", "gzip")
	}
	w.reply.WriteHeader(http.StatusOK)
}

// likesGzip reads Accept-Encoding as the reference does: gzip must be named, in lower case, and be liked
// more than nothing and no less than identity where that is named too.
func likesGzip(accept []string) bool {
	best, identity := 0.0, 0.0
	for clause := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, parameter, _ := strings.Cut(clause, ";")
		quality := 1.0
		if text, ok := strings.CutPrefix(strings.TrimSpace(parameter), "q="); ok {
			var err error
			if quality, err = strconv.ParseFloat(strings.TrimSpace(text), 64); err != nil {
				continue
			}
		}
		switch strings.TrimSpace(name) {
		case "gzip":
			best = max(best, quality)
		case "identity":
			identity = max(identity, quality)
		}
	}
	return best > 0 && best >= identity
}

// serveOwn answers with the gateway's own metrics alone.
func (s *site) serveOwn() http.HandlerFunc {
	return promhttp.HandlerFor(s.Own, promhttp.HandlerOpts{}).ServeHTTP
}
