package disk

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"holdfast"
)

// lookup reads the revisions of stored records. Many are read with one iterator: for keys in order it
// reads each block of the index and of the records once, while a Get by itself begins at the top.
type lookup struct {
	db   *pebble.DB
	many bool
	iter *pebble.Iterator
}

// revision returns the revision of the record under a key of Pebble, 0 where there is none.
func (l *lookup) revision(key []byte) (holdfast.Revision, error) {
	if l.many {
		return l.seek(key)
	}
	stored, done, err := l.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	at, _, err := splitValue(stored)
	return at, errors.Join(err, done.Close())
}

func (l *lookup) seek(key []byte) (holdfast.Revision, error) {
	if l.iter == nil {
		var err error
		if l.iter, err = l.db.NewIter(nil); err != nil {
			return 0, err
		}
	}
	// The limit keeps it from going on over what was deleted behind the key, but does not bind it.
	if l.iter.SeekGEWithLimit(key, append(key, 0)) != pebble.IterValid || !bytes.Equal(l.iter.Key(), key) {
		return 0, l.iter.Error()
	}
	stored, err := l.iter.ValueAndErr()
	if err != nil {
		return 0, err
	}
	at, _, err := splitValue(stored)
	return at, err
}

func (l *lookup) close() {
	if l.iter != nil {
		_ = l.iter.Close() // what it failed with was returned by seek
	}
}
