package web

import (
	"embed"
	"io/fs"
	"net/http"
	"path"
	"time"

	"github.com/prometheus/common/route"
)

//go:embed ui
var ui embed.FS

// serveStatic serves the files of the page. They count as changed when the gateway was started.
func serveStatic(started time.Time) http.HandlerFunc {
	files := http.FileServerFS(assets{started})
	// Types are not left to the machine's own list.
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "application/javascript", ".ico": "image/x-icon"}
	return func(w http.ResponseWriter, r *http.Request) {
		name := route.Param(r.Context(), "file")
		if kind, ok := kinds[path.Ext(name)]; ok {
			w.Header().Set("Content-Type", kind)
		}
		bare := r.Clone(r.Context())
		bare.URL.Path = name
		files.ServeHTTP(w, bare)
	}
}

// assets are the embedded files of static, without directories and with a time.
type assets struct{ started time.Time }

// Open opens a file; a directory is not there.
func (a assets) Open(name string) (fs.File, error) {
	f, err := ui.Open(path.Join("ui/static", name))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fs.ErrNotExist
	}
	if err != nil {
		_ = f.Close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return asset{f, a.started}, nil
}

type asset struct {
	fs.File
	started time.Time
}

// Stat adds the time, which embedded files lack.
func (a asset) Stat() (fs.FileInfo, error) {
	info, err := a.File.Stat()
	return assetInfo{info, a.started}, err
}

// Seek makes ranges possible.
func (a asset) Seek(offset int64, whence int) (int64, error) {
	return a.File.(interface {
		Seek(int64, int) (int64, error)
	}).Seek(offset, whence)
}

type assetInfo struct {
	fs.FileInfo
	started time.Time
}

// ModTime is when the gateway was started.
func (i assetInfo) ModTime() time.Time { return i.started }
