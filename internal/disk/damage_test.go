package disk

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast"
	"holdfast/internal/enginetest"
)

const damagedPath = "/db"

// stored is a disk with an engine's directory, or with a backup of it.
type stored struct {
	disk *vfs.MemFS
	want map[string]string
}

// restored is a disk with a backup, laid where the engine's directory would be.
func restored(t *testing.T, e *Engine) *vfs.MemFS {
	t.Helper()
	var backup bytes.Buffer
	if err := e.Backup(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}
	disk := vfs.NewCrashableMem()
	disk.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30, TotalBytes: 32 << 20})
	if err := disk.MkdirAll(damagedPath, 0o755); err != nil {
		t.Fatal(err)
	}
	archive := tar.NewReader(&backup)
	for header, err := archive.Next(); !errors.Is(err, io.EOF); header, err = archive.Next() {
		if err != nil {
			t.Fatal(err)
		}
		file, err := disk.Create(path.Join(damagedPath, header.Name), vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(file, archive); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(file.Sync(), file.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return disk
}

func (s stored) copy() *vfs.MemFS {
	return s.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))})
}

// ending is how the directory of an engine was left.
type ending string

const (
	closed   ending = "closed"
	stopped  ending = "stopped" // in the midst
	backedUp ending = "backed up"
)

// store commits a few hundred records, of which some are in tables and some only in the log.
func store(t *testing.T, how ending) stored {
	t.Helper()
	s := stored{disk: vfs.NewCrashableMem(), want: map[string]string{}}
	s.disk.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30, TotalBytes: 32 << 20})
	e := opened(t, Options{Path: damagedPath, FS: s.disk})
	commit := func(from, to int) {
		for i := from; i < to; i++ {
			key, v := fmt.Sprintf("key-%d", i%100), value{i, 100 + i*97%9000}
			if _, err := e.Commit(t.Context(), holdfast.Commit{Changes: []holdfast.Change{{Key: key, Value: v}}}); err != nil {
				t.Fatal(err)
			}
			stored, _ := v.AppendBinary(nil)
			s.want[key] = string(stored)
		}
	}
	commit(0, 350)
	switch how {
	case stopped:
		return s
	case backedUp:
		s.disk = restored(t, e)
		return s
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = opened(t, Options{Path: damagedPath, FS: s.disk})
	commit(350, 380)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return s
}

// judge opens a damaged disk. It returns what is wrong with the outcome: a value that was not written,
// an acknowledged value that is missing, or an error that does not name the file.
func (s stored) judge(disk *vfs.MemFS, file string) (found bool, wrong error) {
	e, err := Open(Options{Path: damagedPath, FS: disk, Logger: quiet})
	if err == nil {
		defer e.Close()
		var records []holdfast.Record
		if records, err = enginetest.Read(e); err == nil {
			return false, s.compare(records)
		}
	}
	switch {
	case !errors.Is(err, errDamaged):
		return true, fmt.Errorf("the error is not one of damage: %w", err)
	case !strings.Contains(err.Error(), file):
		return true, fmt.Errorf("the error does not name the file: %w", err)
	}
	return true, nil
}

func (s stored) compare(records []holdfast.Record) error {
	if len(records) != len(s.want) {
		return fmt.Errorf("%d records, want %d", len(records), len(s.want))
	}
	for _, r := range records {
		if s.want[r.Key] != string(r.Value) {
			return fmt.Errorf("record %s has a wrong value of %d bytes", r.Key, len(r.Value))
		}
	}
	return nil
}

// files returns the names and sizes of the directory's plain files.
func (s stored) files(t *testing.T) map[string]int64 {
	t.Helper()
	names, err := s.disk.List(damagedPath)
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[string]int64{}
	for _, name := range names {
		is, err := s.disk.Stat(path.Join(damagedPath, name))
		if err != nil {
			t.Fatal(err)
		}
		sizes[name] = is.Size()
	}
	return sizes
}

