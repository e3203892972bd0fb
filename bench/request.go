package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
)

// maxKeys is how many groups fit the digits of a key.
const (
	keyDigits = 7
	maxKeys   = 9_999_999
)

// shape is what one group holds: families, and series in each of them. Odd families are counters, even
// ones gauges.
type shape struct{ families, series int }

func (s shape) samples() int { return s.families * s.series }

// pushRequest is a whole HTTP request with room for another key and other values, so that a client spends
// little of the CPU that it shares with what it measures. Each client has its own.
type pushRequest struct {
	raw      []byte
	keyAt    int
	valuesAt []int // text: 8 digits with a point; protobuf: a little endian double
	protobuf bool
	random   *rand.Rand
}

// Values are 7 digits, a point behind the third, so that all texts have one length.
const (
	valueText  = "123.4567"
	valueLeast = 1_000_000
	valueCount = 9_000_000
)

func newPushRequest(s shape, protobuf bool, seed uint64) *pushRequest {
	p := &pushRequest{protobuf: protobuf, random: rand.New(rand.NewPCG(seed, 1))}
	contentType, body := "text/plain; version=0.0.4", p.text(s)
	if protobuf {
		contentType = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
		p.valuesAt = nil
		body = p.proto(s)
	}
	head := "PUT /metrics/job/bench/instance/g"
	p.keyAt = len(head)
	head += fmt.Sprintf("%0*d HTTP/1.1\r\nHost: bench\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", keyDigits, 0, contentType, len(body))
	p.raw = append([]byte(head), body...)
	for i := range p.valuesAt {
		p.valuesAt[i] += len(head)
	}
	return p
}

func familyName(family int) string {
	if family%2 == 1 {
		return fmt.Sprintf("bench_step_%d_items_total", family)
	}
	return fmt.Sprintf("bench_step_%d_duration_seconds", family)
}

func familyHelp(family int) string { return fmt.Sprintf("What step %d of the job came to.", family) }

func (p *pushRequest) text(s shape) []byte {
	var b []byte
	for family := range s.families {
		name, kind := familyName(family), "gauge"
		if family%2 == 1 {
			kind = "counter"
		}
		b = fmt.Appendf(b, "# HELP %s %s\n# TYPE %s %s\n", name, familyHelp(family), name, kind)
		for series := range s.series {
			b = fmt.Appendf(b, "%s{part=\"p%05d\",outcome=\"done\"} ", name, series)
			p.valuesAt = append(p.valuesAt, len(b))
			b = append(b, valueText+"\n"...)
		}
	}
	return b
}

// proto builds length-delimited MetricFamily messages by hand: the driver must know where values stand.
func (p *pushRequest) proto(s shape) []byte {
	var b []byte
	for family := range s.families {
		isGauge := uint64(1 - family%2) // the enum has counter 0 and gauge 1
		message := appendField(nil, 1, []byte(familyName(family)))
		message = appendField(message, 2, []byte(familyHelp(family)))
		message = binary.AppendUvarint(append(message, 3<<3), isGauge)
		var at []int
		for series := range s.series {
			metric := appendLabel(nil, "part", fmt.Sprintf("p%05d", series))
			metric = appendLabel(metric, "outcome", "done")
			value := append([]byte{1<<3 | 1}, make([]byte, 8)...)
			metric = appendField(metric, 3-isGauge, value) // field 2 is a gauge, field 3 a counter
			message = appendField(message, 4, metric)
			at = append(at, len(message)-8)
		}
		b = binary.AppendUvarint(b, uint64(len(message)))
		for _, offset := range at {
			p.valuesAt = append(p.valuesAt, len(b)+offset)
		}
		b = append(b, message...)
	}
	return b
}

func appendField(b []byte, field uint64, content []byte) []byte {
	b = binary.AppendUvarint(b, field<<3|2)
	b = binary.AppendUvarint(b, uint64(len(content)))
	return append(b, content...)
}

func appendLabel(b []byte, name, value string) []byte {
	return appendField(b, 1, appendField(appendField(nil, 1, []byte(name)), 2, []byte(value)))
}

// aim returns the request for a key, with new values throughout. It is good until the next call.
func (p *pushRequest) aim(key int) []byte {
	putDigits(p.raw[p.keyAt:p.keyAt+keyDigits], uint64(key))
	v := p.random.Uint64()
	for _, at := range p.valuesAt {
		v = v*6364136223846793005 + 1442695040888963407
		value := valueLeast + (v>>33)%valueCount
		if p.protobuf {
			binary.LittleEndian.PutUint64(p.raw[at:], math.Float64bits(float64(value)/10_000))
			continue
		}
		putDigits(p.raw[at:at+3], value/10_000)
		putDigits(p.raw[at+4:at+8], value%10_000)
	}
	return p.raw
}

// aimAny is aim at a random key below count.
func (p *pushRequest) aimAny(count int) []byte { return p.aim(p.random.IntN(count)) }

func putDigits(b []byte, n uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}

// scrapeRequest asks for the page in text, compressed or not.
func scrapeRequest(gzip bool) []byte {
	accepts := "identity"
	if gzip {
		accepts = "gzip"
	}
	return []byte("GET /metrics HTTP/1.1\r\nHost: bench\r\nAccept: text/plain\r\nAccept-Encoding: " + accepts + "\r\n\r\n")
}
