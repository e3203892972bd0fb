package pgwfile_test

import (
	"bytes"
	"encoding/gob"
	"errors"
	"io"
	"maps"
	"strings"
	"testing"
	"testing/iotest"

	"holdfast/internal/pgwfile"
)

var errBroken = errors.New("broken")

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errBroken }

func TestReadRefuses(t *testing.T) {
	file := encodeAsReference(t, asReference(samples()))
	wrongKey := asReference(samples())
	wrongKey["job\xffb"] = wrongKey["job\xffa"]
	wrongName := asReference(samples())
	wrongName["job\xffa"].Metrics["other"] = wrongName["job\xffa"].Metrics["gauge"]
	var list bytes.Buffer
	if err := gob.NewEncoder(&list).Encode([]string{"a", "b"}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":         {nil, "the file is empty"},
		"truncated":     {file[:len(file)-1], "the file ends at byte "},
		"text":          {[]byte("# HELP x y\nx 1\n"), "or a damaged one: byte 3: the value is no map of groups"},
		"a page of it":  {bytes.Repeat([]byte("x 1\n"), 2000), "no persistence file of a Pushgateway"},
		"zeros":         {make([]byte, 4096), "no persistence file of a Pushgateway"},
		"two in one":    {append(file[:len(file):len(file)], file...), "the groups end here, the file goes on"},
		"another gob":   {list.Bytes(), "no persistence file of a Pushgateway"},
		"another key":   {encodeAsReference(t, wrongKey), "do not make up the grouping key \"job\\xffb\""},
		"another name":  {encodeAsReference(t, wrongName), `family "gauge" is stored under the name "other"`},
		"claims memory": {[]byte{0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xf8, 0x1f, 0, 0, 0, 0, 0, 0, 0}, "the file ends at byte 29"},
	} {
		groups, err := pgwfile.Read(bytes.NewReader(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) || groups != nil {
			t.Errorf("%s: %d groups, error %v, want %q", name, len(groups), err, c.want)
		}
	}
}

// Every beginning of a file is refused as a truncated one, and so is a reader that fails.
func TestReadTruncated(t *testing.T) {
	file := encodeAsReference(t, asReference(samples()[1:2]))
	for n := 1; n < len(file); n++ {
		if _, err := pgwfile.Read(bytes.NewReader(file[:n])); err == nil || !strings.HasPrefix(err.Error(), "the file ends at byte ") {
			t.Fatalf("the first %d of %d bytes: %v", n, len(file), err)
		}
		r := io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(errBroken))
		if _, err := pgwfile.Read(r); !errors.Is(err, errBroken) {
			t.Fatalf("broken after %d bytes: %v", n, err)
		}
	}
}

// FuzzRead: whatever the bytes are, Read ends with groups or an error, and where gob reads the bytes as
// well, both read the same.
func FuzzRead(f *testing.F) {
	all := asReference(samples())
	maps.DeleteFunc(all, func(_ string, g MetricGroup) bool { return g.Labels["l x"] != "" })
	f.Add(encodeAsReference(f, all))
	f.Add(encodeAsReference(f, nil))
	f.Add([]byte("\x04\xff\x81\x04\x01"))
	f.Fuzz(func(t *testing.T, file []byte) {
		groups, err := pgwfile.Read(bytes.NewReader(file))
		if err != nil {
			if groups != nil {
				t.Fatalf("%d groups and the error %v", len(groups), err)
			}
			return
		}
		var stored GroupingKeyToMetricGroup
		if err := gob.NewDecoder(bytes.NewReader(file)).Decode(&stored); err != nil {
			return
		}
		if d := diff(asGroups(stored), groups); d != "" {
			t.Errorf("(-gob +Read)\n%s", d)
		}
	})
}
