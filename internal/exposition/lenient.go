package exposition

import "bytes"

// Lenient mends what editors and other systems do to text: it takes a byte order mark off, turns CRLF
// into LF and ends the last line. The bytes are changed in place.
func Lenient(text []byte) []byte {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	kept := text[:0]
	for i, b := range text {
		if b == '\r' && (i+1 == len(text) || text[i+1] == '\n') {
			continue
		}
		kept = append(kept, b)
	}
	if len(kept) > 0 && kept[len(kept)-1] != '\n' {
		kept = append(kept, '\n')
	}
	return kept
}
