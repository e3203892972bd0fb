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
	out := &scrapeWriter{reply: w, contentType: format.ContentType(), coding: liked(r.Header.Values("Accept-Encoding"))}
	o := holdfast.ScrapeOptions{Format: format, Coding: out.coding, Part: part, Cut: func() {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now())
	}}
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
	coding      holdfast.Coding
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
	switch w.coding {
	case holdfast.Gzip:
		w.reply.Header().Set("Content-Encoding", "gzip")
	case holdfast.Zstd:
		w.reply.Header().Set("Content-Encoding", "zstd")
	}
	w.reply.WriteHeader(http.StatusOK)
}

// liked reads Accept-Encoding as the reference does: a coding must be named, in lower case, and be liked
// more than nothing and no less than identity where that is named too. Zstd, which the reference does not
// offer, is only taken where it is liked more than gzip: whoever takes both alike gets what they always got.
func liked(accept []string) holdfast.Coding {
	var gzip, zstd, identity float64
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
			gzip = max(gzip, quality)
		case "zstd":
			zstd = max(zstd, quality)
		case "identity":
			identity = max(identity, quality)
		}
	}
	switch {
	case zstd > gzip && zstd >= identity:
		return holdfast.Zstd
	case gzip > 0 && gzip >= identity:
		return holdfast.Gzip
	}
	return holdfast.Identity
}

// serveOwn answers with the gateway's own metrics alone.
func (s *site) serveOwn() http.HandlerFunc {
	return promhttp.HandlerFor(s.Own, promhttp.HandlerOpts{}).ServeHTTP
}
