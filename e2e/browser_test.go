package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// startBrowser starts a Chromium that ends with the test.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(need(t, "chromium", "chromium")), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("lang", "en-US"))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("starting chromium: %v", err)
	}
	return ctx
}

// look is how a reader looks at the page.
type look struct {
	language, theme string // theme is light or dark, as the system asks for
	width, height   int
	scriptless      bool
}

func (l look) String() string {
	name := fmt.Sprintf("%s-%s-%d", l.language, l.theme, l.width)
	if l.scriptless {
		name += "-scriptless"
	}
	return name
}

// usual is the look of tests to which it is all the same.
func usual() look { return look{language: "en", theme: "light", width: 1280, height: 900} }

// tab is a tab of the browser, with cookies of its own.
type tab struct {
	*testing.T
	ctx context.Context
	url string
	look

	mu         sync.Mutex
	complaints []string // errors and exceptions on the console
}

// openTab opens a tab on a gateway. When the test ends, nothing may have gone wrong on the page.
func openTab(t *testing.T, browser context.Context, g gateway, l look) *tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, patience)
	t.Cleanup(stop)
	b := &tab{T: t, ctx: ctx, url: g.url, look: l}
	b.do(chromedp.Navigate("about:blank"), chromedp.EmulateViewport(int64(l.width), int64(l.height)))
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleError || m.IsException() {
				b.mu.Lock()
				b.complaints = append(b.complaints, m.Text)
				b.mu.Unlock()
			}
		}
	}()
	call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": json.RawMessage(fmt.Sprintf("%q", l.language))}})
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.theme}}})
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: l.scriptless})
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, complaint := range b.complaints {
			t.Errorf("the console says: %s", complaint)
		}
	})
	return b
}

func call[P, R any](b *tab, command cdp.Command[P, R], parameters P) {
	b.Helper()
	if _, err := chromedp.Call(b.ctx, command, parameters); err != nil {
		b.Fatalf("%s: %v", command.Method, err)
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.Fatalf("in the browser: %v", err)
	}
}

// visit opens a path of the gateway.
func (b *tab) visit(path string) {
	b.Helper()
	b.do(chromedp.Navigate(b.url + path))
}

// eval evaluates an expression on the page.
func eval[T any](b *tab, expression string) T {
	b.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatalf("evaluating %.200s: %v", expression, err)
	}
	return value
}

// await waits until an expression holds on the page.
func (b *tab) await(expression string) {
	b.Helper()
	eventually(b.T, "on the page: "+expression, func() bool {
		value, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression))
		return err == nil && value
	})
}

// click clicks on the first element of a CSS selector, as a hand does.
func (b *tab) click(selector string) {
	b.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// fill writes into a field.
func (b *tab) fill(selector, text string) {
	b.Helper()
	b.do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// says waits until the page shows these texts.
func (b *tab) says(texts ...string) {
	b.Helper()
	for _, text := range texts {
		b.await(fmt.Sprintf("document.querySelector('main').innerText.includes(%q)", text))
	}
}

// shoot keeps a screenshot among the artefacts.
func (b *tab) shoot(name string) {
	b.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.Fatalf("taking a screenshot: %v", err)
	}
	if err := os.MkdirAll("artefacts", 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("artefacts", name+".png"), picture, 0o644); err != nil {
		b.Fatal(err)
	}
}

// fits checks that nothing makes the page wider than its window.
func (b *tab) fits() {
	b.Helper()
	if wide := eval[int](b, "document.documentElement.scrollWidth"); wide > b.width {
		widest := eval[string](b, `[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + '.' + e.className).slice(0, 5).join(', ')`)
		b.Errorf("the page is %d wide in a window of %d: %s", wide, b.width, widest)
	}
}

// violation is what axe found wrong.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML           string
		FailureSummary string
	}
}

// isAccessible lets axe-core judge the page as it is.
func (b *tab) isAccessible() {
	b.Helper()
	const file = "node_modules/axe-core/axe.min.js"
	needFile(b.T, file, "run npm ci in e2e/")
	source, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	eval[bool](b, string(source)+"; true")
	found := eval[[]violation](b, `axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)`)
	for _, v := range found {
		if !slices.Contains([]string{"serious", "critical"}, v.Impact) {
			continue
		}
		b.Errorf("%s: axe finds %s (%s): %s", b.look, v.ID, v.Impact, v.Help)
		for _, node := range v.Nodes[:min(3, len(v.Nodes))] {
			b.Logf("  %.300s\n  %.300s", node.HTML, node.FailureSummary)
		}
	}
}
