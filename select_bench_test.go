package holdfast

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkSelect defends that a list of 100,000 groups of 20 series is made in a fraction of a second,
// and in memory that depends on the groups listed, not on the groups held.
func BenchmarkSelect(b *testing.B) {
	g := newTestGateway(b, nil)
	families := batch(1)
	for i := range 100_000 {
		if err := g.Push(b.Context(), Push{Key: shapedKey(i, 4), Families: families, Time: time.Unix(int64(i*7919%100_000), 0)}); err != nil {
			b.Fatal(err)
		}
	}
	selector, err := ParseSelector(`{job=~"batch_.*99",zone_2!=""}`)
	if err != nil {
		b.Fatal(err)
	}
	for name, q := range map[string]Query{
		"first page": {}, "last page of keys": {Descending: true}, "by push": {Sort: ByPushed, Descending: true},
		"text": {Text: "H_0777"}, "text found nowhere": {Text: "nowhere"}, "matchers": {Selectors: []Selector{selector}},
	} {
		q.Limit = 100
		b.Run(fmt.Sprintf("query=%s", name), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := g.Select(q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
