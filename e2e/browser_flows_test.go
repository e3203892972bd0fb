package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestBrowserFlows walks through what an operator does, in one browser, with a gateway for each walk.
func TestBrowserFlows(t *testing.T) {
	chromium := startBrowser(t)
	for name, walk := range map[string]struct {
		look look
		walk func(b *tab, g gateway)
	}{
		"find":             {usual(), find},
		"delete":           {usual(), deleteChosen},
		"delete one":       {usual(), deleteOne},
		"delete all":       {usual(), deleteAll},
		"live":             {usual(), live},
		"copy":             {usual(), copyText},
		"settings":         {usual(), settings},
		"keyboard":         {usual(), keyboard},
		"first push":       {usual(), firstPush},
		"without a script": {look{language: "en", theme: "light", width: 1280, height: 900, scriptless: true}, withoutScript},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := startGateway(t, "--storage.engine=memory")
			walk.walk(openTab(t, chromium, g, walk.look), g)
		})
	}
}

// rows is the number of groups in the list.
const rows = "document.querySelectorAll('.list tbody input[name=id]').length"

func find(b *tab, g gateway) {
	furnish(b.T, g)
	b.visit("/")
	b.fill("#search", "db-3"+kb.Enter)
	b.await("location.search.includes('q=db-3') && " + rows + " == 1")
	b.says("1 group", "instance=db-3.example.net")
	b.visit("/")
	b.click(`.list .label.job a[href*="backup"]`)
	b.await(rows + " == 6")
	b.click(`.list .label:not(.job) a[href*="db-2"]`)
	b.await(rows + " == 1 && document.querySelectorAll('.chip').length == 2")
	b.click(".chip")
	b.await("document.querySelectorAll('.chip').length == 1")
	b.visit("/")
	b.fill(`input[name="match[]"]`, `branch!="main",branch=~".+"`+kb.Enter)
	b.await(rows + " == 6")
	b.click("th.pushed a")
	b.await("document.querySelector('th.pushed').getAttribute('aria-sort') == 'descending' && " + rows + " == 6")
	b.visit("/")
	b.do(chromedp.SetValue(chromedp.CSS("select[name=state]"), "failed"))
	b.await(rows + " == 2 && location.search.includes('state=failed')")
	b.says("Last push failed!", "Never succeeded")
}

func deleteChosen(b *tab, g gateway) {
	furnish(b.T, g)
	b.visit("/?q=backup")
	if !eval[bool](b, "document.querySelector('#delete-chosen').disabled") {
		b.Error("nothing is chosen, and the button invites to delete it")
	}
	b.click(".list tbody tr:nth-child(1) input")
	b.click(".list tbody tr:nth-child(3) input")
	b.await("document.querySelector('#delete-chosen').textContent.includes('(2)')")
	b.click("#delete-chosen")
	b.await("document.querySelector('dialog').open")
	question := eval[string](b, "document.querySelector('dialog').innerText")
	for _, want := range []string{"Delete 2 groups?", "db-1.example.net", "db-3.example.net"} {
		if !strings.Contains(question, want) {
			b.Errorf("the dialog does not say %q: %s", want, question)
		}
	}
	b.isAccessible()
	b.shoot("dialog")
	b.click("dialog [data-close]")
	b.await("!document.querySelector('dialog').open && " + rows + " == 6")
	b.click("#delete-chosen")
	b.await("document.querySelector('dialog').open")
	b.click("dialog .danger.full")
	b.await(rows + " == 4 && location.search.includes('q=backup')")
	b.says("2 groups were deleted.")
	for _, group := range g.groups(b.T) {
		if labels := group["labels"].(map[string]any); labels["instance"] == "db-1.example.net" || labels["instance"] == "db-3.example.net" {
			b.Errorf("%v is still there", labels)
		}
	}
}

func deleteOne(b *tab, g gateway) {
	furnish(b.T, g)
	before := len(g.groups(b.T))
	b.visit("/groups/" + idOf(b.T, g, "db-2"))
	b.click("button.danger")
	b.await("document.querySelector('dialog').open")
	b.click("dialog .danger.full")
	b.await("location.pathname == '/'")
	if after := len(g.groups(b.T)); after != before-1 {
		b.Errorf("of %d groups %d are left", before, after)
	}
}

func deleteAll(b *tab, g gateway) {
	furnish(b.T, g)
	b.visit("/")
	b.click("#delete-all")
	b.await("document.querySelector('dialog').open")
	b.click("dialog .danger.full")
	b.await("document.querySelector('main').innerText.includes('Nothing was pushed yet')")
	if left := g.groups(b.T); len(left) > 0 {
		b.Errorf("%d groups are left", len(left))
	}
}

// live refreshes while the reader has chosen a group and scrolled, and pauses when asked to.
func live(b *tab, g gateway) {
	furnish(b.T, g)
	b.visit("/?sort=key")
	b.do(chromedp.EmulateViewport(1280, 400))
	b.click(".list tbody tr:nth-child(4) input")
	eval[bool](b, "(scrollTo(0, 150), window.kept = 1, true)")
	if status, _ := g.do(b.T, http.MethodPut, "/metrics/job/aaa", "x 1\n"); status != http.StatusOK {
		b.Fatal(status)
	}
	b.await("document.querySelector('main').innerText.includes('aaa')")
	if !eval[bool](b, "window.kept == 1 && scrollY == 150 && document.querySelectorAll('.list tbody input:checked').length == 1") {
		b.Error("the refresh lost the place, the choice, or loaded the page anew")
	}
	if at := eval[string](b, "document.querySelector('.list tbody input:checked').closest('tr').innerText"); strings.Contains(at, "aaa") {
		b.Errorf("another group is chosen now: %s", at)
	}
	b.click("#live")
	b.await("document.querySelector('#live').getAttribute('aria-pressed') == 'false'")
}

