package web

import (
	"bytes"
	"log"
	"log/slog"
	"net/http"
	"time"
)

// Server makes an HTTP server for h that cuts clients which make no progress: a request's header must
// come within 30 s; New's handler watches over bodies and answers. An idle connection is kept for 10
// minutes, longer than most clients wait between pushes. Problems with connections are logged.
func Server(h http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       10 * time.Minute,
		ErrorLog:          log.New(connectionLog{logger}, "", 0),
	}
}

// connectionLog takes net/http's own lines. A failed TLS handshake is the client's business; anything
// else, a panic above all, is the operator's.
type connectionLog struct{ logger *slog.Logger }

func (c connectionLog) Write(line []byte) (int, error) {
	text := string(bytes.TrimSpace(line))
	if bytes.HasPrefix(line, []byte("http: TLS handshake error")) {
		c.logger.Debug("connection failed", "err", text)
	} else {
		c.logger.Error("connection failed", "err", text)
	}
	return len(line), nil
}
