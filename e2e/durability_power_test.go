package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"unsafe"
)

// The ioctl that shuts a file system of Linux down, and its argument to leave the journal unwritten:
// what was not synced is lost, as by a power cut.
const (
	shutDown        = 0x8004587d
	withoutLogFlush = 2
)

// TestPowerLoss cuts the disk off under load: what was acknowledged before is there after the file
// system was mounted again. Until then pushes are refused, and scrapes go on.
func TestPowerLoss(t *testing.T) {
	image := filepath.Join(t.TempDir(), "disk")
	run(t, "", "truncate", "--size=400M", image)
	run(t, "", need(t, "mkfs.ext4", "e2fsprogs"), "-q", image)
	l := newLoad()
	for range 3 {
		disk, unmount := mount(t, "-o", "loop", image)
		g := begin(t, holdfast(filepath.Join(disk, "data")))
		l.check(t, g.page(t, "allow-utf-8"))
		statuses := l.cut(t, g.url, func() { powerOff(t, disk) })
		if slices.ContainsFunc(statuses, func(s int) bool { return s != http.StatusServiceUnavailable }) {
			t.Errorf("pushes without a disk were answered %v, want 503", statuses)
		}
		if s := statusOf(g.url + "/-/ready"); s != http.StatusServiceUnavailable {
			t.Errorf("readiness without a disk: %d, want 503", s)
		}
		l.check(t, g.page(t, "allow-utf-8"))
		g.end(syscall.SIGKILL)
		unmount()
	}
	disk, _ := mount(t, "-o", "loop", image)
	g := begin(t, holdfast(filepath.Join(disk, "data")))
	l.check(t, g.page(t, "allow-utf-8"))
	g.stopClean(t)
	t.Logf("%d acknowledged pushes", l.acknowledged.Load())
}

func powerOff(t *testing.T, directory string) {
	t.Helper()
	d, err := os.Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	how := uint32(withoutLogFlush)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, d.Fd(), shutDown, uintptr(unsafe.Pointer(&how))); errno != 0 {
		t.Errorf("shutting down the file system of %s: %v", directory, errno)
	}
}

// TestFullDisk fills the disk while the gateway runs: pushes are refused, scrapes go on, and once there
// is room again pushes are taken without a restart. Nothing acknowledged is lost.
func TestFullDisk(t *testing.T) {
	disk, _ := mount(t, "-t", "tmpfs", "-o", "size=256m", "tmpfs")
	directory, filler := filepath.Join(disk, "data"), filepath.Join(disk, "filler")
	g := begin(t, holdfast(directory))
	kept := 0
	for round := range 3 {
		kept++
		if status := g.put(t, "full", kept); status != http.StatusOK {
			t.Fatalf("round %d: a push with room: %d", round, status)
		}
		fill(t, filler)
		eventually(t, "pushes to a full disk are refused", func() bool {
			status := g.put(t, "full", kept+1)
			if status == http.StatusOK {
				kept++
			}
			return status == http.StatusServiceUnavailable
		})
		g.showsOne(t, "full", kept)
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		eventually(t, "pushes are taken once there is room", func() bool { return g.put(t, "full", kept+1) == http.StatusOK })
		kept++
	}
	g.showsOne(t, "full", kept)
	g.end(syscall.SIGKILL)
	g = begin(t, holdfast(directory))
	g.showsOne(t, "full", kept)
	g.stopClean(t)
}

// showsOne checks what the page has for a job that put wrote to.
func (g gateway) showsOne(t *testing.T, job string, n int) {
	t.Helper()
	g.serves(t, fmt.Sprintf("%s{instance=\"\",job=\"%s\"} %d", job, job, n))
}

// fill writes a file until the disk is full.
func fill(t *testing.T, name string) {
	t.Helper()
	out, err := exec.Command("dd", "if=/dev/zero", "of="+name, "bs=1M").CombinedOutput()
	if err == nil {
		t.Fatalf("the disk did not fill up: %s", out)
	}
}
