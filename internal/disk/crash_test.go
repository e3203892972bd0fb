package disk

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast"
	"holdfast/internal/enginetest"
)

// wiped is the journal's key for the wipe that ends a run.
const wiped = "wiped"

// A run for a power cut: clients commit to keys of their own, each commit two records with one value,
// and a third that the next commit deletes. A journal knows for each key what was acknowledged last and
// what is on its way.
type journal struct {
	mu    sync.Mutex
	acked map[string]int
	sent  map[string]int
}

func (j *journal) moment() (acked, sent map[string]int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.acked), maps.Clone(j.sent)
}

func (j *journal) note(into map[string]int, key string, n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	into[key] = n
}

// powerCut is the disk as a power cut at some moment leaves it, and what the clients know by then.
type powerCut struct {
	disk        *vfs.MemFS
	acked, sent map[string]int
	at          string
}

// value is what a client's commit number n writes; large enough that memtables fill up.
type value struct{ n, size int }

// AppendBinary implements encoding.BinaryAppender.
func (v value) AppendBinary(b []byte) ([]byte, error) {
	b = fmt.Appendf(b, "%08d", v.n)
	random := rand.NewChaCha8([32]byte{byte(v.n), byte(v.n >> 8)})
	filler := make([]byte, v.size)
	_, _ = random.Read(filler)
	return append(b, filler...), nil
}

// Every fsync of a run, of logs, tables, manifests and directories, is a moment before and after which
// the power may fail. What was acknowledged must be there, and the rest whole or not at all.
func TestPowerCut(t *testing.T) {
	const clients, commits = 4, 60
	disk := vfs.NewCrashableMem()
	j := &journal{acked: map[string]int{}, sent: map[string]int{}}
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	var cuts []powerCut
	cut := func(at string) {
		mu.Lock()
		defer mu.Unlock()
		acked, _ := j.moment()
		clone := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 30, 100}[random.IntN(3)], RNG: random})
		_, sent := j.moment()
		cuts = append(cuts, powerCut{clone, acked, sent, at})
	}
	watched := &hooked{disk, func(op, path string) error {
		if op == opSync {
			cut(path)
		}
		return nil
	}}
	disk.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30, TotalBytes: 32 << 20})
	e := opened(t, Options{Path: "/deep/er/db", FS: watched})
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() { commitAll(t, e, j, fmt.Sprint("client-", client), commits) })
	}
	all.Wait()
	j.note(j.sent, wiped, 1)
	if _, err := e.Commit(t.Context(), holdfast.Commit{Wipe: true}); err != nil {
		t.Fatal(err)
	}
	j.note(j.acked, wiped, 1)
	cut("after a wipe")
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for i, c := range cuts {
		kinds[c.at]++
		if err := c.check(t); err != nil {
			t.Errorf("power cut %d, at an fsync of %s: %v", i, c.at, err)
		}
	}
	t.Logf("%d power cuts, at fsyncs of %d files", len(cuts), len(kinds))
	if len(cuts) < 50 || len(kinds) < 5 {
		t.Errorf("only %d moments, at fsyncs of %v", len(cuts), slices.Sorted(maps.Keys(kinds)))
	}
}

func commitAll(t *testing.T, e *Engine, j *journal, key string, commits int) {
	var at holdfast.Revision
	for n := 1; n <= commits; n++ {
		j.note(j.sent, key, n)
		v := value{n, 200 + n*311%20_000}
		revision, err := e.Commit(context.Background(), holdfast.Commit{
			Guards: []holdfast.Guard{{Key: key, At: at}},
			Changes: []holdfast.Change{
				{Key: key, Value: v},
				{Key: key + "/x", Value: v},
				{Key: fmt.Sprint(key, "/only/", n), Value: v},
				{Key: fmt.Sprint(key, "/only/", n-1)},
			},
		})
		if err != nil {
			t.Errorf("commit %d of %s: %v", n, key, err)
			return
		}
		at = revision
		j.note(j.acked, key, n)
	}
}

// check opens the disk, compares, and commits once more.
func (c powerCut) check(t *testing.T) error {
	e, err := Open(Options{Path: "/deep/er/db", FS: c.disk, Logger: quiet})
	if err != nil {
		return err
	}
	defer e.Close()
	records, err := enginetest.Read(e)
	if err != nil {
		return err
	}
	values, last := map[string]string{}, holdfast.Revision(0)
	for _, r := range records {
		values[r.Key] = string(r.Value)
		last = max(last, r.Revision)
	}
	if c.acked[wiped] == 1 {
		if len(values) != 0 {
			return fmt.Errorf("%d records came back after a wipe", len(values))
		}
		return nil
	}
	if err := c.compare(values); err != nil {
		return err
	}
	revision, err := e.Commit(context.Background(), holdfast.Commit{Changes: []holdfast.Change{{Key: "more", Value: value{1, 1}}}})
	if err != nil || revision <= last {
		return fmt.Errorf("a commit after it has revision %d, there is one of %d: %v", revision, last, err)
	}
	return nil
}

func (c powerCut) compare(values map[string]string) error {
	if len(values) > 0 && len(values)%3 != 0 {
		return fmt.Errorf("%d records, want three for each client", len(values))
	}
	for key, sent := range c.sent {
		if key == wiped {
			continue
		}
		n, least := 0, c.acked[key]
		if c.sent[wiped] == 1 { // the wipe may have come first
			least = 0
		}
		if stored := values[key]; stored != "" {
			if _, err := fmt.Sscanf(stored[:8], "%d", &n); err != nil {
				return fmt.Errorf("record %s: %w", key, err)
			}
		}
		if n < least || n > sent {
			return fmt.Errorf("record %s is of commit %d; acknowledged were %d, sent %d", key, n, least, sent)
		}
		if n == 0 {
			continue
		}
		want, err := value{n, 200 + n*311%20_000}.AppendBinary(nil)
		if err != nil {
			return err
		}
		for _, k := range []string{key, key + "/x", fmt.Sprint(key, "/only/", n)} {
			if values[k] != string(want) {
				return fmt.Errorf("record %s is not of commit %d, as %s is", k, n, key)
			}
		}
	}
	return nil
}
