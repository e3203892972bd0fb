package web

import (
	"net/url"
	"strings"
	"testing"
)

const formType = "Content-Type: application/x-www-form-urlencoded"

func TestDeleteFromThePage(t *testing.T) {
	r := newRig(t, nil)
	for _, job := range []string{"a", "b", "c"} {
		r.want(200, "PUT", "/metrics/job/"+job, "x 1\n")
	}
	a, b := idOf(r, "job=%22a"), idOf(r, "job=%22b")
	question := r.want(200, "GET", "/delete?id="+a+"&id="+b+"&back=q%3Dz", "").body
	has(t, question, "Delete 2 groups?", label("job", "a"), label("job", "b"), `method="post"`, `value="q=z"`)
	lacks(t, question, label("job", "c"))
	has(t, r.want(200, "GET", "/", "").body, "<strong>3 groups</strong>")
	form := url.Values{"id": {a, b, strings.Repeat("0", 32)}, "back": {"q=z"}}.Encode()
	if got := r.want(303, "POST", "/delete", form, formType).header.Get("Location"); got != "./?gone=2&q=z" {
		t.Errorf("sent to %q", got)
	}
	has(t, r.want(200, "GET", "/?gone=2", "").body, "2 groups were deleted.", "<strong>1 group</strong>", label("job", "c"))
	has(t, r.want(200, "GET", "/delete?id="+a, "").body, "1 group is gone already.", "disabled")
}

// Nothing is deleted by GET, from another site, or by a form that cannot be read.
func TestDeleteFromThePageIsGuarded(t *testing.T) {
	r := newRig(t, nil)
	r.want(200, "PUT", "/metrics/job/a", "x 1\n")
	id := idOf(r, "")
	r.want(403, "POST", "/delete", "id="+id, formType, "Sec-Fetch-Site: cross-site")
	r.want(403, "POST", "/delete", "id="+id, formType, "Origin: http://evil.test")
	r.want(403, "POST", "/delete", "all=yes", formType)
	r.want(400, "POST", "/delete", "id=x", formType)
	r.want(400, "POST", "/delete", "id="+strings.Repeat("x", maxForm), formType)
	r.want(400, "POST", "/delete", strings.Repeat("&id="+id, maxErased+1), formType)
	r.want(405, "PUT", "/delete", "id="+id)
	has(t, r.want(200, "GET", "/delete?all=yes", "").body, "Nothing is selected")
	r.want(200, "GET", "/delete?id="+id+"&all=yes&yes=yes", "")
	has(t, r.want(200, "GET", "/", "").body, "<strong>1 group</strong>")
}

func TestDeleteAllFromThePage(t *testing.T) {
	r := newRig(t, func(o *Options) { o.AdminAPI = true })
	for _, job := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		r.want(200, "PUT", "/metrics/job/"+job, "x 1\n")
	}
	has(t, r.want(200, "GET", "/", "").body, `id="delete-all"`)
	has(t, r.want(200, "GET", "/delete?all=yes", "").body, "Delete all groups, 7 in all?", "and 2 more", `name="all"`)
	r.want(303, "POST", "/delete", "all=yes", formType)
	has(t, r.want(200, "GET", "/", "").body, "Nothing was pushed yet")
}

func TestDeleteWhatWasFound(t *testing.T) {
	r := newRig(t, func(o *Options) { o.AdminAPI = true })
	for _, path := range []string{"a", "ab/zone/1", "ab/zone/2", "ab/zone/3", "ab/zone/4", "ab/zone/5", "ab/zone/6", "ab/zone/7"} {
		r.want(200, "PUT", "/metrics/job/"+path, "x 1\n")
	}
	const found = `{job="ab",zone=~"[2-7]"}`
	back := url.Values{"match[]": {found}, "q": {"zone"}, "sort": {"pushed"}}.Encode()
	has(t, r.want(200, "GET", "/?"+back, "").body, `value="found" id="delete-all"`, "Delete all 6 found")
	question := r.want(200, "GET", "/delete?all=found&"+url.Values{"back": {back}}.Encode(), "").body
	has(t, question, "Delete 6 groups?", "and 1 more", `name="all" value="found"`)
	lacks(t, question, "Delete all groups")
	form := url.Values{"all": {"found"}, "back": {back}}.Encode()
	if got := r.want(303, "POST", "/delete", form, formType).header.Get("Location"); !strings.Contains(got, "gone=6") {
		t.Errorf("sent to %q", got)
	}
	has(t, r.want(200, "GET", "/", "").body, "<strong>2 groups</strong>", label("job", "a"), label("zone", "1"))
	for _, unclear := range []string{"", "sort=pushed", "match[]=", "match[]=%7B", "state=strange", "%zz"} {
		r.want(400, "POST", "/delete", url.Values{"all": {"found"}, "back": {unclear}}.Encode(), formType)
	}
	r.want(400, "POST", "/delete", "all=some&back=q%3Da", formType)
	has(t, r.want(200, "GET", "/", "").body, "<strong>2 groups</strong>")
}

// The way back is a query of the list, never an address.
func TestWayBackStaysHere(t *testing.T) {
	r := newRig(t, nil)
	for _, back := range []string{"//evil.test/", "https://evil.test", "\r\nX: y", "%zz"} {
		got := r.want(303, "POST", "/delete", url.Values{"back": {back}}.Encode(), formType).header.Get("Location")
		if !strings.HasPrefix(got, "./?") || strings.ContainsAny(got, "\r\n") {
			t.Errorf("back=%q leads to %q", back, got)
		}
	}
}
