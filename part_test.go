package holdfast

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"

	"holdfast/internal/exposition"
)

func scrapePart(t *testing.T, g *Gateway, o ScrapeOptions) string {
	t.Helper()
	var page bytes.Buffer
	if err := g.Scrape(t.Context(), &page, o); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

// The shards of a page hold each of its samples once, also where families are masked, whatever is pushed
// between scrapes.
func TestShardsComeToThePage(t *testing.T) {
	g := newTestGateway(t, func(o *Options) { o.Unchecked = true })
	r := rand.New(rand.NewPCG(7, 7))
	types := []dto.MetricType{dto.MetricType_GAUGE, dto.MetricType_GAUGE, dto.MetricType_COUNTER}
	text := exposition.Format{Escaping: model.UnderscoreEscaping}
	for range 20 {
		for range 30 {
			mustPush(t, g, shapedKey(r.IntN(300), 1+r.IntN(3)), oneMetric(fmt.Sprintf("m%d", r.IntN(4)), types[r.IntN(3)]))
		}
		want := samplesOf(scrapePart(t, g, ScrapeOptions{Format: text}))
		of := 2 + r.IntN(9)
		var got []string
		for shard := 1; shard <= of; shard++ {
			got = append(got, samplesOf(scrapePart(t, g, ScrapeOptions{Format: text, Part: Part{Shard: shard, Of: of}}))...)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("%d shards hold %d samples, the page %d", of, len(got), len(want))
		}
	}
}

func samplesOf(page string) []string {
	var samples []string
	for line := range strings.Lines(page) {
		if line[0] != '#' {
			samples = append(samples, line)
		}
	}
	return samples
}

// The shard of a key must never change, or series would move between targets at an upgrade.
func TestShardIsFixed(t *testing.T) {
	var got []int
	for i := range 10 {
		got = append(got, shardOf(job(fmt.Sprintf("job%d", i)), 8))
	}
	if want := []int{6, 6, 3, 7, 2, 5, 3, 1, 6, 2}; !slices.Equal(got, want) {
		t.Errorf("shards are %v, want %v", got, want)
	}
}

// Selectors that select everything come to the page, byte for byte, in every format.
func TestPartOfAllIsThePage(t *testing.T) {
	g := newTestGateway(t, nil)
	for i := range 300 {
		mustPush(t, g, job(fmt.Sprintf("job%d", i)), oneMetric([]string{"plain", "not.plain"}[i%2], dto.MetricType_GAUGE))
	}
	var all []Selector
	for _, text := range []string{`{job=~".*7.*"}`, `{job!~".*7.*"}`} {
		s, err := ParseSelector(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	for _, f := range formats() {
		if got, want := scrapePart(t, g, ScrapeOptions{Format: f, Part: Part{Selectors: all}}), scrapePart(t, g, ScrapeOptions{Format: f}); got != want {
			t.Errorf("%+v: the part has %d bytes, the page %d", f, len(got), len(want))
		}
	}
	if err := g.Scrape(t.Context(), io.Discard, ScrapeOptions{Part: Part{Selectors: make([]Selector, MaxSelectors+1)}}); err == nil {
		t.Error("any number of selectors is taken")
	}
}
