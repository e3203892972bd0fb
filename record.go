package holdfast

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"holdfast/internal/exposition"
)

// A group is kept as a header record and a record for each family, so that a push of one family to a
// group of a hundred writes two. A record is
//
//	version (1 byte) · CRC-32C of what follows (4, little endian) · flags (1) · body
//
// and a body is made of uvarints, zigzag varints and length-prefixed strings:
//
//	header: pushed · failed (Unix nanoseconds) · number of families · their names
//	family: pushed · type · help · unit · the block in its protobuf form, to the end
//
// A record's key is the canonical grouping key, recordSeparator, and the family's name, empty for the
// header, which so comes first.
const (
	recordVersion    = 1
	recordOverhead   = 6
	recordCompressed = 1 << 0
	recordSeparator  = "\xfe" // like 0xFF, it occurs in no UTF-8
	compressFrom     = 512    // bytes of body; below, compressing costs more than it gains
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func headerKey(key Key) string              { return key.canonical + recordSeparator }
func familyKey(key Key, name string) string { return key.canonical + recordSeparator + name }

// splitRecordKey takes a record's key apart; name is empty for a header.
func splitRecordKey(record string) (key Key, name string, err error) {
	canonical, name, found := strings.Cut(record, recordSeparator)
	if !found {
		return Key{}, "", fmt.Errorf("record key %q has no separator", record)
	}
	return Key{canonical}, name, nil
}

// records returns the commit that keeps a claim.
func (c *claim) records() Commit {
	commit := Commit{Guards: []Guard{{Key: headerKey(c.key)}}}
	if c.before != nil {
		commit.Guards[0].At = c.before.revision
	}
	header := Change{Key: headerKey(c.key)}
	if c.after != nil {
		header.Value = (*headerRecord)(c.after)
	}
	commit.Changes = append(make([]Change, 0, len(c.touched)+1), header)
	for _, d := range c.touched {
		change := Change{Key: familyKey(c.key, d.name())}
		if d.new != nil {
			change.Value = (*familyRecord)(d.new)
		}
		commit.Changes = append(commit.Changes, change)
	}
	return commit
}

// headerRecord is a group in the form of its header.
type headerRecord Group

// AppendBinary implements encoding.BinaryAppender.
func (r *headerRecord) AppendBinary(b []byte) ([]byte, error) {
	start := len(b)
	b = beginRecord(b)
	b = binary.AppendVarint(b, r.pushed)
	b = binary.AppendVarint(b, r.failed)
	b = binary.AppendUvarint(b, uint64(len(r.members)))
	for _, m := range r.members {
		b = appendString(b, m.Name)
	}
	return sealRecord(b, start), nil
}

// familyRecord is a member in the form of its record.
type familyRecord Member

// AppendBinary implements encoding.BinaryAppender.
func (r *familyRecord) AppendBinary(b []byte) ([]byte, error) {
	start := len(b)
	b = beginRecord(b)
	b = binary.AppendVarint(b, r.pushed)
	b = binary.AppendUvarint(b, uint64(r.Type))
	b = appendString(b, r.Help)
	b = appendString(b, r.Unit)
	b = append(b, r.Proto()...)
	return sealRecord(b, start), nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func beginRecord(b []byte) []byte {
	return append(b, recordVersion, 0, 0, 0, 0, 0)
}

// sealRecord compresses the body if that pays, and fills in flags and checksum.
func sealRecord(b []byte, start int) []byte {
	body := b[start+recordOverhead:]
	if len(body) >= compressFrom {
		compressed := zstdEncoder().EncodeAll(body, nil)
		if len(compressed) < len(body) {
			b = append(b[:start+recordOverhead], compressed...)
			b[start+5] = recordCompressed
		}
	}
	binary.LittleEndian.PutUint32(b[start+1:], crc32.Checksum(b[start+5:], castagnoli))
	return b
}

// openRecord checks a record and returns its body, which may alias it.
func openRecord(record []byte) ([]byte, error) {
	if len(record) < recordOverhead {
		return nil, fmt.Errorf("record of %d bytes is too short", len(record))
	}
	if record[0] != recordVersion {
		return nil, fmt.Errorf("record has version %d, this build reads version %d", record[0], recordVersion)
	}
	if crc32.Checksum(record[5:], castagnoli) != binary.LittleEndian.Uint32(record[1:]) {
		return nil, fmt.Errorf("record of %d bytes fails its checksum", len(record))
	}
	body := record[recordOverhead:]
	if record[5]&recordCompressed == 0 {
		return body, nil
	}
	body, err := zstdDecoder().DecodeAll(body, nil)
	if err != nil {
		return nil, fmt.Errorf("decompress record: %w", err)
	}
	return body, nil
}

// decodeHeader reads a header record into a group without members, and the names of its families.
func decodeHeader(key Key, record []byte) (*Group, []string, error) {
	body, err := openRecord(record)
	if err != nil {
		return nil, nil, err
	}
	r := reader{body: body}
	g := &Group{key: key, pushed: r.varint(), failed: r.varint()}
	count := r.uvarint()
	if count > uint64(len(r.body)) {
		return nil, nil, errShort
	}
	names := make([]string, 0, count)
	for range count {
		names = append(names, r.string())
	}
	return g, names, r.err
}

// decodeFamily reads a family record.
func decodeFamily(name string, record []byte) (Member, error) {
	body, err := openRecord(record)
	if err != nil {
		return Member{}, err
	}
	r := reader{body: body}
	m := Member{pushed: r.varint()}
	m.Header = &Header{Name: name, Type: dto.MetricType(r.uvarint()), Help: r.string(), Unit: r.string()}
	if r.err != nil {
		return Member{}, r.err
	}
	m.Block, err = exposition.DecodeBlock(name, m.Type, r.body)
	return m, err
}
