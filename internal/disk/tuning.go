package disk

import (
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
)

const (
	// format is pinned, so that an older build of the same layout can read what a newer one wrote. From
	// this one on, chunks of a log say how far it was on disk, and a table's footer has a checksum.
	format = pebble.FormatTableFormatV6

	readMemory     = 8 << 20 // records are read at start; later only guards that are not in memory
	baseLevelBytes = 16 << 20
	tableBytes     = 4 << 20

	// flushPatience is how long Close waits for records to move from the log into tables.
	flushPatience = 30 * time.Second
)

// tuned returns how Pebble is run: small memory, and few overwritten records left on disk.
func tuned(e *Engine, l *listener) *pebble.Options {
	o := &pebble.Options{
		FS:                          e.fs,
		Logger:                      l,
		EventListener:               l.events(),
		FormatMajorVersion:          format,
		ReadOnly:                    e.reading,
		CacheSize:                   readMemory,
		MemTableSize:                uint64(e.space.memTable),
		MemTableStopWritesThreshold: 2,
		L0CompactionThreshold:       2,
		L0StopWritesThreshold:       10,
		LBaseMaxBytes:               baseLevelBytes,
		MaxOpenFiles:                512,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
	}
	o.TargetFileSizes[0] = tableBytes
	for i := range o.Levels {
		o.Levels[i].BlockSize = 16 << 10
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return o
}
