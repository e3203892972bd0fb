package web

import (
	"bufio"
	"encoding/json"
	"net/http"
)

// jsonStream writes an answer of the API piece by piece, {"status":"success","data":{…}}, so that it may
// be far larger than what is held for it. After the first error it writes nothing more.
type jsonStream struct {
	w    http.ResponseWriter
	out  *bufio.Writer
	deep []bool // whether something was written, of each object and array that is open
	err  error
}

func newJSONStream(w http.ResponseWriter) *jsonStream {
	w.Header().Set("Content-Type", jsonType)
	s := &jsonStream{w: w, out: bufio.NewWriterSize(w, 32<<10), deep: []bool{false}}
	s.write(`{"status":"success","data":{`)
	return s
}

// writeReply answers with something that is not large.
func writeReply(w http.ResponseWriter, reply any) error {
	text, err := json.Marshal(struct {
		Status string `json:"status"`
		Reply  any    `json:"data"`
	}{"success", reply})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", jsonType)
	_, err = w.Write(text)
	return ended(err)
}

func (s *jsonStream) write(text string) {
	if s.err == nil {
		_, s.err = s.out.WriteString(text)
	}
}

// comma separates what comes from what was before it.
func (s *jsonStream) comma() {
	last := &s.deep[len(s.deep)-1]
	if *last {
		s.write(",")
	}
	*last = true
}

// name begins a member of an object.
func (s *jsonStream) name(name string) {
	s.comma()
	s.write(`"` + name + `":`)
}

// value writes any value.
func (s *jsonStream) value(v any) {
	text, err := json.Marshal(v)
	s.fail(err)
	if s.err == nil {
		_, s.err = s.out.Write(text)
	}
}

// fail ends the answer early, so that the client sees that it is not whole.
func (s *jsonStream) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// object writes a member of the object that is open.
func (s *jsonStream) object(name string, v any) {
	s.name(name)
	s.value(v)
}

// begin opens an array as a member of the object that is open.
func (s *jsonStream) begin(name string) {
	s.name(name)
	s.write("[")
	s.deep = append(s.deep, false)
}

// item writes an element of the array that is open.
func (s *jsonStream) item(v any) {
	s.comma()
	s.value(v)
}

// end closes the array that is open.
func (s *jsonStream) end() {
	s.write("]")
	s.deep = s.deep[:len(s.deep)-1]
}

// open and shut write an object as an element of the array that is open.
func (s *jsonStream) open() {
	s.comma()
	s.write("{")
	s.deep = append(s.deep, false)
}

func (s *jsonStream) shut() {
	s.write("}")
	s.deep = s.deep[:len(s.deep)-1]
}

// close ends the answer. Its error is that of the client who has left, see ended.
func (s *jsonStream) close() error {
	s.write("}}")
	if s.err == nil {
		s.err = s.out.Flush()
	}
	return ended(s.err)
}
