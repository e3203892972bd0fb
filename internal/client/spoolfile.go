package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
)

// spoolVersion begins a spooled push's first line; its checksum follows, then JSON.
const spoolVersion = "holdfast-spool 1 "

var errDamaged = errors.New("it cannot be read as a push")

func spoolSum(content string) string {
	return fmt.Sprintf("%08x", crc32.Checksum([]byte(content), crc32.MakeTable(crc32.Castagnoli)))
}

// spooled renders p as a file.
func (p *Push) spooled() ([]byte, error) {
	content, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("write the push for the spool: %w", err)
	}
	return []byte(spoolVersion + spoolSum(string(content)) + "\n" + string(content)), nil
}

// readSpooled reads a file that spooled rendered.
func readSpooled(name string) (*Push, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the spool: %w", err)
	}
	head, content, _ := strings.Cut(string(text), "\n")
	if head != spoolVersion+spoolSum(content) {
		return nil, fmt.Errorf("%w: version or checksum is wrong", errDamaged)
	}
	p := &Push{}
	if err := json.Unmarshal([]byte(content), p); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return p, nil
}

// writeDurably makes the file whole under its name, or not at all, and so that it survives a power cut.
func writeDurably(name string, content []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(name), "new-*")
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
