package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"holdfast"
)

// A revision is an epoch and a count within it. Each opening begins an epoch with its first commit, and
// commits carry the epoch until one of them is on disk. So a revision is never given twice, whatever was
// deleted since, and no commit has to write a counter.
const (
	revisionSize = 8 // bytes in front of each value, big endian
	epochShift   = 40
)

// The key space of Pebble: one key tells the layout and the last epoch, and each record stands under
// recordSpace and its own key.
const (
	layoutKey     = 'm'
	recordSpace   = 'r'
	layoutVersion = 1
)

func epochOf(r holdfast.Revision) uint64 { return uint64(r) >> epochShift }

// recordKey returns where Pebble keeps the record of a key.
func recordKey(key string) []byte {
	return append(append(make([]byte, 0, len(key)+1), recordSpace), key...)
}

func putRevision(value []byte, r holdfast.Revision) { binary.BigEndian.PutUint64(value, uint64(r)) }

// splitValue takes a stored value apart; both parts alias it.
func splitValue(stored []byte) (holdfast.Revision, []byte, error) {
	if len(stored) < revisionSize {
		return 0, nil, fmt.Errorf("stored value of %d bytes is too short", len(stored))
	}
	return holdfast.Revision(binary.BigEndian.Uint64(stored)), stored[revisionSize:], nil
}

func layout(epoch uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{layoutVersion}, epoch)
}

// revisions hands out revisions and knows those of records that are guarded.
type revisions struct {
	last holdfast.Revision
	kept atomic.Uint64 // the highest epoch that is surely on disk

	// at holds the revisions of guarded records by the hash of their keys, which is much smaller than
	// the keys. A guard that it contradicts, as two keys of one hash would, is looked up.
	at   map[uint64]holdfast.Revision
	seed maphash.Seed

	// unsettled are the hashes of keys that the batch under way changes; wiped says that it wipes. Until
	// it is written, Pebble does not know about them.
	unsettled map[uint64]struct{}
	wiped     bool
}

// errUnsettled is of a guard on a key that the batch under way has changed.
var errUnsettled = errors.New("the guarded record is being written")

// load reads the last epoch.
func (r *revisions) load(db *pebble.DB) error {
	r.at, r.unsettled, r.seed = map[uint64]holdfast.Revision{}, map[uint64]struct{}{}, maphash.MakeSeed()
	stored, done, err := db.Get([]byte{layoutKey})
	switch {
	case errors.Is(err, pebble.ErrNotFound):
	case err != nil:
		return fmt.Errorf("read layout: %w", err)
	case len(stored) != 1+8:
		return fmt.Errorf("layout has %d bytes", len(stored))
	case stored[0] != layoutVersion:
		return fmt.Errorf("%w: it has layout %d, this build reads layout %d", errNewer, stored[0], layoutVersion)
	default:
		r.kept.Store(binary.BigEndian.Uint64(stored[1:]))
	}
	if done != nil {
		err = done.Close()
	}
	r.last = holdfast.Revision((r.kept.Load() + 1) << epochShift)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	return err
}

func (r *revisions) next() holdfast.Revision {
	r.last++
	return r.last
}

// keep notes that an epoch is on disk.
func (r *revisions) keep(epoch uint64) {
	for {
		kept := r.kept.Load()
		if epoch <= kept || r.kept.CompareAndSwap(kept, epoch) {
			return
		}
	}
}

// holds reports whether the guarded record is at its revision. Its error is errUnsettled where that can be
// told only once the batch under way is written.
func (r *revisions) holds(stored *lookup, g holdfast.Guard) (bool, error) {
	hash := maphash.String(r.seed, g.Key)
	if at, known := r.at[hash]; known && at == g.At {
		return true, nil
	}
	if _, changed := r.unsettled[hash]; changed || r.wiped {
		return false, errUnsettled
	}
	at, err := stored.revision(recordKey(g.Key))
	return at == g.At, err
}

// note follows a commit that was laid into the batch under way.
func (r *revisions) note(c holdfast.Commit, revision holdfast.Revision) {
	if c.Wipe {
		clear(r.at)
		r.wiped = true
	}
	for _, change := range c.Changes {
		hash := maphash.String(r.seed, change.Key)
		r.unsettled[hash] = struct{}{}
		_, known := r.at[hash]
		switch {
		case change.Value == nil:
			delete(r.at, hash)
		case known || guarded(c, change.Key):
			r.at[hash] = revision
		}
	}
}

// settle forgets the batch under way: it is written now, or never will be.
func (r *revisions) settle() {
	clear(r.unsettled)
	r.wiped = false
}

func guarded(c holdfast.Commit, key string) bool {
	for _, g := range c.Guards {
		if g.Key == key {
			return true
		}
	}
	return false
}
