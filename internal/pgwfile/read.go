package pgwfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// Read reads a persistence file. Its groups come sorted by their grouping keys, bytewise. An empty,
// truncated or damaged file, or one of another kind, is an error that says what is wrong and at which
// byte; nothing is returned then.
func Read(r io.Reader) ([]Group, error) {
	d := &decoder{from: bufio.NewReader(r)}
	stored := d.file()
	switch {
	case d.at == 0 && errors.Is(d.err, io.ErrUnexpectedEOF):
		return nil, errors.New("the file is empty")
	case errors.Is(d.err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("the file ends at byte %d, before its groups do", d.at)
	case d.err != nil:
		return nil, fmt.Errorf("no persistence file of a Pushgateway, or a damaged one: byte %d: %w", d.at, d.err)
	}
	slices.SortFunc(stored, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	groups := make([]Group, len(stored))
	for i := range stored {
		if i > 0 && stored[i].key == stored[i-1].key {
			return nil, fmt.Errorf("a damaged persistence file: group %v comes twice", stored[i].Labels)
		}
		groups[i] = stored[i].Group
	}
	return groups, nil
}

type keyed struct {
	key string
	Group
}

// decoder reads the one gob value that a persistence file is. encoding/gob would make maps as large as
// the file claims, so that one damaged byte can take all memory, and holds the whole file while it
// decodes; here no number is trusted, and errors have a place. After the first error all that is read is
// zero.
type decoder struct {
	from *bufio.Reader
	at   int64  // bytes read so far
	left uint64 // bytes left of the current message
	err  error
}

// Fields as they are numbered in the file, from 1.
const (
	groupLabels     = 1
	groupMetrics    = 2
	familyTimestamp = 1
	familyProtobuf  = 2
)

// longestNumber is how many bytes a number has at most, the one that counts them included.
const longestNumber = 9

// file reads messages, each of which is a length and that many bytes. Those that define types come first
// and have a negative number; their content is not needed to read the value.
func (d *decoder) file() []keyed {
	for d.err == nil {
		d.left = longestNumber
		d.left = d.number()
		if id := d.number(); id&1 == 0 { // the lowest bit is the sign
			break
		}
		d.skip(d.left)
	}
	if d.number() != 0 {
		d.fail("the value is no map of groups")
	}
	var stored []keyed
	for range d.elements {
		stored = append(stored, d.group())
	}
	d.end()
	return stored
}

// end checks that the message and the file end here.
func (d *decoder) end() {
	if d.err != nil {
		return
	}
	if d.left != 0 {
		d.fail("%d bytes too many behind the groups", d.left)
		return
	}
	switch _, err := d.from.ReadByte(); err {
	case io.EOF:
	case nil:
		d.fail("the groups end here, the file goes on")
	default:
		d.err = err
	}
}

func (d *decoder) group() keyed {
	g := keyed{d.text(), Group{map[string]string{}, map[string]Family{}}}
	for field := range d.fields {
		switch field {
		case groupLabels:
			for range d.elements {
				name := d.text()
				g.Labels[name] = d.text()
			}
		case groupMetrics:
			for range d.elements {
				name := d.text()
				g.Families[name] = d.family(name)
			}
		default:
			d.fail("a group has no field %d", field)
		}
	}
	if d.err == nil && g.key != keyOf(g.Labels) {
		d.fail("the labels %v do not make up the grouping key %q", g.Labels, g.key)
	}
	return g
}

func (d *decoder) family(name string) Family {
	f := Family{MetricFamily: &dto.MetricFamily{}}
	for field := range d.fields {
		switch field {
		case familyTimestamp:
			if err := f.Pushed.UnmarshalBinary(d.bytes()); err != nil && d.err == nil {
				d.fail("the time of family %q: %w", name, err)
			}
		case familyProtobuf:
			if err := proto.Unmarshal(d.bytes(), f.MetricFamily); err != nil && d.err == nil {
				d.fail("family %q: %w", name, err)
			}
		default:
			d.fail("a family has no field %d", field)
		}
	}
	if d.err == nil && f.GetName() != name {
		d.fail("family %q is stored under the name %q", f.GetName(), name)
	}
	return f
}

// fields yields the number of each field that is there. In the file stands by how much it is greater than
// the one before; 0 is the end.
func (d *decoder) fields(yield func(uint64) bool) {
	field := uint64(0)
	for delta := d.number(); delta != 0; delta = d.number() {
		if field += delta; !yield(field) {
			return
		}
	}
}

// elements reads how many elements a map has and yields as often, as long as there is no error.
func (d *decoder) elements(yield func() bool) {
	for range d.number() {
		if d.err != nil || !yield() {
			return
		}
	}
}

// number reads an unsigned number: up to 127 it is one byte, else the negative count of its bytes and
// then these, highest first.
func (d *decoder) number() uint64 {
	first := d.byte()
	if first < 0x80 {
		return uint64(first)
	}
	size := 0x100 - int(first)
	if size >= longestNumber {
		d.fail("a number of %d bytes", size)
		return 0
	}
	n := uint64(0)
	for range size {
		n = n<<8 | uint64(d.byte())
	}
	return n
}

func (d *decoder) byte() byte {
	if !d.take(1) {
		return 0
	}
	b, err := d.from.ReadByte()
	if err != nil {
		d.broken(err)
		return 0
	}
	d.at++
	return b
}

func (d *decoder) text() string { return string(d.bytes()) }

// bytes reads a length and that many bytes. Memory grows with what is there, not with what is claimed.
func (d *decoder) bytes() []byte {
	n := d.number()
	if !d.take(n) {
		return nil
	}
	var b bytes.Buffer
	b.Grow(int(min(n, bytes.MinRead)))
	read, err := io.CopyN(&b, d.from, int64(n))
	d.at += read
	if err != nil {
		d.broken(err)
	}
	return b.Bytes()
}

func (d *decoder) skip(n uint64) {
	if !d.take(n) {
		return
	}
	skipped, err := io.CopyN(io.Discard, d.from, int64(n))
	d.at += skipped
	if err != nil {
		d.broken(err)
	}
}

// take takes n bytes from the current message, if there are as many.
func (d *decoder) take(n uint64) bool {
	if d.err != nil {
		return false
	}
	if n > d.left || n > 1<<62 {
		d.fail("%d bytes where %d are left", n, d.left)
		return false
	}
	d.left -= n
	return true
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

// broken keeps an error of the reader. The end of the file always comes too early.
func (d *decoder) broken(err error) {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	d.err = err
}
