package disk

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

var (
	// errDamaged is of a directory whose files are not what was written.
	errDamaged = errors.New("damaged")
	// errNewer is of a directory that a newer program wrote.
	errNewer = errors.New("written by a newer version")
)

// torn tells of a tail that was being written when the program or the machine stopped.
type torn struct {
	path  string
	bytes int64 // that are kept
}

// intact finds the damage that Pebble would take for the end of a log, or for a directory that is new. It
// only reads. Its errors name the file.
func intact(fs vfs.FS, dir string, floors *floors) ([]torn, error) {
	names, err := fs.List(dir)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	slices.Sort(names)
	if err := whole(fs, dir, names, floors); err != nil {
		return nil, err
	}
	var tails []torn
	for _, name := range names {
		kind, number, isLog := parseLog(name)
		if !isLog {
			continue
		}
		path := fs.PathJoin(dir, name)
		found, err := inspect(fs, path, kind, number)
		if err != nil {
			return nil, err
		}
		if floor := max(found.floor, floors.of(kind, number)); found.end < floor {
			return nil, fmt.Errorf("%w file %s: it is whole up to byte %d, but was on disk up to byte %d", errDamaged, path, found.end, floor)
		}
		if found.torn {
			tails = append(tails, torn{path, found.end})
		}
	}
	return tails, nil
}

// whole reports files that are missing.
func whole(fs vfs.FS, dir string, names []string, floors *floors) error {
	is, err := pebble.Peek(dir, fs)
	if err != nil {
		if strings.Contains(err.Error(), "unknown format major version") {
			return fmt.Errorf("%w: %w", errNewer, err)
		}
		return fmt.Errorf("read markers of %s: %w", dir, err)
	}
	var newest uint64
	for _, name := range names {
		if kind, number, isLog := parseLog(name); isLog && kind == writeAheadLog {
			newest = max(newest, number)
		}
		if !is.Exists && (strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, ".log")) {
			return fmt.Errorf("%w directory %s: it holds %s, but the marker that names its manifest is missing", errDamaged, dir, name)
		}
	}
	if last := floors.highest(writeAheadLog); newest < last {
		return fmt.Errorf("%w directory %s: the log %06d.log is missing", errDamaged, dir, last)
	}
	return nil
}

// readableOptions checks the file of options that Pebble will read, as it will, but names it.
func readableOptions(fs vfs.FS, dir string, tuning *pebble.Options) error {
	is, err := pebble.Peek(dir, fs)
	if err != nil || is.OptionsFilename == "" {
		return err
	}
	file, err := fs.Open(is.OptionsFilename)
	if err != nil {
		return fmt.Errorf("open options: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		return fmt.Errorf("read %s: %w", is.OptionsFilename, err)
	}
	if err := tuning.CheckCompatibility(dir, string(text)); err != nil {
		return fmt.Errorf("%w file %s: %w", errDamaged, is.OptionsFilename, err)
	}
	return nil
}

func inspect(fs vfs.FS, path string, kind logKind, number uint64) (chain, error) {
	log, err := fs.Open(path, vfs.SequentialReadsOption)
	if err != nil {
		return chain{}, fmt.Errorf("open log: %w", err)
	}
	defer log.Close()
	found, err := readChain(log, kind, number)
	if err != nil {
		return found, fmt.Errorf("read %s: %w", path, err)
	}
	return found, nil
}

// sizeOfLogs returns the bytes of all write-ahead logs.
func sizeOfLogs(fs vfs.FS, dir string) (int64, error) {
	names, err := fs.List(dir)
	if err != nil {
		return 0, fmt.Errorf("list directory: %w", err)
	}
	var size int64
	for _, name := range names {
		if kind, _, isLog := parseLog(name); isLog && kind == writeAheadLog {
			is, err := fs.Stat(fs.PathJoin(dir, name))
			if err != nil {
				return 0, fmt.Errorf("look at log: %w", err)
			}
			size += is.Size()
		}
	}
	return size, nil
}