func flip(t *testing.T, disk *vfs.MemFS, file string, offset int64, bit uint) {
	t.Helper()
	f, err := disk.OpenReadWrite(path.Join(damagedPath, file), vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	if _, err := f.ReadAt(b[:], offset); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1 << bit
	if _, err := f.WriteAt(b[:], offset); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// flips is how many bits of each file are tried.
const flips = 25

// One bit of one file is another: the engine says which file, or all values are right.
func TestBitFlips(t *testing.T) {
	for _, how := range []ending{closed, stopped, backedUp} {
		t.Run(string(how), func(t *testing.T) {
			s := store(t, how)
			random := rand.New(rand.NewPCG(3, 4))
			found := map[string]int{}
			for file, size := range s.files(t) {
				for i := range flips {
					if size == 0 {
						break
					}
					offset, bit := random.Int64N(size), uint(random.IntN(8))
					if i < 4 {
						offset = max(0, size-1-random.Int64N(64)) // the end, where damage is least seen
					}
					disk := s.copy()
					flip(t, disk, file, offset, bit)
					was, wrong := s.judge(disk, file)
					if wrong != nil {
						t.Errorf("%s, byte %d of %d, bit %d: %v", file, offset, size, bit, wrong)
					}
					if was {
						found[path.Ext(file)+strings.SplitN(file, "-", 2)[0][:1]]++
					}
				}
			}
			t.Logf("damage was found: %v", found)
			if len(found) < 2 {
				t.Errorf("damage was found only in %v", found)
			}
		})
	}
}

// A file is cut, or gone: the engine says so, or all values are right.
func TestCutAndMissingFiles(t *testing.T) {
	for _, how := range []ending{closed, stopped, backedUp} {
		t.Run(string(how), func(t *testing.T) {
			s := store(t, how)
			random := rand.New(rand.NewPCG(5, 6))
			for file, size := range s.files(t) {
				for _, keep := range []int64{-1, 0, size / 2, size - 1, random.Int64N(size + 1)} {
					if keep >= size || size == 0 && keep >= 0 {
						continue
					}
					disk := s.copy()
					shorten(t, disk, file, keep)
					// A file that is gone is named by who needs it, in a form of its own.
					name := strings.TrimLeft(strings.TrimSuffix(file, path.Ext(file)), "0")
					if strings.HasPrefix(file, "marker.") {
						name = damagedPath
					}
					if _, wrong := s.judge(disk, name); wrong != nil {
						t.Errorf("%s, %d of %d bytes left: %v", file, keep, size, wrong)
					}
				}
			}
		})
	}
}

// shorten leaves the first bytes of a file, or removes it.
func shorten(t *testing.T, disk *vfs.MemFS, file string, keep int64) {
	t.Helper()
	name := path.Join(damagedPath, file)
	f, err := disk.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := disk.Remove(name); err != nil {
		t.Fatal(err)
	}
	if keep < 0 {
		return
	}
	f, err = disk.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(content[:keep]); err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// What was written behind the last fsync and not acknowledged is cut off, with one warning.
func TestTornTail(t *testing.T) {
	s := store(t, stopped)
	disk := s.copy()
	var log string
	for file := range s.files(t) {
		if strings.HasSuffix(file, ".log") {
			log = max(log, file)
		}
	}
	f, err := disk.Open(path.Join(damagedPath, log))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	found, err := inspect(disk, path.Join(damagedPath, log), writeAheadLog, mustNumber(t, log))
	if err != nil || found.torn || found.end != int64(len(content)) {
		t.Fatalf("the log of %d bytes is read as %+v, %v", len(content), found, err)
	}
	// A chunk of this log whose payload did not reach the disk.
	head := append([]byte{1, 2, 3, 4, 200, 0, syncingChunks}, content[plainHeader:numberedHeader]...)
	torn := append(append(head, make([]byte, 8)...), "half of a record"...)
	f, err = disk.Create(path.Join(damagedPath, log), vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(append(content, torn...)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	logged := &lines{}
	e := opened(t, Options{Path: damagedPath, FS: disk, Logger: logged.logger()})
	if err := s.compare(enginetest.All(t, e)); err != nil {
		t.Error(err)
	}
	if got := logged.count(t, "cut off"); got != 1 {
		t.Errorf("%d warnings of a torn tail, want one: %s", got, logged)
	}
	if _, err := e.Commit(context.Background(), holdfast.Commit{Changes: []holdfast.Change{{Key: "more", Value: value{1, 1}}}}); err != nil {
		t.Errorf("commit after a torn tail: %v", err)
	}
}

func mustNumber(t *testing.T, log string) uint64 {
	t.Helper()
	_, number, ok := parseLog(log)
	if !ok {
		t.Fatalf("%s is no log", log)
	}
	return number
}

// With SetAside, damage of either kind, seen when opening or when reading, makes room for a new start.
func TestSetAside(t *testing.T) {
	s := store(t, closed)
	for file, size := range s.files(t) {
		if !strings.HasSuffix(file, ".sst") && !strings.HasPrefix(file, "MANIFEST") {
			continue
		}
		disk := s.copy()
		for offset := int64(64); offset < size; offset += 100 {
			flip(t, disk, file, offset, 3)
		}
		if found, wrong := s.judge(disk, file); !found || wrong != nil {
			t.Fatalf("%s: damage found %v, %v", file, found, wrong)
		}
		logged := &lines{}
		e := opened(t, Options{Path: damagedPath, FS: disk, SetAside: true, Logger: logged.logger()})
		if got := enginetest.All(t, e); len(got) != 0 {
			t.Errorf("%s: %d records after a new start", file, len(got))
		}
		if got := logged.count(t, "SET ASIDE"); got != 1 {
			t.Errorf("%s: %d lines tell of it: %s", file, got, logged)
		}
		names, err := disk.List("/")
		if err != nil || len(names) != 2 || !strings.HasPrefix(names[1], "db.damaged-") && !strings.HasPrefix(names[0], "db.damaged-") {
			t.Errorf("%s: the disk holds %v, %v", file, names, err)
		}
	}
	whole := opened(t, Options{Path: damagedPath, FS: s.copy(), SetAside: true})
	if err := s.compare(enginetest.All(t, whole)); err != nil {
		t.Errorf("what is whole was set aside: %v", err)
	}
}
