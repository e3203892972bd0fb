package holdfast

import (
	"strings"
	"unicode/utf8"
)

// folded is a text that is looked for in others when case does not count.
type folded struct {
	lower string
	ascii bool
}

func fold(text string) folded {
	lower := strings.ToLower(text)
	return folded{lower, strings.IndexFunc(lower, func(r rune) bool { return r >= utf8.RuneSelf }) < 0}
}

// in reports whether the text occurs in another.
func (f folded) in(text string) bool {
	if !f.ascii {
		return strings.Contains(strings.ToLower(text), f.lower)
	}
	if f.lower == "" {
		return true
	}
	for i := 0; i+len(f.lower) <= len(text); i++ {
		if lowerByte(text[i]) == f.lower[0] && f.begins(text[i:]) {
			return true
		}
	}
	return false
}

// begins reports whether another text begins with an ASCII one.
func (f folded) begins(text string) bool {
	for i := range len(f.lower) {
		if lowerByte(text[i]) != f.lower[i] {
			return false
		}
	}
	return true
}

func lowerByte(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b | 0x20
	}
	return b
}
