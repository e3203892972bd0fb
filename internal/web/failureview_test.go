package web

import "testing"

func TestFailuresView(t *testing.T) {
	r := newRig(t, nil)
	has(t, r.want(200, "GET", "/failures", "").body, "No push was refused.")
	r.want(200, "PUT", "/metrics/job/a", "# TYPE x gauge\nx 1\n")
	r.want(400, "POST", "/metrics/job/b", "# TYPE x counter\nx 1\n")
	r.want(400, "POST", "/metrics/job/b", "# TYPE x counter\nx 1\n")
	r.want(400, "PUT", "/metrics/job/c", "<script>alert(1)</script>\n")
	body := r.want(200, "GET", "/failures", "").body
	has(t, body, "2 times", "400 type", label("job", "b"), "is not a GAUGE", "What to do", "/metrics/job/c", "400 body", "for the first time")
	lacks(t, body, "<script>")
}
