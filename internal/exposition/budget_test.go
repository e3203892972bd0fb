package exposition

import (
	"bytes"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/encoding/protowire"
)

// A body that stands for far more than it weighs is refused before memory is taken for it, and one just
// below the bounds is decoded.
func TestBodiesThatStandForTooMuchAreRefused(t *testing.T) {
	message := func(metrics []byte) []byte {
		family := append([]byte{familyName<<3 | 2, 1, 'm', familyType << 3, 1}, metrics...)
		return append(protowire.AppendVarint(nil, uint64(len(family))), family...)
	}
	metric := func(content []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, familyMetric, protowire.BytesType), content)
	}
	emptyMetric, emptyLabel := metric(nil), []byte{metricLabel<<3 | 2, 0}
	for name, test := range map[string]struct {
		body []byte
		want string
	}{
		"empty metrics":        {message(bytes.Repeat(emptyMetric, maxHollow+1)), "metrics without a value"},
		"empty labels":         {message(metric(bytes.Repeat(emptyLabel, maxHollow+1))), "labels without a name"},
		"metrics":              {message(bytes.Repeat(metric([]byte{18, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0}), maxMetrics+1)), "more than 2000000 metrics"},
		"allowed empty metric": {message(bytes.Repeat(emptyMetric, maxHollow)), ""},
	} {
		_, err := DecodeProtobuf(test.body)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	_, err := DecodeText(bytes.Repeat([]byte{'\n'}, maxLines+1), model.LegacyValidation)
	if err == nil || !strings.Contains(err.Error(), "lines are more than") {
		t.Errorf("%d lines: %v", maxLines+1, err)
	}
	if _, err := DecodeText(bytes.Repeat([]byte{'\n'}, maxLines), model.LegacyValidation); err != nil {
		t.Errorf("%d lines: %v", maxLines, err)
	}
}
