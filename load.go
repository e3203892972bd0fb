package holdfast

import (
	"bytes"
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// loader turns an engine's records into groups on all cores, and installs them.
type loader struct {
	index   *index
	stored  storedGroup
	pending chan storedGroup
	workers sync.WaitGroup
	closed  sync.Once

	mu    sync.Mutex
	fault error // the first one
}

// storedGroup is the records of one group: its own, then those of its families.
type storedGroup struct {
	key     Key
	records []Record
}

// add takes the group's next record.
func (s *storedGroup) add(key Key, r Record) {
	r.Value = bytes.Clone(r.Value)
	s.key, s.records = key, append(s.records, r)
}

func newLoader(x *index) *loader {
	l := &loader{index: x, pending: make(chan storedGroup, 64)}
	for range min(runtime.GOMAXPROCS(0), runtime.NumCPU()) {
		l.workers.Go(func() {
			for stored := range l.pending {
				l.load(stored)
			}
		})
	}
	return l
}

// add takes the next record, in key order.
func (l *loader) add(r Record) error {
	if strings.HasPrefix(r.Key, repeatPrefix) {
		return l.addAcceptance(r)
	}
	if strings.HasPrefix(r.Key, markPrefix) {
		return nil
	}
	key, _, err := splitRecordKey(r.Key)
	if err != nil {
		return err
	}
	if key != l.stored.key && l.stored.records != nil {
		l.pending <- l.stored
		l.stored = storedGroup{}
	}
	l.stored.add(key, r)
	return l.err()
}

func (l *loader) addAcceptance(r Record) error {
	a, err := decodeAcceptance(r)
	if err != nil {
		return err
	}
	l.index.mu.Lock()
	defer l.index.mu.Unlock()
	l.index.repeats.add(a)
	return nil
}

// finish waits until everything that was added is installed.
func (l *loader) finish() error {
	if l.stored.records != nil {
		l.pending <- l.stored
		l.stored = storedGroup{}
	}
	l.close()
	l.index.mu.Lock()
	l.index.repeats.sort()
	l.index.mu.Unlock()
	return l.err()
}

func (l *loader) close() {
	l.closed.Do(func() { close(l.pending) })
	l.workers.Wait()
}

func (l *loader) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fault
}

func (l *loader) load(stored storedGroup) {
	group, err := stored.decode()
	if err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.fault = cmp.Or(l.fault, fmt.Errorf("stored group %s: %w", stored.key, err))
		return
	}
	l.index.restore(group)
}

// decode makes the group of its records. All families that the header names must be there, and no other.
func (s storedGroup) decode() (*Group, error) {
	_, name, err := splitRecordKey(s.records[0].Key)
	if err != nil || name != "" {
		return nil, fmt.Errorf("its own record is missing")
	}
	group, names, err := decodeGroup(s.key, s.records[0].Value)
	if err != nil {
		return nil, fmt.Errorf("record of the group: %w", err)
	}
	group.revision = s.records[0].Revision
	var found []string
	for _, r := range s.records[1:] {
		_, name, err := splitRecordKey(r.Key)
		if err != nil {
			return nil, err
		}
		m, err := decodeFamily(name, r.Value)
		if err != nil {
			return nil, fmt.Errorf("family %s: %w", name, err)
		}
		found = append(found, name)
		group.members = append(group.members, m)
	}
	if slices.Sort(names); !slices.Equal(names, found) {
		return nil, fmt.Errorf("its record names the families %q, stored are %q", names, found)
	}
	kept := group.layout
	group.finish().layout = kept
	return group, nil
}

// restore installs a group as it was stored. Should it clash with another one, it was accepted without a
// check, or by another version: it stays, and what clashes is masked.
func (x *index) restore(group *Group) {
	x.mu.Lock()
	defer x.mu.Unlock()
	shape := &keyShape{key: group.key}
	if v := x.check(shape, nil, group); v.refusal != nil {
		x.suspect(shape, group)
	}
	x.install(x.reserve(shape, nil, group))
}

// loaded returns how many groups there are.
func (x *index) loaded() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.groups)
}
