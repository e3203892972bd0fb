package disk

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"holdfast"
)

// spread runs clients until b.N calls are made, each told its client and number.
func spread(b *testing.B, clients int, call func(client, n int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for client := range clients {
		all.Go(func() {
			for n := int(next.Add(1)); n <= b.N; n = int(next.Add(1)) {
				call(client, n)
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

// random is an encoded value that does not compress.
type random []byte

// AppendBinary implements encoding.BinaryAppender.
func (r random) AppendBinary(b []byte) ([]byte, error) { return append(b, r...), nil }

func noise(size int) random {
	value := make(random, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(value)
	return value
}

// BenchmarkCommit defends: concurrent commits share an fsync. Beside it stands what the disk can do: one
// file, appended and synced by one alone.
func BenchmarkCommit(b *testing.B) {
	value := noise(2 << 10)
	b.Run("fdatasync", func(b *testing.B) {
		f, err := os.Create(filepath.Join(b.TempDir(), "f"))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		spread(b, 1, func(int, int) {
			if _, err := f.Write(value); err != nil {
				b.Error(err)
			}
			if err := syscall.Fdatasync(int(f.Fd())); err != nil {
				b.Error(err)
			}
		})
	})
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprint("clients=", clients), func(b *testing.B) {
			e := opened(b, Options{Path: b.TempDir()})
			at := make([]holdfast.Revision, clients)
			spread(b, clients, func(client, n int) {
				key := fmt.Sprint("key-", client)
				revision, err := e.Commit(context.Background(), holdfast.Commit{
					Guards:  []holdfast.Guard{{Key: key, At: at[client]}},
					Changes: []holdfast.Change{{Key: key, Value: value[:100]}, {Key: key + "/m", Value: value}},
				})
				if err != nil {
					b.Error(err)
				}
				at[client] = revision
			})
		})
	}
}

// BenchmarkOverwrite defends: what is overwritten leaves the disk. It reports the directory's size, and
// what of it is more than five times the live bytes, which is to stay below 160 MiB.
func BenchmarkOverwrite(b *testing.B) {
	for _, of := range []struct{ groups, size int }{{1_000, 2 << 10}, {10_000, 20 << 10}} {
		b.Run(fmt.Sprintf("groups=%d/bytes=%d", of.groups, of.size), func(b *testing.B) {
			e := opened(b, Options{Path: b.TempDir()})
			value := noise(of.size)
			spread(b, 64, func(_, n int) {
				key := fmt.Sprint("key-", n%of.groups)
				if _, err := e.Commit(context.Background(), holdfast.Commit{Changes: []holdfast.Change{{Key: key, Value: value}}}); err != nil {
					b.Error(err)
				}
			})
			held, live := sizeOnDisk(b, e.Path), float64(min(b.N, of.groups)*of.size)
			b.ReportMetric(held/(1<<20), "MiB")
			b.ReportMetric((held-5*live)/(1<<20), "excess-MiB")
		})
	}
}

// sizeOnDisk adds up the blocks of a directory's files, the ballast's among them, in bytes.
func sizeOnDisk(b *testing.B, dir string) float64 {
	b.Helper()
	var sum int64
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		var is syscall.Stat_t
		if err := syscall.Stat(path, &is); err != nil {
			if strings.Contains(err.Error(), "no such file") {
				return nil // Pebble removed it just now
			}
			return err
		}
		sum += is.Blocks * 512
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return float64(sum)
}
