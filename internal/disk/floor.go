package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A log of Pebble does not tell where it ends: damage in its last part looks like a write that was cut
// off, and Pebble drops what follows. So for each log the file floorsName holds a floor: a number of
// bytes from its start that an fsync has covered. It is written, though not fsynced, after each fsync of
// the log and before the commits are answered. Damage below a floor is damage; above it, the tail is torn.
// After a power cut the floors may be older than the logs, never newer.
//
// The file is a table of slots:
//
//	log number, floor (8 bytes each, little endian) · CRC-32C of both (4) · nothing (4)
//
// Write-ahead logs and manifests have slots of their own, so that many of the one kind never push out the
// other. A new log takes the slot with the lowest number: the live ones have the highest.
const (
	floorsName = "FLOORS"
	slotSize   = 24
	slotsEach  = 64
)

// logKind tells the two kinds of log.
type logKind int

const (
	writeAheadLog logKind = iota
	manifestLog
	logKinds
)

// parseLog takes the name of a log apart.
func parseLog(name string) (kind logKind, number uint64, ok bool) {
	digits, isLog := strings.CutSuffix(name, ".log")
	if !isLog {
		kind = manifestLog
		if digits, isLog = strings.CutPrefix(name, "MANIFEST-"); !isLog {
			return 0, 0, false
		}
	}
	number, err := strconv.ParseUint(digits, 10, 64)
	return kind, number, err == nil
}

// floors is the table of them.
type floors struct {
	mu    sync.Mutex
	file  vfs.File
	slots [logKinds][slotsEach]floor
}

// floor is one slot.
type floor struct {
	table  *floors
	offset int64 // in the file
	number uint64
	bytes  int64
}

// newFloors makes a table without a file, of no log.
func newFloors() *floors {
	t := &floors{}
	for kind := range t.slots {
		for i := range t.slots[kind] {
			t.slots[kind][i] = floor{table: t, offset: int64(kind*slotsEach+i) * slotSize}
		}
	}
	return t
}

// snapshot returns the floors of this moment, to be read only.
func (t *floors) snapshot() *floors {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &floors{slots: t.slots}
}

// readFloors reads the table of a directory. A slot that is missing or damaged means no floor.
func readFloors(fs vfs.FS, dir string) (*floors, error) {
	t := newFloors()
	file, err := fs.Open(fs.PathJoin(dir, floorsName))
	if errors.Is(err, os.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open floors: %w", err)
	}
	defer file.Close()
	stored, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("read floors: %w", err)
	}
	for kind := range t.slots {
		for i := range t.slots[kind] {
			t.slots[kind][i].parse(stored)
		}
	}
	return t, nil
}

func (f *floor) parse(table []byte) {
	if int64(len(table)) < f.offset+slotSize {
		return
	}
	slot := table[f.offset : f.offset+slotSize]
	if crc32.Checksum(slot[:16], castagnoli()) != binary.LittleEndian.Uint32(slot[16:]) {
		return
	}
	f.number = binary.LittleEndian.Uint64(slot)
	f.bytes = int64(binary.LittleEndian.Uint64(slot[8:]))
}

// open makes the table ready to be written, and durable as it is.
func (t *floors) open(fs vfs.FS, dir string) error {
	file, err := fs.OpenReadWrite(fs.PathJoin(dir, floorsName), vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("open floors: %w", err)
	}
	t.file = file
	for kind := range t.slots {
		for i := range t.slots[kind] {
			if err := t.slots[kind][i].write(); err != nil {
				return err
			}
		}
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("fsync floors: %w", err)
	}
	return nil
}

// slot takes a slot for a log that is new.
func (t *floors) slot(kind logKind, number uint64) *floor {
	t.mu.Lock()
	defer t.mu.Unlock()
	lowest := &t.slots[kind][0]
	for i := range t.slots[kind] {
		if f := &t.slots[kind][i]; f.number == number {
			lowest = f
			break
		} else if f.number < lowest.number {
			lowest = f
		}
	}
	lowest.number, lowest.bytes = number, 0
	return lowest
}

// of returns the floor of a log, in bytes; 0 where none is known.
func (t *floors) of(kind logKind, number uint64) int64 {
	for i := range t.slots[kind] {
		if t.slots[kind][i].number == number {
			return t.slots[kind][i].bytes
		}
	}
	return 0
}

// highest returns the highest number of a log with a floor; 0 where there is none.
func (t *floors) highest(kind logKind) uint64 {
	var highest uint64
	for i := range t.slots[kind] {
		if f := &t.slots[kind][i]; f.bytes > 0 {
			highest = max(highest, f.number)
		}
	}
	return highest
}

// raise notes that so many bytes of the log are on disk.
func (f *floor) raise(bytes int64) error {
	f.table.mu.Lock()
	defer f.table.mu.Unlock()
	f.bytes = bytes
	return f.write()
}

func (f *floor) write() error {
	if f.table.file == nil {
		return nil
	}
	slot := make([]byte, slotSize)
	binary.LittleEndian.PutUint64(slot, f.number)
	binary.LittleEndian.PutUint64(slot[8:], uint64(f.bytes))
	binary.LittleEndian.PutUint32(slot[16:], crc32.Checksum(slot[:16], castagnoli()))
	if _, err := f.table.file.WriteAt(slot, f.offset); err != nil {
		return fmt.Errorf("write floor: %w", err)
	}
	return nil
}

// close makes the table durable and closes it.
func (t *floors) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		return nil
	}
	file := t.file
	t.file = nil
	if err := file.Sync(); err != nil {
		_ = file.Close()
		return fmt.Errorf("fsync floors: %w", err)
	}
	return file.Close()
}

// castagnoli returns the table of CRC-32C; the package that makes it keeps only one.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }
