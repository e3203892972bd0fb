package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"
	"unicode"
)

// indirect are texts that reach say through a variable.
func indirect() []string {
	texts := []string{"Group", "Series", "Size", "Last push", "%s ago", "in %s"}
	texts = append(texts, "Groups", "Held", "Pushes", "Refusals")
	texts = append(texts, "Theme of the system", "Light theme", "Dark theme", "%s d", "%s h", "%s min", "%s s")
	texts = append(texts, "Python", "Go", "Shell", "PowerShell", "Scrape configuration", "Push it with curl", "Delete it with curl",
		"PromQL: seconds since the last push", "Alert rule: it has not run")
	return append(texts, "Overview", "Failures", "Status", "How to push", "Delete groups")
}

// TestEveryTextIsTranslated compares the texts in templates and code with those of the Chinese page, in
// both directions.
func TestEveryTextIsTranslated(t *testing.T) {
	all, err := tongues()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, text := range slices.Concat(indirect(), textsOfTemplates(t), textsOfCode(t)) {
		used[text] = true
	}
	known := tongueOf(all, chinese).texts
	for text := range used {
		if known[text] == "" {
			t.Errorf("%q has no Chinese", text)
		}
	}
	for text, translated := range known {
		if !used[text] {
			t.Errorf("%q is translated and used nowhere", text)
		}
		if strings.Count(text, "%s") != strings.Count(translated, "%s") {
			t.Errorf("%q and %q have different places to fill in", text, translated)
		}
	}
}

// textsOfTemplates returns what the templates say, and fails where one says something in English alone.
func textsOfTemplates(t *testing.T) []string {
	files, err := ui.ReadDir("ui/templates")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	functions := map[string]any{}
	for name := range new(tongue).functions() {
		functions[name] = name
	}
	for _, name := range []string{"eq", "ne", "gt", "and", "or", "not"} {
		functions[name] = name
	}
	for _, file := range files {
		source, err := ui.ReadFile("ui/templates/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		trees, err := parse.Parse(file.Name(), string(source), "", "", functions)
		if err != nil {
			t.Fatal(err)
		}
		for _, tree := range trees {
			texts = append(texts, textsBelow(tree.Root)...)
		}
		bare := regexp.MustCompile(`(?s)\{\{.*?\}\}`).ReplaceAllString(string(source), "")
		bare = regexp.MustCompile(`(?s)<[^>]*>|&[a-z]+;`).ReplaceAllString(bare, "")
		for _, word := range strings.FieldsFunc(bare, func(c rune) bool { return !unicode.IsLetter(c) }) {
			if word != "Holdfast" {
				t.Errorf("%s says %q in no language", file.Name(), word)
			}
		}
	}
	return texts
}

var callInTemplate = regexp.MustCompile(`\b(?:t|count [$.A-Za-z]+) ("(?:[^"\\]|\\.)*")(?: ("(?:[^"\\]|\\.)*"))?`)

func textsBelow(root *parse.ListNode) []string {
	var texts []string
	for _, call := range callInTemplate.FindAllStringSubmatch(root.String(), -1) {
		for _, quoted := range call[1:] {
			if text, err := strconv.Unquote(quoted); err == nil {
				texts = append(texts, text)
			}
		}
	}
	return texts
}

// textsOfCode returns the literal texts in calls of say and count.
func textsOfCode(t *testing.T) []string {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, is := n.(*ast.CallExpr)
			if !is {
				return true
			}
			method, is := call.Fun.(*ast.SelectorExpr)
			if !is || method.Sel.Name != "say" && method.Sel.Name != "count" {
				return true
			}
			if by, is := method.X.(*ast.Ident); !is || by.Name != "t" { // the meters count too
				return true
			}
			for _, argument := range call.Args {
				if literal, is := argument.(*ast.BasicLit); is && literal.Kind == token.STRING && literal.Value != `"0"` && literal.Value != `"1"` {
					if text, err := strconv.Unquote(literal.Value); err == nil {
						texts = append(texts, text)
					}
				}
			}
			return true
		})
	}
	return texts
}

// TestChinesePageSpeaksChinese looks for words of Latin letters on the Chinese page that no name of
// something explains.
func TestChinesePageSpeaksChinese(t *testing.T) {
	r := newRig(t, func(o *Options) { o.AdminAPI = true })
	views := []string{"/", "/overview", "/failures", "/start"}
	speaks := func() {
		t.Helper()
		for _, view := range views {
			body := r.want(200, "GET", view, "", "Accept-Language: zh-CN").body
			if !strings.Contains(body, `<html lang="zh-CN"`) {
				t.Fatalf("%s is not in Chinese", view)
			}
			for _, word := range latin(body) {
				t.Errorf("%s says %q", view, word)
			}
		}
	}
	speaks()
	r.want(200, "PUT", "/metrics/job/a", "# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_sum 1\nh_count 3\n# TYPE x gauge\nx{a=\"1\"} 1\n")
	r.want(400, "POST", "/metrics/job/a", "y 1 1\n")
	id := idOf(r, "")
	views = append(views, "/groups/"+id, "/delete?id="+id, "/delete?all=yes", "/?state=failed", "/?gone=1")
	speaks()
}

// latin returns the words of a page that should have been translated.
func latin(page string) []string {
	for _, drop := range []string{`(?s)<(pre|bdi|script|style)\b.*?</(pre|bdi|script|style)>`, `(?s)<span class="type">.*?</span>`, `<option[^>]*>`, `(?s)<span class="badge bad">\d.*?</span>`, `<span class="badge bad"[^>]*>`, `(?s)<span class="muted">(POST|PUT).*?</span>`} {
		page = regexp.MustCompile(drop).ReplaceAllString(page, " ")
	}
	var said []string
	for _, m := range regexp.MustCompile(` (?:title|aria-label|placeholder|data-name)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		said = append(said, m[1])
	}
	text := regexp.MustCompile(`(?s)<[^>]*>|&#?[a-z0-9]+;`).ReplaceAllString(page, " ") + " " + strings.Join(said, " ")
	names := []string{
		"Holdfast", "Prometheus", "PromQL", "curl", "Python", "Go", "Shell", "PowerShell", "UTC", "English", "B", "KiB",
		"job", "instance", "backup", "db", "Inf", "pushed", "metrics", "are", "invalid", "h", "x", "a", "push", "time", "failure", "seconds", "quot",
	}
	found := map[string]bool{}
	for _, word := range strings.FieldsFunc(text, func(c rune) bool { return c > unicode.MaxASCII || !unicode.IsLetter(c) }) {
		if !slices.Contains(names, word) {
			found[word] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func TestLanguageIsChosen(t *testing.T) {
	all, err := tongues()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ accept, cookie, want string }{
		{"", "", english},
		{"zh-CN,zh;q=0.9,en;q=0.8", "", chinese},
		{"zh", "", chinese},
		{"de,en;q=0.7,zh;q=0.3", "", english},
		{"en;q=0.2, zh-Hans;q=0.8", "", chinese},
		{"zh;q=nonsense,en", "", english},
		{"zh-CN;q=0", "", english},
		{"zh-CN", "en", english},
		{"en", "zh-CN", chinese},
		{"zh-CN", "xx", chinese},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Language", tt.accept)
		if tt.cookie != "" {
			r.Header.Set("Cookie", languageCookie+"="+tt.cookie)
		}
		if got := accepted(all, r).tag; got != tt.want {
			t.Errorf("Accept-Language %q, cookie %q: %s, want %s", tt.accept, tt.cookie, got, tt.want)
		}
	}
}

func TestChoicesAreKept(t *testing.T) {
	r := newRig(t, nil)
	a := r.want(303, "GET", "/groups/x?lang=zh-CN&theme=dark&family=a%26b", "")
	if got := a.header.Get("Location"); got != "./x?family=a%26b" {
		t.Errorf("sent to %q", got)
	}
	cookies := strings.Join(a.header.Values("Set-Cookie"), "\n")
	for _, want := range []string{languageCookie + "=zh-CN;", themeCookie + "=dark;", "SameSite=Lax", "HttpOnly"} {
		if !strings.Contains(cookies, want) {
			t.Errorf("the cookies lack %s: %s", want, cookies)
		}
	}
	if a := r.want(303, "GET", "/?lang=xx&theme=pink", ""); len(a.header.Values("Set-Cookie")) > 0 {
		t.Error("a choice that does not exist is kept")
	}
	body := r.want(200, "GET", "/", "", "Cookie: "+languageCookie+"=zh-CN; "+themeCookie+"=dark").body
	if !strings.Contains(body, `<html lang="zh-CN" data-theme="dark">`) {
		t.Errorf("the choice is not shown: %.60s", body)
	}
}
