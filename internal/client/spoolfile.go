package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// spoolVersion begins a file's first line; its checksum follows, then JSON.
const spoolVersion = "holdfast-spool 1 "

var errDamaged = errors.New("it cannot be read as a push")

func spoolSum(content string) string {
	return fmt.Sprintf("%08x", crc32.Checksum([]byte(content), crc32.MakeTable(crc32.Castagnoli)))
}

// spoolFile renders a value as a file.
func spoolFile(value any) ([]byte, error) {
	content, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("write to the spool: %w", err)
	}
	return []byte(spoolVersion + spoolSum(string(content)) + "\n" + string(content)), nil
}

// readSpoolFile reads a file that spoolFile rendered. Errors are errDamaged and those of the disk.
func readSpoolFile(name string, value any) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read the spool: %w", err)
	}
	head, content, _ := strings.Cut(string(text), "\n")
	if head != spoolVersion+spoolSum(content) {
		return fmt.Errorf("%w: version or checksum is wrong", errDamaged)
	}
	if err := json.Unmarshal([]byte(content), value); err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return nil
}

// unfinishedPrefix begins the names of files that are being written.
const unfinishedPrefix = "new-"

// sweep removes files that were being written when somebody was killed. Nobody was told that they are
// kept.
func (s *Spool) sweep() {
	const surely = time.Hour // nobody writes for so long
	for _, dir := range []string{s.dir, s.refusedDir()} {
		files, err := os.ReadDir(dir)
		if err != nil {
			return
		}
		for _, f := range files {
			if info, err := f.Info(); err == nil && strings.HasPrefix(f.Name(), unfinishedPrefix) && time.Since(info.ModTime()) > surely {
				_ = os.Remove(filepath.Join(dir, f.Name())) // or another time
			}
		}
	}
}

// writeDurably makes the file whole under its name, or not at all, and so that it survives a power cut.
func writeDurably(name string, content []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(name), unfinishedPrefix+"*")
	if err != nil {
		return fmt.Errorf("write to the spool: %w", err)
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return fmt.Errorf("write to the spool: %w", err)
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return fmt.Errorf("write to the spool: %w", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("write to the spool: %w", err)
	}
	return nil
}
