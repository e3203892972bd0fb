package web

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
)

func TestPageShowsGroups(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Flags = map[string]string{"log.level": "info"} })
	r.want(200, "PUT", "/metrics/job/a/instance/i", "# HELP g Some help.\n# TYPE g gauge\ng{l=\"v\"} 1795377451.6\n"+
		"# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 2\ns_count 3\n# TYPE h histogram\nh_bucket{le=\"0.1\"} 1\nh_sum 4\nh_count 5\n")
	r.want(200, "PUT", "/metrics/job/native", pushable(t, `name: "n" type: HISTOGRAM metric: {histogram: {sample_count: 6 sample_sum: 2
		schema: 0 zero_threshold: 0.5 zero_count: 1 negative_span: {offset: 1 length: 1} negative_delta: [2]
		positive_span: {offset: 1 length: 1} positive_delta: [3]}}`), "Content-Type: "+delimited)
	r.want(400, "POST", "/metrics/job/bad", "x 1 1\n")
	a := r.want(200, "GET", "/", "")
	for _, part := range []string{
		"<title>Holdfast</title>", "Groups 1 to 3 of 3", "Some help.", `<b>l</b>="v"`, "<div>1795377451.6</div>",
		"<i>quantile 0.5</i> 1", "<i>≤ 0.1</i> 1", "<i>count</i> 5", "[-2,-1):2, [-0.5,0.5]:1, (1,2]:3", `<span class="type">histogram</span>`,
		"Last push failed!", `data-path="metrics/job/a/instance/i"`, "<th>log.level</th><td>info</td>",
	} {
		if !strings.Contains(a.body, part) {
			t.Errorf("the page has no %s", part)
		}
	}
	if strings.Count(a.body, "Last push failed!") != 1 {
		t.Error("a group whose push was accepted is shown as failed")
	}
	if strings.Contains(a.body, "delete-all") {
		t.Error("without the admin API there is a button that deletes all")
	}
	if strings.Contains(a.body, "page=") {
		t.Error("a page that is alone has links to others")
	}
}

func TestPageWithAdminAPI(t *testing.T) {
	r := newRig(t, func(o *Options) { o.AdminAPI = true })
	if a := r.want(200, "GET", "/", ""); !strings.Contains(a.body, `id="delete-all" class="danger" disabled`) {
		t.Error("without groups the button is not disabled")
	}
	r.want(200, "PUT", "/metrics/job/a", "x 1\n")
	if a := r.want(200, "GET", "/", ""); !strings.Contains(a.body, "Delete all 1 groups") || strings.Contains(a.body, " disabled>") {
		t.Error("with a group the button does not offer to delete it")
	}
}

func TestPushedTextNeverBecomesMarkup(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Names = model.UTF8Validation })
	evil := `"><script>alert(1)</script><img src=x onerror=alert(1)>'` + "`{{.}}"
	quoted := strings.ReplaceAll(evil, `"`, `\"`)
	r.want(200, "PUT", "/metrics/job@base64/Ij48c2NyaXB0PmFsZXJ0KDEpPC9zY3JpcHQ-",
		"# HELP x "+evil+"\nx{l=\""+quoted+"\",\"<script>\"=\"javascript:alert(1)\"} 1\n{\"<script>bad</script>\"} 1\n")
	a := r.want(200, "GET", "/?q=%22%3E%3Cscript%3E", "")
	if !strings.Contains(a.body, "&lt;script&gt;alert(1)") {
		t.Fatal("the group is not on the page")
	}
	if n := strings.Count(a.body, "<script"); n != 1 {
		t.Errorf("%d script elements, want the page's own", n)
	}
	if strings.Contains(a.body, "<img") {
		t.Error("a pushed element is on the page")
	}
	policy := a.header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
}

func TestPagesAndFilter(t *testing.T) {
	r := newRig(t, nil)
	for i := range pageGroups + 5 {
		r.want(200, "PUT", fmt.Sprintf("/metrics/job/j%04d", i), fmt.Sprintf("m%d 1\n", i%2))
	}
	for _, tt := range []struct {
		path        string
		groups      int
		first       string // job of the first group
		next, prior bool
	}{
		{"/", pageGroups, "j0000", true, false},
		{"/?page=2", 5, "j0200", false, true},
		{"/?page=3", 0, "", false, true},
		{"/?page=-1", pageGroups, "j0000", true, false},
		{"/?page=99999999999999999999", pageGroups, "j0000", true, false},
		{"/?q=j0007", 1, "j0007", false, false},
		{"/?q=m1", 102, "j0001", false, false},
		{"/status?q=nothing", 0, "", false, false},
	} {
		body := r.want(200, "GET", tt.path, "").body
		if got := strings.Count(body, `<section class="group">`); got != tt.groups {
			t.Errorf("%s: %d groups, want %d", tt.path, got, tt.groups)
		}
		_, rest, _ := strings.Cut(body, `<b>job</b>="`)
		if !strings.HasPrefix(rest, tt.first) {
			t.Errorf("%s: the first group is %.10s, want %s", tt.path, rest, tt.first)
		}
		if next := strings.Contains(body, `rel="next"`); next != tt.next {
			t.Errorf("%s: link to the next page: %v", tt.path, next)
		}
		if prior := strings.Contains(body, `rel="prev"`); prior != tt.prior {
			t.Errorf("%s: link to the page before: %v", tt.path, prior)
		}
	}
}

func TestPageIsBounded(t *testing.T) {
	r := newRig(t, nil)
	var b strings.Builder
	for i := range familyRows + 7 {
		fmt.Fprintf(&b, "x{i=\"%d\"} 1\n", i)
	}
	r.want(200, "PUT", "/metrics/job/a", b.String())
	body := r.want(200, "GET", "/", "").body
	if !strings.Contains(body, "7 more metrics are not shown here.") || strings.Count(body, "<tr><td>") != familyRows+2 {
		t.Errorf("%d rows", strings.Count(body, "<tr><td>"))
	}
}
