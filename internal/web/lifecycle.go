package web

import (
	"io"
	"net/http"
	"net/http/pprof"
	"strings"
)

const profilePath = "/debug/pprof/"

func healthy(w http.ResponseWriter, _ *http.Request) error {
	_, err := io.WriteString(w, "OK")
	return ended(err)
}

// ready answers like healthy once everything stored is loaded, and as long as pushes can be kept.
func (s *site) ready(w http.ResponseWriter, r *http.Request) error {
	if err := s.Gateway.Accepting(); err != nil {
		return err
	}
	return healthy(w, r)
}

// backup streams a backup of the store. An error after its first byte ends the connection.
func (s *site) backup(w http.ResponseWriter, r *http.Request) error {
	if s.Backup == nil {
		return &failure{http.StatusNotImplemented, "this engine keeps nothing, so there is nothing to back up"}
	}
	w.Header().Set("Content-Type", "application/x-tar")
	sent := &counted{Writer: w}
	err := s.Backup(r.Context(), sent)
	if err == nil {
		return nil
	}
	s.Logger.Error("backup failed", "err", err)
	if sent.bytes == 0 {
		w.Header().Del("Content-Type")
		return &failure{http.StatusInternalServerError, "backup failed: " + err.Error()}
	}
	return ended(err)
}

// counted counts what goes through it.
type counted struct {
	io.Writer
	bytes int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	c.bytes += int64(n)
	return n, err
}

// ended turns a failed write into the end of the connection: the client is gone, and nothing more can be
// said to it.
func ended(err error) error {
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

func (s *site) quit(w http.ResponseWriter, _ *http.Request) error {
	if !s.Lifecycle {
		w.WriteHeader(http.StatusForbidden)
		_, err := io.WriteString(w, "Lifecycle API is not enabled.")
		return ended(err)
	}
	// The answer must be on its way before the shutdown begins to close connections.
	w.Header().Set("Connection", "close")
	_, err := io.WriteString(w, "Requesting termination... Goodbye!")
	if err == nil {
		err = http.NewResponseController(w).Flush()
	}
	if s.Quit != nil {
		s.Quit()
	}
	return ended(err)
}

func refuseQuit(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusMethodNotAllowed)
	_ = ended(writeString(w, "Only POST or PUT requests allowed."))
}

func writeString(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err
}

// serveProfile answers below /debug/pprof/ under any prefix.
func serveProfile(w http.ResponseWriter, r *http.Request) {
	_, name, _ := strings.Cut(r.URL.Path, profilePath)
	switch name {
	case "cmdline":
		pprof.Cmdline(w, r)
	case "profile":
		pprof.Profile(w, r)
	case "symbol":
		pprof.Symbol(w, r)
	case "trace":
		pprof.Trace(w, r)
	case "":
		// Index reads the name of a profile from a path that it expects without prefix.
		bare := r.Clone(r.Context())
		bare.URL.Path = profilePath
		pprof.Index(w, bare)
	default:
		pprof.Handler(name).ServeHTTP(w, r)
	}
}
