package web

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/common/model"

	"holdfast"
)

// idOf returns the id of the first group that a search lists.
func idOf(r *rig, search string) string {
	r.t.Helper()
	found := regexp.MustCompile(`groups/([0-9a-f]{32})`).FindStringSubmatch(r.want(200, "GET", "/?q="+search, "").body)
	if found == nil {
		r.t.Fatalf("no group is found by %q", search)
	}
	return found[1]
}

// has checks that a page has these parts.
func has(t *testing.T, body string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(body, part) {
			t.Errorf("the page has no %s", part)
		}
	}
}

// lacks checks that a page has none of these parts.
func lacks(t *testing.T, body string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(body, part) {
			t.Errorf("the page has %s", part)
		}
	}
}

// label is how the page writes a label.
func label(name, value string) string {
	return `<bdi class="name">` + name + `</bdi>=<bdi class="value">` + value + `</bdi>`
}

func TestPageListsGroups(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/metrics/job/a/instance/i", "# TYPE g gauge\ng 1\n")
	r.want(200, "PUT", "/metrics/job/b", "# TYPE x gauge\nx 1\n")
	r.want(400, "POST", "/metrics/job/b", "y 1 1\n")
	r.want(400, "POST", "/metrics/job/bad", "x 1 1\n")
	body := r.want(200, "GET", "/", "").body
	has(t, body, "<title>Groups · Holdfast</title>", "<strong>3 groups</strong>", label("job", "a"), label("instance", "i"), "Never succeeded", "<time datetime=")
	if strings.Count(body, ">Last push failed!<") != 1 {
		t.Error("not the one group that failed is shown as failed")
	}
	lacks(t, body, "delete-all", `rel="next"`, "Nothing was pushed yet")
	has(t, r.want(200, "GET", "/?state=failed", "").body, "<strong>2 groups</strong>")
	has(t, r.want(200, "GET", "/?q=instance", "").body, "<strong>1 group</strong>", `href="./"`)
	has(t, r.want(200, "GET", "/?match[]={job!=%22a%22}", "").body, "<strong>2 groups</strong>", "job!=&#34;a&#34;")
	has(t, r.want(200, "GET", "/?match[]=job=%22a%22", "").body, "<strong>1 group</strong>")
	has(t, r.want(200, "GET", "/?older_than=1h", "").body, "No group is like that.")
	has(t, r.want(200, "GET", "/?match[]={job=", "").body, `role="alert"`, "expected a quoted value")
	has(t, r.want(200, "GET", "/?older_than=soon", "").body, `role="alert"`, "older_than cannot be read")
	has(t, r.want(200, "GET", "/?cursor=%2a", "").body, `role="alert"`)
}

// A label on the page leads to the groups that have it too.
func TestLabelsNarrowTheList(t *testing.T) {
	r := newRig(t, nil)
	for _, key := range []string{"a/stage/x", "a/stage/y", "b/stage/x"} {
		r.want(200, "PUT", "/metrics/job/"+key, "g 1\n")
	}
	link := regexp.MustCompile(`<a href="(\?[^"]*)"><bdi class="name">stage</bdi>=<bdi class="value">x<`)
	found := link.FindStringSubmatch(r.want(200, "GET", "/?match[]={job=%22a%22}", "").body)
	if found == nil {
		t.Fatal("the label is no link")
	}
	body := r.want(200, "GET", "/"+strings.ReplaceAll(found[1], "&amp;", "&"), "").body
	has(t, body, "<strong>1 group</strong>", `class="chip"`)
	out := regexp.MustCompile(`class="chip" href="([^"]*)"`).FindAllStringSubmatch(body, -1)
	if len(out) != 2 {
		t.Fatalf("%d chips, want one for each matcher", len(out))
	}
	has(t, r.want(200, "GET", "/"+strings.ReplaceAll(out[0][1], "&amp;", "&"), "").body, "<strong>2 groups</strong>")
}

func TestListIsPaged(t *testing.T) {
	r := newRig(t, nil)
	for i := range listedGroups + 5 {
		r.want(200, "PUT", fmt.Sprintf("/metrics/job/j%04d", i), "m 1\n")
	}
	body := r.want(200, "GET", "/", "").body
	if n := strings.Count(body, `name="id"`); n != listedGroups {
		t.Errorf("%d groups on the first page", n)
	}
	next := regexp.MustCompile(`rel="next" href="([^"]*)"`).FindStringSubmatch(body)
	if next == nil {
		t.Fatal("no link to the next page")
	}
	body = r.want(200, "GET", "/"+strings.ReplaceAll(next[1], "&amp;", "&"), "").body
	if n := strings.Count(body, `name="id"`); n != 5 {
		t.Errorf("%d groups on the second page", n)
	}
	has(t, body, label("job", "j0100"), `rel="first"`)
	lacks(t, body, `rel="next"`)
	if n := strings.Count(r.want(200, "GET", "/?limit=7&sort=pushed&order=desc", "").body, `name="id"`); n != 7 {
		t.Errorf("%d groups on a page of 7", n)
	}
}

