package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// attacks are texts that try to become markup, script or chaos.
func attacks() []string {
	return []string{
		`</script><script>window.attacked=1</script>`,
		`"><img src=x onerror=window.attacked=1>`,
		`'-window.attacked=1-'`,
		`javascript:window.attacked=1`,
		"`${window.attacked=1}`{{.}}",
		`</bdi></a></table></main><h1>gone</h1>`,
		"a\u202eb\u2066c\u200bd\u0001e\nf\tg\u2028h",
		"مرحبا שלום",
		strings.Repeat("W", 10_000),
		strings.Repeat("长 ", 3_300),
		"&lt;b&gt;&#0;%00%2e%2e/..//../",
		"",
	}
}

// TestBrowserHostile pushes attacks into every field that is shown, and looks at every view that shows
// them: nothing runs, nothing breaks out, nothing is wider than the window.
func TestBrowserHostile(t *testing.T) {
	g := startGateway(t, "--storage.engine=memory", "--push.enable-utf8-names", "--limit.label-bytes=0")
	for i, attack := range attacks() {
		labels := []*dto.LabelPair{{Name: proto.String("label " + attack), Value: &attack}}
		f := dto.MetricFamily{Name: proto.String("family " + attack), Help: &attack, Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{
			{Gauge: &dto.Gauge{Value: proto.Float64(1)}}, {Label: labels, Gauge: &dto.Gauge{Value: proto.Float64(2)}},
		}}
		path := fmt.Sprintf("/metrics/job@base64/%s/number/%d/l@base64/%s", encoded("job "+attack), i, encoded(attack))
		g.push(t, path, &f)
		if status, _ := g.do(t, http.MethodPost, path, "bad"+attack+"\n"); status == http.StatusOK {
			t.Errorf("attack %d was taken as metrics", i)
		}
		if status, _ := g.do(t, http.MethodPost, path, "m 1 1\n"); status != http.StatusBadRequest {
			t.Errorf("attack %d with a timestamp: %d", i, status)
		}
	}
	browser := startBrowser(t)
	for _, l := range []look{usual(), {language: "zh-CN", theme: "dark", width: 390, height: 844}} {
		t.Run(l.String(), func(t *testing.T) {
			b := openTab(t, browser, g, l)
			b.survives("/", "hostile")
			b.survives("/overview", "")
			b.survives("/failures", "hostile-failures")
			b.survives("/?q=%3C%2Fscript%3E%3Cscript%3Ewindow.attacked%3D1%3C%2Fscript%3E&match[]=%22%3E%3Cimg%20src=x%20onerror=window.attacked=1%3E", "")
			for i := range attacks() {
				if picture := ""; i%3 == 2 || l == usual() { // on a phone, of each kind of attack one
					if i%4 == 0 {
						picture = fmt.Sprintf("hostile-%d", i)
					}
					b.survives("/groups/"+idOf(t, g, fmt.Sprintf("number=%q", strconv.Itoa(i))), picture)
				}
			}
			b.visit("/groups/" + idOf(t, g, `number="6"`))
			b.says("U+202E", "U+2066", "U+200B", "U+2028")
		})
	}
}

// encoded writes a label value as paths carry any text.
func encoded(value string) string {
	if value == "" {
		return "="
	}
	return base64.RawURLEncoding.EncodeToString([]byte(value))
}

// survives opens a view and checks that what is pushed stayed text.
func (b *tab) survives(path, picture string) {
	b.Helper()
	b.visit(path)
	b.await("document.querySelectorAll('main').length == 1")
	if eval[bool](b, "'attacked' in window || !!document.querySelector('img, main h1 ~ h1, main script')") {
		b.Errorf("%s: an attack succeeded", path)
	}
	if links := eval[int](b, "[...document.querySelectorAll('a[href]')].filter(a => a.protocol != 'http:' || a.origin != location.origin).length"); links > 0 {
		b.Errorf("%s: %d links lead away", path, links)
	}
	b.fits()
	if picture != "" {
		b.shoot(picture + "-" + b.look.String())
	}
}

// TestBrowserManyGroups opens the page of a gateway with 100,000 groups, and finds one of them.
func TestBrowserManyGroups(t *testing.T) {
	const groups, workers = 100_000, 16
	g := startGateway(t, "--storage.engine=memory")
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}, Timeout: patience}
	failed := make(chan error, workers)
	for w := range workers {
		go func() {
			for i := w; i < groups; i += workers {
				if err := pushOne(client, g.url, i); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	for range workers {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	_, body := g.do(t, http.MethodGet, "/", "")
	first := time.Since(began)
	began = time.Now()
	g.do(t, http.MethodGet, "/?q=host-77777", "")
	t.Logf("first page: %d bytes in %v; search in %v", len(body), first, time.Since(began))
	if len(body) > 200<<10 {
		t.Errorf("the first page has %d bytes", len(body))
	}
	b := openTab(t, startBrowser(t), g, usual())
	b.visit("/")
	b.says("100,000 groups")
	b.shoot("many")
	b.fill("#search", "host-77777\r")
	b.await(rows + " == 1")
	b.says("1 group", "instance=host-77777")
	b.visit("/?sort=bytes&order=desc")
	b.click("[rel=next]")
	b.await("location.search.includes('cursor=') && " + rows + " == 100")
}

func pushOne(client *http.Client, base string, i int) error {
	body := strings.NewReader(fmt.Sprintf("batch_rows_total{step=\"load\"} %d\n", i))
	response, err := client.Post(fmt.Sprintf("%s/metrics/job/batch/instance/host-%05d", base, i), "text/plain", body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("push %d: %s", i, response.Status)
	}
	return nil
}
