package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
)

// A log is a row of blocks, and a block a row of chunks:
//
//	masked CRC-32C of what follows the size (4 bytes) · size of the payload (2) · encoding (1)
//	· log number, but in manifests (4) · bytes known to be on disk, in newer logs (8) · payload
//
// A chunk ends within its block. What is left at the end of a block, too short for a chunk, is zero. A
// log that is used again still holds chunks of the older number behind its end.
const (
	blockSize       = 32 << 10
	plainHeader     = 7
	numberedHeader  = plainHeader + 4
	syncingHeader   = numberedHeader + 8
	plainChunks     = 1 // first of four encodings each
	numberedChunks  = 5
	syncingChunks   = 9
	beyondEncodings = 13
)

// chain is what was found in a log.
type chain struct {
	end   int64 // bytes from the start that are whole chunks and padding
	floor int64 // bytes that chunks behind end say are on disk
	torn  bool  // the last record is not whole
}

// chunk is one that was read. Bytes is 0 where there is none.
type chunk struct {
	bytes  int
	synced int64 // as its header says
	own    bool  // what stands there began as a chunk of this log, whole or not
	opens  bool  // it is the first or a middle part of a record
}

// logReader follows the chunks of a log.
type logReader struct {
	kind   logKind
	number uint32
	found  chain
	broken bool
}

// readChain reads a log to its end.
func readChain(log io.Reader, kind logKind, number uint64) (chain, error) {
	r := logReader{kind: kind, number: uint32(number)}
	block := make([]byte, blockSize)
	for start := int64(0); ; start += blockSize {
		n, err := io.ReadFull(log, block)
		if n > 0 {
			r.read(block[:n], start)
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return r.found, nil
		case err != nil:
			return r.found, fmt.Errorf("read log: %w", err)
		}
	}
}

// read takes the next block, which starts at an offset of the log.
func (r *logReader) read(block []byte, start int64) {
	at := 0
	for !r.broken && at < len(block) {
		c := r.chunk(block[at:])
		if c.bytes == 0 && !padding(block[at:]) {
			r.broken = true
			r.found.torn = r.found.torn || c.own
			break
		}
		if c.bytes == 0 {
			c.bytes = len(block) - at
		}
		if at += c.bytes; c.own {
			r.found.torn = c.opens
		}
		r.found.end = start + int64(at)
	}
	// Behind the end each byte may begin a chunk that says how far the log was on disk.
	for ; r.broken && r.kind == writeAheadLog && at+syncingHeader <= len(block); at++ {
		if c := r.chunk(block[at:]); c.bytes > 0 {
			r.found.floor = max(r.found.floor, c.synced)
		}
	}
}

// padding reports whether b is what is left of a block.
func padding(b []byte) bool {
	return len(b) < syncingHeader && allZero(b)
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// chunk reads the chunk at the start of b, which reaches to the end of the block.
func (r *logReader) chunk(b []byte) chunk {
	if len(b) < plainHeader {
		return chunk{own: !allZero(b)}
	}
	encoding, size := b[6], int(binary.LittleEndian.Uint16(b[4:]))
	header := plainHeader
	switch {
	case encoding == 0 && allZero(b[:plainHeader]):
		return chunk{}
	case r.kind == manifestLog:
		if encoding < plainChunks || encoding >= numberedChunks {
			return chunk{own: true}
		}
	case encoding < numberedChunks || encoding >= beyondEncodings:
		return chunk{} // as likely what a log that is used again held before
	case encoding >= syncingChunks:
		header = syncingHeader
	default:
		header = numberedHeader
	}
	if len(b) < header {
		return chunk{own: true}
	}
	if r.kind == writeAheadLog && binary.LittleEndian.Uint32(b[plainHeader:]) != r.number {
		return r.foreign(b, size)
	}
	if header+size > len(b) || mask(crc32.Checksum(b[6:header+size], castagnoli())) != binary.LittleEndian.Uint32(b) {
		return chunk{own: true}
	}
	part := (encoding - plainChunks) % 4 // whole, first, middle, last
	c := chunk{bytes: header + size, own: true, opens: part == 1 || part == 2}
	if header == syncingHeader {
		c.synced = int64(binary.LittleEndian.Uint64(b[numberedHeader:]))
	}
	return c
}

// foreign judges a chunk of another number: the mark that ends a log, which has the next number and
// nothing else, is read as padding would be; anything else was there before.
func (r *logReader) foreign(b []byte, size int) chunk {
	if binary.LittleEndian.Uint32(b[plainHeader:]) == r.number+1 && size == 0 && allZero(b[:4]) {
		return chunk{bytes: numberedHeader}
	}
	return chunk{}
}

// mask turns a checksum into what is stored of it: bytes that contain checksums would else have simple ones.
func mask(crc uint32) uint32 { return bits.RotateLeft32(crc, -15) + 0xa282ead8 }
