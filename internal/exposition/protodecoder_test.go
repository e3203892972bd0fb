package exposition

import (
	"encoding/binary"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// protoByLibrary is what the library makes of a body, message by message.
func protoByLibrary(body []byte) (families []*Family, problem string) {
	byName := map[string]*Family{}
	for len(body) > 0 {
		size, n := binary.Uvarint(body)
		if n < 0 {
			return nil, errVarint.Error()
		}
		if n == 0 || size > uint64(len(body)-n) {
			return nil, io.ErrUnexpectedEOF.Error()
		}
		mf := &dto.MetricFamily{}
		if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(body[n:n+int(size)], mf); err != nil {
			return nil, strings.ReplaceAll(err.Error(), "\u00a0", " ")
		}
		byName[mf.GetName()] = FromProto(mf)
		body = body[n+int(size):]
	}
	for _, f := range byName {
		families = append(families, f)
	}
	slices.SortFunc(families, func(a, b *Family) int { return strings.Compare(a.Name, b.Name) })
	return families, ""
}

// sendable returns one message behind its length.
func sendable(message []byte) []byte {
	return append(protowire.AppendVarint(nil, uint64(len(message))), message...)
}

// joined returns a field of a message.
func joined(number protowire.Number, content ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), slices.Concat(content...))
}

// oddMessages are bodies that no client library sends.
func oddMessages() [][]byte {
	name, number := joined(familyName, []byte("x")), protowire.AppendFixed64([]byte{9}, math.Float64bits(3))
	label := joined(metricLabel, joined(labelName, []byte("a")), joined(labelValue, []byte("b")))
	varint := func(n protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, n, protowire.VarintType), v)
	}
	counter, gauge := joined(3, number), joined(2, number)
	exemplar := joined(2, joined(1, joined(1, []byte("id")), joined(2, []byte("1"))))
	metrics := [][]byte{
		joined(familyMetric), joined(familyMetric, counter), joined(familyMetric, counter, counter),
		joined(familyMetric, counter, label), joined(familyMetric, label, label, gauge), joined(familyMetric, gauge, counter),
		joined(familyMetric, joined(3)), joined(familyMetric, joined(3, number, number)), joined(familyMetric, joined(3, exemplar, number)),
		joined(familyMetric, joined(3, exemplar), joined(3, number)), joined(familyMetric, joined(3, number[:5])),
		joined(familyMetric, joined(3, varint(1, 5))), joined(familyMetric, joined(4), counter), joined(familyMetric, joined(7), joined(7)),
		joined(familyMetric, varint(metricTimestamp, 0), counter), joined(familyMetric, counter, varint(99, 1)),
		joined(familyMetric, joined(1, joined(1, []byte("a")), joined(1, []byte("b")))), joined(familyMetric, joined(1, varint(1, 1))),
		joined(familyMetric, joined(1)), joined(familyMetric, counter[:6]), varint(familyMetric, 1), joined(familyMetric, joined(1, []byte{0x0a})),
	}
	heads := [][]byte{
		nil, name, slices.Concat(name, varint(familyType, 1)), slices.Concat(varint(familyType, 4), name, varint(familyType, 0)),
		slices.Concat(name, varint(familyType, 6)), slices.Concat(name, varint(familyType, 1<<32|1)), slices.Concat(name, joined(familyName, []byte("y"))),
		slices.Concat(name, varint(99, 1)), slices.Concat(joined(familyHelp, []byte("\xff")), joined(familyUnit, []byte("s")), joined(familyName, []byte("\xff"))),
		slices.Concat(name, joined(familyType, []byte("1"))), slices.Concat(name, []byte{0x0b, 0x0c}), slices.Concat(name, []byte{0}), slices.Concat(name, []byte{0xff}),
		slices.Concat(name, varint(familyType, 2)), slices.Concat(name, []byte{0xa2, 0x80, 0x00, 0x00}),
	}
	var bodies [][]byte
	for _, h := range heads {
		for _, m := range metrics {
			bodies = append(bodies, sendable(slices.Concat(h, m)), sendable(slices.Concat(m, h, m)))
		}
	}
	return bodies
}

// FuzzDecodeProtobufAgainstLibrary defends that nothing but the time differs from the library's decoder.
func FuzzDecodeProtobufAgainstLibrary(f *testing.F) {
	for _, body := range slices.Concat(oddMessages(), recordedBodies(f, true)) {
		f.Add(body)
	}
	f.Add(slices.Concat(oddMessages()...))
	for _, mf := range protosOfAllTypes() {
		f.Add(slices.Concat(delimited(f, mf), delimited(f, mf, mf)))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := slices.Clone(body)
		want, problem := protoByLibrary(body)
		got, err := DecodeProtobuf(body)
		if !slices.Equal(body, before) {
			t.Fatalf("%x: the body was changed", before)
		}
		if err != nil || problem != "" {
			if err == nil || err.Error() != problem {
				t.Fatalf("%x:\n got %v\nwant %s", body, err, problem)
			}
			return
		}
		clear(body) // what was kept must not be part of it
		if got, want := describedAll(got), describedAll(want); got != want {
			t.Fatalf("%x:\n got %s\nwant %s", before, got, want)
		}
		copy(body, before)
	})
}
