package exposition

import (
	"bytes"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// skipBlanks moves to the next byte that is no blank. The body must not end before it.
func (d *textDecoder) skipBlanks() error {
	for d.at < len(d.body) && isBlank(d.body[d.at]) {
		d.at++
	}
	if d.at == len(d.body) {
		return d.errEnd()
	}
	return nil
}

// skipLine moves to the next line feed.
func (d *textDecoder) skipLine() error {
	n := bytes.IndexByte(d.body[d.at:], '\n')
	if n < 0 {
		d.at = len(d.body)
		return d.errEnd()
	}
	d.at += n
	return nil
}

// word reads up to a blank or a line feed. It may be empty.
func (d *textDecoder) word() (string, error) {
	start := d.at
	for d.at < len(d.body) && !isBlank(d.body[d.at]) && d.body[d.at] != '\n' {
		d.at++
	}
	if d.at == len(d.body) {
		return "", d.errEnd()
	}
	return aliased(d.body[start:d.at]), nil
}

// isNameByte reports whether c may stand in a bare name, at its begin or later.
func isNameByte(c byte, colon, later bool) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || later && c >= '0' && c <= '9' || colon && c == ':'
}

// name reads a name that is bare, in double quotes, or quoted from some byte on, and moves behind it. It
// is empty where none begins here. what is how errors call it; colon tells whether colons are part of it.
func (d *textDecoder) name(what string, colon bool) (name string, quoted bool, err error) {
	start := d.at
	for d.at < len(d.body) && isNameByte(d.body[d.at], colon, d.at > start) {
		d.at++
	}
	if d.at == len(d.body) {
		return "", false, d.errEnd()
	}
	if d.body[d.at] != '"' {
		return aliased(d.body[start:d.at]), false, nil
	}
	to := d.at
	d.at++
	if to == start {
		start, to = d.at, d.at
	}
	if name, err = d.quoted(start, to, what+" name"); err != nil {
		return "", true, err
	}
	if d.at++; d.at == len(d.body) {
		return "", true, d.errEnd()
	}
	return name, true, nil
}

// quoted reads on to the closing double quote and stays there. The text begins at start and goes on at
// to, which is not behind the byte at hand: escapes make it shorter, in place.
func (d *textDecoder) quoted(start, to int, what string) (string, error) {
	b := d.body
	for d.at < len(b) {
		c := b[d.at]
		switch c {
		case '"':
			return aliased(b[start:to]), nil
		case '\n':
			return "", d.errorf("%s %q contains unescaped new-line", what, b[start:to])
		case '\\':
			if d.at++; d.at == len(b) {
				return "", d.errEnd()
			}
			var err error
			if c, err = d.unescaped(); err != nil {
				return "", err
			}
		}
		b[to] = c
		to++
		d.at++
	}
	return "", d.errEnd()
}

// unescaped returns what the byte at hand means behind a backslash.
func (d *textDecoder) unescaped() (byte, error) {
	switch c := d.body[d.at]; c {
	case '\\', '"':
		return c, nil
	case 'n':
		return '\n', nil
	default:
		return 0, d.errorf("invalid escape sequence '\\%c'", c)
	}
}

// restOfLine reads up to the line feed. Backslashes escape, or else they are dropped.
func (d *textDecoder) restOfLine(escapes bool) (string, error) {
	b, start, to := d.body, d.at, d.at
	for ; d.at < len(b); d.at++ {
		c := b[d.at]
		switch {
		case c == '\n':
			return aliased(b[start:to]), nil
		case c == '\\' && !escapes:
			continue
		case c == '\\':
			if d.at++; d.at == len(b) {
				return "", d.errEnd()
			}
			var err error
			if c, err = d.unescaped(); err != nil {
				return "", err
			}
		}
		b[to] = c
		to++
	}
	return "", d.errEnd()
}

// typeOf returns the type that a word of a TYPE line means, in any case.
func typeOf(word string) (t dto.MetricType, ok bool) {
	switch word {
	case "gauge":
		return dto.MetricType_GAUGE, true
	case "counter":
		return dto.MetricType_COUNTER, true
	}
	word = strings.ToUpper(word)
	if word == "GAUGEHISTOGRAM" {
		return dto.MetricType_GAUGE_HISTOGRAM, true
	}
	number, ok := dto.MetricType_value[word]
	return dto.MetricType(number), ok
}

// parseFloat reads a number as the text format has it: not in hexadecimal, and without underscores.
func parseFloat(s string) (f float64, ok bool) {
	if strings.ContainsAny(s, "pP_") {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

func isInteger(s string) bool {
	_, err := strconv.ParseInt(s, 10, 64)
	return err == nil
}
