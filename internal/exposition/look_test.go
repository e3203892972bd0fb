package exposition

import (
	"fmt"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// Has must find every label set of a block and no other, however many the block has.
func TestHas(t *testing.T) {
	for _, n := range []int{1, scanned, scanned + 1, 1000} {
		odd := blockOfGauges(t, n, 1)
		even := blockOfGauges(t, n, 0)
		for series := range odd.EachSeries() {
			if !odd.Has(series) {
				t.Errorf("a block of %d series does not have its own %q", n, series)
			}
			if even.Has(series) {
				t.Errorf("a block of %d series has %q of another one", n, series)
			}
		}
		if odd.SameSets(even) || !odd.SameSets(blockOfGauges(t, n, 1)) {
			t.Errorf("blocks of %d series: SameSets takes others for the same, or the same for others", n)
		}
	}
}

// blockOfGauges makes a block of n gauges, numbered in steps of two.
func blockOfGauges(t *testing.T, n, from int) *Block {
	t.Helper()
	mf := &dto.MetricFamily{Name: proto.String("m"), Type: dto.MetricType_GAUGE.Enum()}
	for i := range n {
		mf.Metric = append(mf.Metric, &dto.Metric{
			Label: []*dto.LabelPair{{Name: proto.String("n"), Value: proto.String(fmt.Sprint(2*i + from))}},
			Gauge: &dto.Gauge{Value: proto.Float64(float64(from))},
		})
	}
	b, err := FromProto(mf).Encode(Labels{{Name: "job", Value: "j"}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGaugeBlock(t *testing.T) {
	got := GaugeBlock("push_time_seconds", Labels{{Name: "job", Value: "a\"b"}}, 1.5)
	if text := lines("push_time_seconds", got); text != "push_time_seconds{instance=\"\",job=\"a\\\"b\"} 1.5\n" {
		t.Errorf("text is %q", text)
	}
	again, err := DecodeBlock("push_time_seconds", dto.MetricType_GAUGE, got.Proto())
	if err != nil || lines("push_time_seconds", again) != lines("push_time_seconds", got) || !again.SameSets(got) {
		t.Errorf("decoded again it is %+v (%v)", again, err)
	}
}
