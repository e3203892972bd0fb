package main

import (
	"archive/tar"
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// tarOf makes an archive of headers; a file's content is its own name.
func tarOf(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(h.Name))
		}
		h.Mode = 0o777
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.WriteString(w, h.Name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func regular(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg} }

// unpackTo unpacks into the directory "in" of a new one, and returns all files with their content by
// their names from there.
func unpackTo(t *testing.T, archive []byte) (map[string]string, error) {
	t.Helper()
	outside := t.TempDir()
	if err := os.Mkdir(filepath.Join(outside, "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(filepath.Join(outside, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	unpacked := unpack(bytes.NewReader(archive), root)
	files := map[string]string{}
	err = fs.WalkDir(os.DirFS(outside), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(outside, name))
		files[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, unpacked
}

func TestUnpack(t *testing.T) {
	archive := tarOf(t, regular("000001.log"), tar.Header{Name: "sub/", Typeflag: tar.TypeDir}, regular("sub/b"), regular("deep/er/c"))
	files, err := unpackTo(t, archive)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 3 || files["in/000001.log"] != "000001.log" || files["in/sub/b"] != "sub/b" || files["in/deep/er/c"] != "deep/er/c" {
		t.Errorf("got %q", files)
	}
}

// An archive that ends anywhere but at its end mark is not taken for a whole one.
func TestUnpackSeesWhatIsCutOff(t *testing.T) {
	archive := tarOf(t, regular("a"), regular("b"))
	for n := 0; n < len(archive)-endOfArchive/2; n += 256 {
		if _, err := unpackTo(t, archive[:n]); err == nil {
			t.Errorf("%d of %d bytes were taken for a whole archive", n, len(archive))
		}
	}
}

func TestUnpackStaysInside(t *testing.T) {
	link := func(kind byte, to string) tar.Header {
		return tar.Header{Name: "link", Linkname: to, Typeflag: kind}
	}
	for name, archive := range map[string][]byte{
		"parent":       tarOf(t, regular("../evil")),
		"deep parent":  tarOf(t, regular("a/../../evil")),
		"absolute":     tarOf(t, regular("/evil")),
		"parent dir":   tarOf(t, tar.Header{Name: "../evil/", Typeflag: tar.TypeDir}),
		"symlink":      tarOf(t, link(tar.TypeSymlink, ".."), regular("link/evil")),
		"hard link":    tarOf(t, link(tar.TypeLink, "../evil")),
		"device":       tarOf(t, link(tar.TypeChar, "")),
		"same twice":   tarOf(t, regular("a"), regular("a")),
		"itself":       tarOf(t, regular(".")),
		"file as root": tarOf(t, regular("a"), regular("a/evil")),
	} {
		files, err := unpackTo(t, archive)
		if err == nil {
			t.Errorf("%s: no error, files %q", name, files)
		}
		for file := range files {
			if !strings.HasPrefix(file, "in/") || strings.Contains(file, "evil") {
				t.Errorf("%s: made %s", name, file)
			}
		}
	}
}

// Whatever goes wrong, the directory is afterwards as it was before.
func TestFailedBackupLeavesNothing(t *testing.T) {
	whole := tarOf(t, regular("a"), regular("sub/b"))
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   []string
	}{
		"admin API is off": {http.NotFound, []string{"answered 404 Not Found"}},
		"forbidden":        {refuse(http.StatusForbidden), []string{"answered 403 Forbidden: no"}},
		"users":            {refuse(http.StatusUnauthorized), []string{"answered 401 Unauthorized: no"}},
		"failed there":     {refuse(http.StatusInternalServerError), []string{"answered 500 Internal Server Error: no"}},
		"cut off":          {cutOff(whole), []string{"receive the backup: unexpected EOF"}},
		"ends early":       {reply(whole[:1024]), []string{"receive the backup: it ends before its last file does"}},
		"no store in it":   {reply(whole), []string{"check the backup: "}},
	} {
		server := httptest.NewServer(c.answer)
		to := &connection{url: server.URL, timeout: time.Minute}
		made, there := filepath.Join(t.TempDir(), "made"), t.TempDir()
		for _, directory := range []string{made, there} {
			err := fetchStore(t.Context(), to, directory)
			if err == nil || slices.ContainsFunc(c.want, func(w string) bool { return !strings.Contains(err.Error(), w) }) {
				t.Errorf("%s: error %v, want %q", name, err, c.want)
			}
		}
		server.Close()
		if _, err := os.Stat(made); !os.IsNotExist(err) {
			t.Errorf("%s: the new directory is still there: %v", name, err)
		}
		if left, err := os.ReadDir(there); err != nil || len(left) > 0 {
			t.Errorf("%s: in the old directory are %v, %v", name, left, err)
		}
	}
}

func refuse(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", status) }
}

func reply(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/api/v1/admin/backup" {
			http.Error(w, r.Method+" "+r.URL.Path, http.StatusBadRequest)
			return
		}
		_, _ = w.Write(body) // a failure shows at the client
	}
}

// cutOff breaks the connection where the end mark should come.
func cutOff(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(body[:len(body)-endOfArchive]) // a failure shows at the client
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}