func TestPushedTextNeverBecomesMarkup(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Names = model.UTF8Validation })
	evil := `"><script>alert(1)</script><img src=x onerror=alert(1)>'` + "`{{.}}\u202e"
	quoted := strings.ReplaceAll(evil, `"`, `\"`)
	r.want(200, "PUT", "/metrics/job@base64/Ij48c2NyaXB0PmFsZXJ0KDEpPC9zY3JpcHQ-",
		"# HELP x "+evil+"\nx{l=\""+quoted+"\",\"<script>\"=\"javascript:alert(1)\"} 1\n{\"<script>bad</script>\"} 1\n")
	id := idOf(r, "")
	for _, view := range []string{"/", "/?q=%22%3E%3Cscript%3E", "/overview", "/groups/" + id, "/delete?id=" + id, "/?match[]=%3Cscript%3E"} {
		a := r.want(200, "GET", view, "")
		if !strings.Contains(a.body, "&lt;script&gt;") {
			t.Errorf("%s does not show the group", view)
		}
		if n := strings.Count(a.body, "<script"); n != 1 {
			t.Errorf("%s: %d script elements, want the page's own", view, n)
		}
		lacks(t, a.body, "<img", "href=\"javascript", "\u202e")
		policy := a.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", view, policy)
		}
	}
	has(t, r.want(200, "GET", "/groups/"+id, "").body, `<span class="control">U&#43;202E</span>`)
}

func TestLongLabelsAreCut(t *testing.T) {
	r := newRig(t, nil)
	long := strings.Repeat("长", 3000)
	r.want(200, "PUT", "/metrics/job/a/l/"+strings.Repeat("y", 9000), "# HELP x "+long+"\nx{m=\""+long+"\"} 1\n")
	if body := r.want(200, "GET", "/", "").body; len(body) > 20_000 || !strings.Contains(body, "in all)") {
		t.Errorf("%d bytes", len(body))
	}
	if body := r.want(200, "GET", "/groups/"+idOf(r, ""), "").body; strings.Count(body, "长") > 3*shownInFull {
		t.Error("the group's page shows all of it")
	}
}

// Links lead to the gateway wherever the page lies below the prefix, and whoever serves it.
func TestLinksBelowPrefix(t *testing.T) {
	for _, tt := range []struct{ prefix, external, list, group string }{
		{"", "", `"./static/style.css`, `"../static/style.css`},
		{"/foo", "", `"./static/style.css`, `"../static/style.css`},
		{"/foo", "/foo/", `"/foo/static/style.css`, `"/foo/static/style.css`},
		{"", "/outside", `"/outside/static/style.css`, `"/outside/static/style.css`},
	} {
		r := newRig(t, func(o *Options) { o.RoutePrefix, o.ExternalPath = tt.prefix, tt.external })
		r.want(200, "PUT", tt.prefix+"/metrics/job/a", "x 1\n")
		body := r.want(200, "GET", tt.prefix+"/", "").body
		id := regexp.MustCompile(`groups/([0-9a-f]{32})`).FindStringSubmatch(body)[1]
		has(t, body, tt.list)
		has(t, r.want(200, "GET", tt.prefix+"/groups/"+id, "").body, tt.group)
		for _, view := range []string{"/overview", "/status", "/failures", "/start"} {
			has(t, r.want(200, "GET", tt.prefix+view, "").body, tt.list)
		}
	}
}

func TestStatusView(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Flags = map[string]string{"log.level": "info", "limit.groups": "17", "storage.engine": "memory"}
		o.ExternalURL, o.ExternalPath, o.TelemetryPath = "https://push.example.net/p/", "/p/", "/m"
	})
	body := r.want(200, "GET", "/status", "").body
	has(t, body, `<th scope="row">log.level</th><td class="code">info</td>`, `<th scope="row">groups</th><td class="code">17</td>`,
		"2026-01-02 03:04:05 UTC", "goVersion", "Takes changes", "honor_labels: true", "scheme: https",
		"metrics_path: &#34;/p/m&#34;", "targets: [&#34;push.example.net&#34;]")
}

// roomy is an engine with a disk.
type roomy struct{ holdfast.Engine }

func (roomy) Status() holdfast.EngineStatus {
	return holdfast.EngineStatus{Held: 3 << 20, Free: 5 << 30}
}

func TestStatusViewTellsTheRoomOnDisk(t *testing.T) {
	r := newIdleRig(t, holdfast.Options{Engine: roomy{holdfast.NewMemory()}}, nil)
	r.run()
	has(t, r.want(200, "GET", "/status", "").body, `Its files</th><td>3.0 MiB</td>`, `Free on its disk</th><td>5.0 GiB</td>`)
}

func TestEmptyGatewayTellsHowToPush(t *testing.T) {
	r := newRig(t, nil)
	for _, view := range []string{"/", "/start"} {
		body := r.want(200, "GET", view, "").body
		has(t, body, "push_to_gateway(&#39;http://gateway.test&#39;", "push.New(&#34;http://gateway.test&#34;",
			"&#39;http://gateway.test/metrics/job/nightly_report&#39;", "Invoke-RestMethod")
	}
	has(t, r.want(200, "GET", "/", "").body, "Nothing was pushed yet")
}

// The name that a client asks for may hold what quotes mean elsewhere.
func TestExamplesStayQuoted(t *testing.T) {
	if got := quotable("http://a'$(x)`\"\\b"); got != "http://a%27%24(x)%60%22%5Cb" {
		t.Errorf("got %s", got)
	}
	if got := shellQuoted("a'b"); got != `'a'\''b'` {
		t.Errorf("got %s", got)
	}
	if got := promQuoted("a\"\\\n\u202e\u0001\U000E0001x"); got != `"a\"\\\n\u202e\u0001\U000e0001x"` {
		t.Errorf("got %s", got)
	}
}
