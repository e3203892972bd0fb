package holdfast

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"holdfast/internal/exposition"
)

// markPrefix begins the keys of records that belong to no group. No grouping key begins so, and these
// records come first.
const markPrefix = "\x00\xfe"

// Mark is a record that says something about the whole store, such as what was imported into it.
type Mark string

// AppendBinary implements encoding.BinaryAppender.
func (m Mark) AppendBinary(b []byte) ([]byte, error) {
	start := len(b)
	return sealRecord(append(beginRecord(b), m...), start), nil
}

// Stored yields the groups that an engine keeps, by key, without a gateway. The first damaged one ends
// it with an error.
func Stored(ctx context.Context, e Engine) iter.Seq2[*Group, error] {
	return func(yield func(*Group, error) bool) {
		var stored storedGroup
		for record, err := range e.Follow(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			if strings.HasPrefix(record.Key, markPrefix) {
				continue
			}
			key, _, err := splitRecordKey(record.Key)
			if err != nil && record.Key != "" {
				yield(nil, err)
				return
			}
			if stored.records != nil && (record.Key == "" || key != stored.key) {
				if group, err := stored.decode(); !yield(group, err) || err != nil {
					return
				}
				stored = storedGroup{}
			}
			if record.Key == "" {
				return
			}
			stored.add(key, record)
		}
	}
}

// FindMark returns the mark of a name; found is false where there is none.
func FindMark(ctx context.Context, e Engine, name string) (text string, found bool, err error) {
	for record, err := range e.Follow(ctx) {
		if err != nil {
			return "", false, err
		}
		if !strings.HasPrefix(record.Key, markPrefix) {
			break
		}
		if record.Key != markPrefix+name {
			continue
		}
		_, body, err := openRecord(record.Value)
		if err != nil {
			return "", false, fmt.Errorf("mark %s: %w", name, err)
		}
		return string(body), true, nil
	}
	return "", false, nil
}

// Inventory is what a store holds.
type Inventory struct {
	Groups, Families, Series int
	Bytes                    int64 // of encoded metrics
}

// Verify reads everything that an engine keeps and checks it as a start would.
func Verify(ctx context.Context, e Engine) (Inventory, error) {
	var total Inventory
	for group, err := range Stored(ctx, e) {
		if err != nil {
			return total, err
		}
		total.Groups++
		total.Families += len(group.members)
		total.Series += group.series
		total.Bytes += int64(group.size)
	}
	return total, nil
}

// Imported is a group from elsewhere: its families, and when each was pushed.
type Imported struct {
	Labels   exposition.Labels
	Families []ImportedFamily
}

// ImportedFamily is a family as another gateway stored it. The two time families are among them.
type ImportedFamily struct {
	*exposition.Family
	Pushed time.Time
}

// importBatch is how many records of an import are committed together.
const importBatch = 1000

// Import keeps groups in an engine that no gateway uses yet, and at last sets a mark: an import that was
// cut off is to be repeated. It returns the groups that cannot be kept, with the reason.
func Import(ctx context.Context, e Engine, groups []Imported, markName string, mark Mark) (refused []error, err error) {
	var commit Commit
	for _, from := range groups {
		group, err := from.group()
		if err != nil {
			refused = append(refused, fmt.Errorf("group %s: %w", NewKey(from.Labels...), err))
			continue
		}
		records := newClaim(&keyShape{key: group.key}, nil, group).records()
		commit.Changes = append(commit.Changes, records.Changes...)
		if len(commit.Changes) >= importBatch {
			if _, err := e.Commit(ctx, commit); err != nil {
				return refused, fmt.Errorf("store imported groups: %w", err)
			}
			commit.Changes = nil
		}
	}
	commit.Changes = append(commit.Changes, Change{Key: markPrefix + markName, Value: mark})
	if _, err := e.Commit(ctx, commit); err != nil {
		return refused, fmt.Errorf("store imported groups: %w", err)
	}
	return refused, nil
}

// Empty reports whether an engine keeps no group.
func Empty(ctx context.Context, e Engine) (bool, error) {
	for record, err := range e.Follow(ctx) {
		if err != nil || record.Key == "" {
			return err == nil, err
		}
		if !strings.HasPrefix(record.Key, markPrefix) {
			return false, nil
		}
	}
	return false, ctx.Err()
}

// group encodes an imported group. Its push and failure times are taken from its time families.
func (from *Imported) group() (*Group, error) {
	labels := slices.SortedFunc(slices.Values(from.Labels), compareNames)
	key, err := checkedKey(labels)
	if err != nil {
		return nil, err
	}
	group := &Group{key: key}
	var stamped [2]int64 // when the two time families changed
	for _, f := range from.Families {
		switch f.Name {
		case pushTimeName:
			group.pushed, stamped[0] = moment(f), f.Pushed.UnixNano()
			continue
		case failureTimeName:
			group.failed, stamped[1] = moment(f), f.Pushed.UnixNano()
			continue
		}
		block, err := f.Encode(labels)
		if err != nil {
			return nil, err
		}
		header := &Header{Name: f.Name, Help: f.Help, Unit: f.Unit, Type: f.Type}
		group.members = append(group.members, Member{Header: header, Block: block, pushed: f.Pushed.UnixNano()})
	}
	group.members = append(group.members,
		timeMember(pushTime, labels, group.pushed, stamped[0]), timeMember(failureTime, labels, group.failed, stamped[1]))
	return group.finish(), nil
}

// moment returns the Unix nanoseconds that a time family tells. Its number has only 53 bits of them; the
// time at which the family itself changed is the exact one, where both agree.
func moment(f ImportedFamily) int64 {
	seconds, _ := f.FirstNumber()
	if exact := f.Pushed.UnixNano(); float64(exact)/1e9 == seconds {
		return exact
	}
	return int64(math.Round(seconds * 1e9))
}