func copyText(b *tab, g gateway) {
	furnish(b.T, g)
	b.visit("/groups/" + idOf(b.T, g, "db-2"))
	// A test may not read the clipboard, so it looks at what is laid there.
	eval[bool](b, "(navigator.clipboard.writeText = async (text) => { window.copied = text; }, true)")
	b.click(`[data-copy="example-delete"]`)
	b.await("document.querySelector('[data-copy=example-delete]').textContent == 'Copied'")
	command := eval[string](b, "window.copied")
	if want := "curl --fail-with-body -X DELETE '" + g.url + "/metrics/job/backup/instance/db-2.example.net'\n"; command != want {
		b.Fatalf("copied %q, want %q", command, want)
	}
	before := len(g.groups(b.T))
	run(b.T, "", "/bin/sh", "-c", command)
	if after := len(g.groups(b.T)); after != before-1 {
		b.Errorf("of %d groups %d are left once the command ran", before, after)
	}
	b.click(`[data-copy="example-alert"]`)
	b.await("document.querySelector('[data-copy=example-alert]').textContent == 'Copied'")
	rules := filepath.Join(b.TempDir(), "rules.yml")
	if err := os.WriteFile(rules, []byte(eval[string](b, "window.copied")), 0o600); err != nil {
		b.Fatal(err)
	}
	run(b.T, "", need(b.T, "promtool", "prometheus"), "check", "rules", rules)
}

// settings are chosen, kept over views, and kept when the page is opened again.
func settings(b *tab, g gateway) {
	furnish(b.T, g)
	b.visit("/?q=db-3")
	b.click(`.switch [hreflang="zh-CN"]`)
	b.await("document.documentElement.lang == 'zh-CN' && location.search == '?q=db-3'")
	b.click(`.switch [href*="theme=dark"]`)
	b.await("document.documentElement.dataset.theme == 'dark'")
	b.visit("/overview")
	b.says("概览", "最近推送失败")
	if scheme := eval[string](b, "getComputedStyle(document.documentElement).colorScheme"); scheme != "dark" {
		b.Errorf("the theme is %s", scheme)
	}
	b.click(`.switch [hreflang="en"]`)
	b.await("document.documentElement.lang == 'en'")
}

func keyboard(b *tab, g gateway) {
	furnish(b.T, g)
	b.visit("/")
	b.do(chromedp.KeyEvent("/"))
	b.await("document.activeElement.id == 'search'")
	b.do(chromedp.KeyEvent("warehouse"))
	b.do(chromedp.KeyEvent(kb.Enter))
	b.await(rows + " == 1")
	eval[bool](b, "(document.querySelector('#choose-all').focus(), true)")
	b.do(chromedp.KeyEvent(" "))
	b.await("!document.querySelector('#delete-chosen').disabled")
	eval[bool](b, "(document.querySelector('#delete-chosen').focus(), true)")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.await("document.querySelector('dialog').open && document.querySelector('dialog').contains(document.activeElement)")
	b.do(chromedp.KeyEvent(kb.Escape))
	b.await("!document.querySelector('dialog').open && document.activeElement.id == 'delete-chosen'")
	b.visit("/")
	b.do(chromedp.KeyEvent(kb.Tab))
	b.await("document.activeElement.className == 'skip'")
}

// firstPush runs the example that the empty page shows.
func firstPush(b *tab, g gateway) {
	b.visit("/")
	b.says("Nothing was pushed yet", g.url)
	b.isAccessible()
	b.shoot("empty")
	run(b.T, "", "/bin/sh", "-c", eval[string](b, "document.querySelector('#example-shell').textContent"))
	b.visit("/")
	b.says("job=nightly_report", "1 group")
	run(b.T, strings.ReplaceAll(eval[string](b, "fetch('./start').then(r => r.text()).then(t => new DOMParser().parseFromString(t, 'text/html').querySelector('#example-python').textContent)"),
		"nightly_report", "from_python"), "/usr/bin/python3", "-")
	b.visit("/")
	b.says("job=from_python", "2 groups")
}

func withoutScript(b *tab, g gateway) {
	furnish(b.T, g)
	b.visit("/")
	if shown := eval[int](b, "[...document.querySelectorAll('.scripted')].filter(e => getComputedStyle(e).display != 'none').length"); shown > 0 {
		b.Errorf("%d things are shown that need a script", shown)
	}
	b.fill("#search", "backup")
	b.click(".find button")
	b.await(rows + " == 6")
	b.click(".list tbody tr:nth-child(1) input")
	b.click(".list tbody tr:nth-child(2) input")
	b.click("#delete-chosen")
	b.await("location.pathname == '/delete'")
	b.says("Delete 2 groups?", "db-1.example.net", "db-2.example.net")
	b.click(".danger.full")
	b.await(rows + " == 4")
	b.says("2 groups were deleted.")
	b.click(".list .act a")
	b.await("location.pathname.startsWith('/groups/')")
	b.says("backup_size_bytes", "GiB")
}
