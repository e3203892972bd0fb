package exposition

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"
)

// DecodeError is why a body cannot be read. Its text is that of the reference, to the byte.
type DecodeError struct {
	err  error
	hint string
}

// Error returns the reference's text, such as "text format parsing error in line 1: …".
func (e *DecodeError) Error() string { return e.err.Error() }

// Unwrap returns the cause, which may be io.ErrUnexpectedEOF or an expfmt.ParseError.
func (e *DecodeError) Unwrap() error { return e.err }

// Hint returns what to do about it, in one line; "" where nothing better than the text is known.
func (e *DecodeError) Hint() string { return e.hint }

// MaxTextLabels is how many labels a line of text may have; quoted names count too. The time that the
// library's parser takes grows with the square of their number: a body of some megabytes could keep it
// busy for days.
const MaxTextLabels = 256

// overlabelled returns the number of the first line with more than MaxTextLabels quoted strings, or 0.
func overlabelled(body []byte) int {
	number := 0
	for line := range bytes.Lines(body) {
		number++
		if len(line) > 3*MaxTextLabels && quotedStrings(line) > MaxTextLabels {
			return number
		}
	}
	return 0
}

// quotedStrings counts the strings in double quotes of a sample line; a comment has none.
func quotedStrings(line []byte) int {
	if bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte("#")) {
		return 0
	}
	n, inside := 0, false
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '"':
			if inside = !inside; inside {
				n++
			}
		case line[i] == '\\' && inside:
			i++
		}
	}
	return n
}

// DecodeText decodes a body in the text format 0.0.4 into families sorted by name. The scheme says which
// names are legal. The error is a *DecodeError; no family is returned with it.
func DecodeText(body []byte, names model.ValidationScheme) (families []*Family, err error) {
	// The library's parser writes to a nil map when a name inside braces follows another family's TYPE.
	defer func() {
		if p := recover(); p != nil {
			families = nil
			err = &DecodeError{
				err:  fmt.Errorf("text format parsing error: %v", p),
				hint: "write the metric name in front of the braces",
			}
		}
	}()
	if line := overlabelled(body); line > 0 {
		return nil, &DecodeError{
			err:  expfmt.ParseError{Line: line, Msg: fmt.Sprintf("more than %d labels", MaxTextLabels)},
			hint: "push fewer labels, or protobuf, which has no such limit",
		}
	}
	parser := expfmt.NewTextParser(names)
	byName, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		return nil, &DecodeError{err: err, hint: textHint(err.Error(), body)}
	}
	return sorted(byName), nil
}

var errVarint = errors.New("binary: varint overflows a 64-bit integer")

// DecodeProtobuf decodes a body of MetricFamily messages, each behind its length, into families sorted
// by name. Of several families of one name the last counts. Fields that the message does not define are
// dropped. The error is a *DecodeError; it is io.ErrUnexpectedEOF where the body ends within a message.
func DecodeProtobuf(body []byte) ([]*Family, error) {
	byName := map[string]*dto.MetricFamily{}
	for len(body) > 0 {
		size, n := binary.Uvarint(body)
		switch {
		case n == 0:
			return nil, &DecodeError{err: io.ErrUnexpectedEOF, hint: hintCut}
		case n < 0:
			return nil, &DecodeError{err: errVarint, hint: hintNotDelimited}
		case size > uint64(len(body)-n):
			return nil, &DecodeError{err: io.ErrUnexpectedEOF, hint: hintCut}
		}
		end := n + int(size)
		mf := &dto.MetricFamily{}
		if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(body[n:end], mf); err != nil {
			// The library puts a random kind of blank into its texts, so that nobody relies on them.
			text := strings.ReplaceAll(err.Error(), "\u00a0", " ")
			return nil, &DecodeError{err: errors.New(text), hint: hintNotDelimited}
		}
		byName[mf.GetName()] = mf
		body = body[end:]
	}
	return sorted(byName), nil
}

// sorted wraps decoded families, by name.
func sorted(byName map[string]*dto.MetricFamily) []*Family {
	families := make([]*Family, 0, len(byName))
	for _, mf := range byName {
		families = append(families, FromProto(mf))
	}
	slices.SortFunc(families, func(a, b *Family) int { return strings.Compare(a.Name, b.Name) })
	return families
}
