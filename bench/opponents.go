package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// isOpponent reports whether a first argument asks for one of the limits that gateways are measured
// against.
func isOpponent(name string) bool {
	return slices.Contains([]string{"null", "append", "bytes"}, name)
}

// opponent serves until ctx ends or standard input does: null only reads bodies, append DIR also keeps
// them in a file, and bytes FILE sends a page and reads bodies. It prints its address as its first line.
func opponent(ctx context.Context, args []string) error {
	name, rest := args[0], args[1:]
	if name != "null" && len(rest) != 1 {
		return fmt.Errorf("%s needs one path", name)
	}
	var answer http.Handler = http.HandlerFunc(takeBody)
	switch name {
	case "append":
		j, err := openJournal(filepath.Join(rest[0], "journal"))
		if err != nil {
			return err
		}
		defer j.close()
		answer = http.HandlerFunc(j.takeBody)
	case "bytes":
		page, err := loadPage(rest[0])
		if err != nil {
			return err
		}
		answer = page
	}
	return serveOpponent(ctx, answer)
}

func serveOpponent(ctx context.Context, answer http.Handler) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &http.Server{Handler: answer, ReadHeaderTimeout: longest}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		// The end of standard input is the end of who started this, however that came about.
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	go func() {
		<-ctx.Done()
		_ = s.Close() // what is under way is of no worth any more
	}()
	fmt.Println(listener.Addr())
	if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// takeBody is the least a server can do with a push.
func takeBody(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// sentPage is a page served from memory, in pieces, so that it goes out as chunks.
type sentPage struct{ plain, compressed []byte }

// pagePiece is the size of a chunk: large, so that the opponent is a strong one.
const pagePiece = 64 << 10

func loadPage(path string) (*sentPage, error) {
	plain, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	compressed, err := compressWhole(plain)
	return &sentPage{plain, compressed}, err
}

func (p *sentPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		takeBody(w, r)
		return
	}
	body := p.plain
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		body = p.compressed
	}
	for piece := range slices.Chunk(body, pagePiece) {
		if _, err := w.Write(piece); err != nil {
			return // the client has left
		}
	}
}

// gzipLevel is the one Holdfast serves, so that full compressions are of equal strength.
const gzipLevel = 6

func compressWhole(plain []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzipLevel)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(plain); err != nil {
		return nil, err
	}
	err = z.Close()
	return out.Bytes(), err
}
