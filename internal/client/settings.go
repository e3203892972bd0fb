package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"
)

// Settings is the client's own file: what would otherwise be said on every command line.
type Settings struct {
	URL   string                  `yaml:"url"`
	Spool string                  `yaml:"spool"` // directory
	HTTP  config.HTTPClientConfig `yaml:"http"`  // in the form of Prometheus' own files
}

// SettingsFile returns where the file lies if nobody says: ~/.config/holdfast/client.yaml on Linux. It is
// "" where the system knows no such place, as for a job without a home.
func SettingsFile() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "holdfast", "client.yaml")
}

// ReadSettings reads the file name. One that is not there says nothing, unless required. Paths in it are
// seen from its directory.
func ReadSettings(name string, required bool) (Settings, error) {
	var s Settings
	text, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !required || name == "":
		return s, nil
	case err != nil:
		return s, fmt.Errorf("read the client's settings: %w", err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&s); err != nil && !errors.Is(err, io.EOF) {
		return Settings{}, fmt.Errorf("read the client's settings in %s: %w", name, err)
	}
	s.HTTP.SetDirectory(filepath.Dir(name))
	if s.Spool != "" && !filepath.IsAbs(s.Spool) {
		s.Spool = filepath.Join(filepath.Dir(name), s.Spool)
	}
	return s, nil
}
