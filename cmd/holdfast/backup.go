package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"

	"github.com/alecthomas/kingpin/v2"

	"holdfast/internal/client"
)

// backupCommand fetches a copy of a running instance's store, and checks it.
func backupCommand() command {
	return command{name: "backup", help: "Copy the store of a running Holdfast into a directory. The copy is consistent, though pushes go on meanwhile, " +
		"and a Holdfast can be started on it with --storage.path. The running one must have been started with --web.enable-admin-api.", setup: func(app *kingpin.Application) func(context.Context) error {
		to := addConnection(app)
		directory := app.Arg("DIR", "Directory for the copy. It must not exist, or be empty.").Required().String()
		return func(ctx context.Context) error {
			if err := fetchStore(ctx, to, *directory); err != nil {
				return err
			}
			return printf("the backup is in %s\n", *directory)
		}
	}}
}

// fetchStore fills a directory with the copy of a store. Where that fails, the directory is left as it was.
func fetchStore(ctx context.Context, to *connection, directory string) error {
	root, created, err := openEmpty(directory)
	if err != nil {
		return err
	}
	err = func() error {
		tarball, err := requestBackup(ctx, to)
		if err != nil {
			return err
		}
		defer tarball.Close()
		if err := unpack(tarball, root); err != nil {
			return fmt.Errorf("receive the backup: %w", err)
		}
		if err := syncDirectories(root, directory); err != nil {
			return fmt.Errorf("write the backup to disk: %w", err)
		}
		if _, err := inspect(ctx, directory); err != nil {
			return fmt.Errorf("check the backup: %w", err)
		}
		return nil
	}()
	if err != nil {
		err = errors.Join(err, removeAll(root))
	}
	err = errors.Join(err, root.Close())
	if err != nil && created {
		err = errors.Join(err, os.Remove(directory))
	}
	return err
}

// openEmpty opens a directory that is empty, or makes it. Nothing outside can be reached through root.
func openEmpty(directory string) (root *os.Root, created bool, err error) {
	switch err := os.Mkdir(directory, 0o700); {
	case err == nil:
		created = true
	case !errors.Is(err, fs.ErrExist):
		return nil, false, fmt.Errorf("make the directory for the backup: %w", err)
	}
	existing, err := os.ReadDir(directory)
	if err != nil {
		return nil, created, fmt.Errorf("look into the directory for the backup: %w", err)
	}
	if len(existing) > 0 {
		return nil, false, fmt.Errorf("%s is not empty, it holds %s; name a directory that does not exist yet", directory, existing[0].Name())
	}
	if root, err = os.OpenRoot(directory); err != nil {
		return nil, created, fmt.Errorf("open the directory for the backup: %w", err)
	}
	return root, created, nil
}

// requestBackup returns the archive as it comes. A gateway that is silent for --push-timeout is given up.
func requestBackup(ctx context.Context, to *connection) (io.ReadCloser, error) {
	gateway, err := to.open()
	if err != nil {
		return nil, err
	}
	archive, err := gateway.Stream(ctx, http.MethodPost, "/api/v1/admin/backup", to.timeout)
	var refused *client.Refused
	var lost *client.Undelivered
	switch {
	case errors.As(err, &lost):
		return nil, withHint(err, lostHint(lost))
	case errors.As(err, &refused):
		if hint := backupHint(refused.Status); hint != "" {
			return nil, withHint(err, hint)
		}
	}
	return archive, err
}

func backupHint(status int) string {
	switch status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed:
		return "start that instance with --web.enable-admin-api, and give its route prefix as part of --url"
	}
	return ""
}

// endOfArchive is the size of the mark at the end of a tar archive. Without it, the archive was cut off.
const endOfArchive = 1024

// unpack writes the files of a tar archive below root and syncs each. Whatever names the archive has,
// nothing outside root is touched: links are refused, and so is a file that is there already.
func unpack(from io.Reader, root *os.Root) error {
	counted := &counter{Reader: from}
	archive := tar.NewReader(counted)
	for {
		before := counted.bytes
		header, err := archive.Next()
		if errors.Is(err, io.EOF) && counted.bytes-before < endOfArchive {
			return errors.New("it ends before its last file does")
		}
		if errors.Is(err, io.EOF) {
			_, err := io.Copy(io.Discard, counted) // so that a connection that breaks off is seen
			return err
		}
		if err != nil {
			return err
		}
		if err := unpackOne(header, archive, root); err != nil {
			return err
		}
	}
}

func unpackOne(header *tar.Header, content io.Reader, root *os.Root) error {
	name := path.Clean(header.Name)
	switch header.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(name, 0o700)
	case tar.TypeReg:
	default:
		return fmt.Errorf("%q is neither a file nor a directory", header.Name)
	}
	if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return err
	}
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

type counter struct {
	io.Reader
	bytes int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.bytes += int64(n)
	return n, err
}

// syncDirectories makes the names of all files durable, that of the directory itself included.
func syncDirectories(root *os.Root, directory string) error {
	err := fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		opened, err := root.Open(name)
		if err != nil {
			return err
		}
		return errors.Join(opened.Sync(), opened.Close())
	})
	if err != nil {
		return err
	}
	return syncParent(directory)
}

// syncParent makes the name of a file or a directory durable.
func syncParent(of string) error {
	absolute, err := filepath.Abs(of)
	if err != nil {
		return err
	}
	parent, err := os.Open(filepath.Dir(absolute))
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}

// removeAll removes everything below root.
func removeAll(root *os.Root) error {
	left, err := fs.ReadDir(root.FS(), ".")
	for _, one := range left {
		err = errors.Join(err, root.RemoveAll(one.Name()))
	}
	return err
}
