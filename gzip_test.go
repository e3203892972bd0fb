package holdfast

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"

	"holdfast/internal/exposition"
)

func FuzzJoinCRC(f *testing.F) {
	f.Add([]byte("a"), []byte(""))
	f.Add([]byte(""), []byte("some text"))
	f.Add(bytes.Repeat([]byte("x"), 70_000), []byte("y"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		got := joinCRC(crc32.ChecksumIEEE(a), crc32.ChecksumIEEE(b), shiftFor(len(b)))
		if want := crc32.ChecksumIEEE(append(bytes.Clone(a), b...)); got != want {
			t.Errorf("joined checksum of %d and %d bytes is %x, want %x", len(a), len(b), got, want)
		}
	})
}

// formats are those that are joined from pages, and one that is not.
func formats() []exposition.Format {
	var all []exposition.Format
	for _, syntax := range []exposition.Syntax{exposition.Text, exposition.Delimited, exposition.CompactText} {
		for _, scheme := range []model.EscapingScheme{model.NoEscaping, model.UnderscoreEscaping, model.ValueEncodingEscaping} {
			all = append(all, exposition.Format{Syntax: syntax, Escaping: scheme})
		}
	}
	return all
}

// A compressed scrape must be one gzip member, or zstd, with the very bytes of the plain one, after whatever
// happened between two scrapes, in every format, own metrics and names that need escaping among them.
func TestGzipScrapeEqualsPlainOne(t *testing.T) {
	g := newTestGateway(t, nil)
	r := rand.New(rand.NewPCG(1, 3))
	push := func() {
		name, label := "plain_metric", "plain_label"
		if r.IntN(3) == 0 {
			name, label = "strange.metric", "strange.label"
		}
		mf := &dto.MetricFamily{Name: proto.String(name), Help: proto.String("Some help."), Type: dto.MetricType_GAUGE.Enum()}
		for i := range 1 + r.IntN(40) {
			mf.Metric = append(mf.Metric, &dto.Metric{
				Label: []*dto.LabelPair{{Name: proto.String(label), Value: proto.String(fmt.Sprint(i))}},
				Gauge: &dto.Gauge{Value: proto.Float64(r.NormFloat64())},
			})
		}
		mustPush(t, g, job(fmt.Sprintf("job%04d", r.IntN(1000))), decoded([]*dto.MetricFamily{mf}))
	}
	for range 800 {
		push()
	}
	for range 4 {
		for _, f := range formats() {
			compareCompressed(t, g, f)
		}
		for range r.IntN(20) {
			push()
		}
		if err := g.Delete(t.Context(), job(fmt.Sprintf("job%04d", r.IntN(1000)))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"plain_metric", "strange.metric"} {
		if pages := len(g.index.families[name].variants[0].blocks.pages); pages < smallFamily {
			t.Errorf("%s has %d pages only, so nothing was joined", name, pages)
		}
	}
}

func compareCompressed(t *testing.T, g *Gateway, f exposition.Format) {
	t.Helper()
	var plain bytes.Buffer
	if err := g.Scrape(t.Context(), &plain, ScrapeOptions{Format: f}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []Coding{Gzip, Zstd} {
		if inflated := inflatedScrape(t, g, ScrapeOptions{Format: f, Coding: c}); !bytes.Equal(inflated, plain.Bytes()) {
			t.Fatalf("%+v: the page in coding %d has %d bytes inflated, the plain one %d", f, c, len(inflated), plain.Len())
		}
	}
}

// inflatedScrape scrapes and inflates what comes. Gzip must be one member; zstd may be many frames.
func inflatedScrape(t *testing.T, g *Gateway, o ScrapeOptions) []byte {
	t.Helper()
	var compressed bytes.Buffer
	if err := g.Scrape(t.Context(), &compressed, o); err != nil {
		t.Fatal(err)
	}
	if o.Coding == Zstd {
		d, err := zstd.NewReader(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		page, err := d.DecodeAll(compressed.Bytes(), nil)
		if err != nil || compressed.Len() == 0 {
			t.Fatalf("%+v: %d bytes, %v", o.Format, compressed.Len(), err)
		}
		return page
	}
	member, err := gzip.NewReader(&compressed)
	if err != nil {
		t.Fatal(err)
	}
	member.Multistream(false)
	page, err := io.ReadAll(member)
	if err != nil {
		t.Fatalf("%+v: %v", o.Format, err)
	}
	if compressed.Len() != 0 {
		t.Errorf("%+v: %d bytes follow the first member", o.Format, compressed.Len())
	}
	return page
}

// A gateway that has nothing to say, says so in all codings.
func TestEmptyScrapeInflates(t *testing.T) {
	g := newTestGateway(t, nil)
	for _, f := range formats() {
		compareCompressed(t, g, f)
	}
}

// A page that did not change is compressed once, however often and by however many it is scraped.
func TestUnchangedPageIsCompressedOnce(t *testing.T) {
	g := newTestGateway(t, nil)
	for i := range 3000 {
		mustPush(t, g, job(fmt.Sprintf("job%04d", i)), oneMetric("m", dto.MetricType_GAUGE))
	}
	text := exposition.Format{Syntax: exposition.Text, Escaping: model.UnderscoreEscaping}
	scrape := func(c Coding) map[*press]bool {
		if err := g.Scrape(t.Context(), io.Discard, ScrapeOptions{Format: text, Coding: c}); err != nil {
			t.Fatal(err)
		}
		found := map[*press]bool{}
		for _, l := range g.index.families["m"].variants[0].blocks.pages {
			found[l.pressed.forms[kindOf(text.Syntax, c)].Load()] = true
		}
		return found
	}
	for _, c := range []Coding{Gzip, Zstd} {
		before := scrape(c)
		mustPush(t, g, job("job1500"), oneMetric("m", dto.MetricType_GAUGE))
		after := scrape(c)
		fresh := 0
		for p := range after {
			if !before[p] {
				fresh++
			}
		}
		if fresh != 1 || len(after) < 5 {
			t.Errorf("coding %d: after one push %d of %d pages were compressed, want 1", c, fresh, len(after))
		}
	}
}

// BenchmarkGzipScrape defends that a compressed scrape costs what changed: against compressing the same
// text as a whole, and against the plain scrape.
func BenchmarkGzipScrape(b *testing.B) {
	const groups = 10_000
	g := newTestGateway(b, nil)
	families := batch(2.5)
	push := func(i int) {
		if err := g.Push(b.Context(), Push{Key: shapedKey(i%groups, 1), Families: families, Time: time.Now()}); err != nil {
			b.Fatal(err)
		}
	}
	for i := range groups {
		push(i)
	}
	text := exposition.Format{Syntax: exposition.Text, Escaping: model.UnderscoreEscaping}
	b.Run("whole", func(b *testing.B) {
		page := []byte(scrapeText(b, g))
		p := pressers.Get().(*presser)
		for b.Loop() {
			p.text = page
			p.deflate()
		}
		b.SetBytes(int64(len(page)))
	})
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			if err := g.Scrape(b.Context(), io.Discard, ScrapeOptions{Format: text}); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, changed := range []int{0, groups / 1000, groups / 100} {
		b.Run(fmt.Sprintf("changed=%d", changed), func(b *testing.B) {
			n := 0
			for b.Loop() {
				b.StopTimer()
				for range changed {
					push(n)
					n += 7919
				}
				b.StartTimer()
				if err := g.Scrape(b.Context(), io.Discard, ScrapeOptions{Format: text, Coding: Gzip}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestSmallPagesCompressTogether(t *testing.T) {
	g := newTestGateway(t, nil)
	for i := range 500 {
		mustPush(t, g, job("many"+fmt.Sprint(i)), oneMetric(fmt.Sprintf("family_%d_of_very_many", i), dto.MetricType_GAUGE))
	}
	text := exposition.Format{Syntax: exposition.Text, Escaping: model.UnderscoreEscaping}
	var compressed bytes.Buffer
	if err := g.Scrape(t.Context(), &compressed, ScrapeOptions{Format: text, Coding: Gzip}); err != nil {
		t.Fatal(err)
	}
	if page := scrapeText(t, g); compressed.Len() > len(page)/4 || strings.Count(page, "# TYPE family_") != 500 {
		t.Errorf("%d bytes of 500 small families take %d bytes compressed", len(page), compressed.Len())
	}
}
