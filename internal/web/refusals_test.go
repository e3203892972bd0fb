package web

import (
	"fmt"
	"strings"
	"testing"
)

// Refused pushes are listed newest first, those that repeat one another once.
func TestRefusedPushesAreListed(t *testing.T) {
	r := newRig(t, nil)
	r.want(400, "PUT", "/metrics/job/a", "holdfast_m 1\n")
	r.want(400, "POST", "/metrics/job/b", "m{ 1\n")
	r.want(400, "PUT", "/metrics/job/c/__x/y", "m 1\n")
	r.want(400, "PUT", "/metrics/job/a", "holdfast_m 2\n")
	r.want(200, "PUT", "/metrics/job/a", "m 1\n")
	r.want(202, "DELETE", "/metrics/job/a", "")
	var reply failuresReply
	r.getJSON("/api/v1/failures", &reply)
	var got strings.Builder
	for _, f := range reply.Failures {
		fmt.Fprintf(&got, "%d %s %s %s %d %s\n", f.Count, f.Method, f.Path, f.Group, f.Code, f.Reason)
		if !strings.HasPrefix(f.Remote, "127.0.0.1:") || f.First.IsZero() || f.Last.Before(f.First) || (f.ID == "") != (f.Group == "") || f.Message == "" || f.Hint == "" {
			t.Errorf("%+v", f)
		}
	}
	want := `2 PUT /metrics/job/a {job="a"} 400 own_name
1 PUT /metrics/job/c/__x/y  400 label_name
1 POST /metrics/job/b {job="b"} 400 body
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &got, want)
	}
	reply = failuresReply{}
	if r.getJSON("/api/v1/failures?limit=1", &reply); len(reply.Failures) != 1 {
		t.Errorf("%d are listed", len(reply.Failures))
	}
}

// However many and however long they are, what is remembered of refusals is bounded.
func TestRefusalsAreBounded(t *testing.T) {
	r := newRig(t, nil)
	long := strings.Repeat("é", 5000)
	for i := range maxRefusals + 10 {
		r.want(400, "PUT", fmt.Sprintf("/metrics/job/%d%s", i, long), "holdfast_"+long+" 1\n")
	}
	var reply failuresReply
	r.getJSON("/api/v1/failures", &reply)
	if len(reply.Failures) != maxRefusals {
		t.Errorf("%d refusals are listed", len(reply.Failures))
	}
	for i, f := range reply.Failures {
		if size := len(f.Path + f.Group + f.Message + f.Where + f.Hint); size > 5*maxRefusalBytes+20 {
			t.Fatalf("refusal %d has %d bytes of text", i, size)
		}
		if want := fmt.Sprintf(`{job="%dé`, maxRefusals+9-i); !strings.HasPrefix(f.Group, want) {
			t.Fatalf("refusal %d is of %.30s, want %s", i, f.Group, want)
		}
	}
}
