package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"holdfast"
	"holdfast/internal/disk"
	"holdfast/internal/exposition"
	"holdfast/internal/pgwfile"
)

const (
	engineDisk   = "disk"
	engineMemory = "memory"

	onCorruptionFail     = "fail"
	onCorruptionSetAside = "set-aside"
)

// openEngine opens what keeps the groups, and imports the reference's persistence file into it where
// one is named for the first time.
func openEngine(f *flags, logger *slog.Logger, registry prometheus.Registerer) (holdfast.Engine, error) {
	if f.storageEngine == engineMemory {
		logger.Warn("groups are kept in memory only, a restart loses them", "engine", engineMemory)
		return holdfast.NewMemory(), nil
	}
	engine, err := disk.Open(disk.Options{
		Path: f.storageDirectory(), SetAside: f.onCorruption == onCorruptionSetAside, Logger: logger, Registry: registry,
	})
	if err != nil {
		return nil, err
	}
	if f.persistenceFile == "" {
		return engine, nil
	}
	if f.persistenceIntervalSet {
		logger.Info("every push is on disk before it is answered, the persistence interval has no use")
	}
	if err := takeOver(engine, f.persistenceFile, f.storageDirectory(), logger); err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	return engine, nil
}

// backupOf returns what writes a backup of an engine; nil where nothing is kept.
func backupOf(e holdfast.Engine) func(context.Context, io.Writer) error {
	if kept, ok := e.(*disk.Engine); ok {
		return kept.Backup
	}
	return nil
}

// storageDirectory is where the disk engine lives: as told, else beside the persistence file, else in
// the working directory.
func (f *flags) storageDirectory() string {
	switch {
	case f.storagePath != "":
		return f.storagePath
	case f.persistenceFile != "":
		return f.persistenceFile + ".holdfast"
	}
	return "data"
}

// importMark is the name of the mark that remembers the persistence file as it was when it was imported.
const importMark = "persistence-file"

// takeOver imports a persistence file of the reference into an engine that never saw one, and leaves it
// as it is. A file that changed since then means that the reference ran again meanwhile: nobody but the
// operator can say which of both states is the right one.
func takeOver(engine holdfast.Engine, file, directory string, logger *slog.Logger) error {
	ctx := context.Background()
	content, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read --persistence.file %s: %w; correct the path or its permissions", file, err)
	}
	mark := holdfast.Mark("absent")
	if err == nil {
		mark = holdfast.Mark(fmt.Sprintf("%x", sha256.Sum256(content)))
	}
	known, found, err := holdfast.FindMark(ctx, engine, importMark)
	switch {
	case err != nil:
		return fmt.Errorf("look for an earlier import: %w", err)
	case found && (known == string(mark) || mark == "absent"):
		return nil
	case found:
		return fmt.Errorf("--persistence.file %s has changed since Holdfast imported it, so a Pushgateway has run on it meanwhile; "+
			"to go on with what Holdfast holds in %s, move %s away; to take the file's state instead, move %s away", file, directory, file, directory)
	}
	var groups []holdfast.Imported
	if mark != "absent" {
		if empty, err := holdfast.Empty(ctx, engine); err != nil || !empty {
			return errors.Join(err, fmt.Errorf("--persistence.file %s was never imported into %s, which holds groups already; "+
				"to go on with those, leave --persistence.file out or move the file away; to take the file's state instead, name another --storage.path", file, directory))
		}
		if groups, err = readPersistence(content); err != nil {
			return fmt.Errorf("import --persistence.file %s: %w; move the file away to start without it", file, err)
		}
	}
	refused, err := holdfast.Import(ctx, engine, groups, importMark, mark)
	for _, reason := range refused {
		logger.Warn("a group of the persistence file cannot be kept", "file", file, "err", reason)
	}
	if err == nil && mark != "absent" {
		logger.Info("imported the persistence file, which stays as it is", "file", file, "groups", len(groups)-len(refused))
	}
	return err
}

func readPersistence(content []byte) ([]holdfast.Imported, error) {
	stored, err := pgwfile.Read(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	groups := make([]holdfast.Imported, 0, len(stored))
	for _, from := range stored {
		var group holdfast.Imported
		for name, value := range from.Labels {
			group.Labels = append(group.Labels, exposition.Label{Name: name, Value: value})
		}
		for _, family := range from.Families {
			group.Families = append(group.Families, holdfast.ImportedFamily{
				Family: exposition.FromProto(family.MetricFamily), Pushed: family.Pushed,
			})
		}
		groups = append(groups, group)
	}
	return groups, nil
}
