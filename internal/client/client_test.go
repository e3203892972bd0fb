package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast/internal/exposition"
)

// gateway answers attempts one after the other, the last answer for ever; "" is a connection that fails.
type gateway struct {
	answers []answer
	keys    []string // idempotency keys, one an attempt
	at      []time.Time
}

type answer struct {
	status     int // 0 is no connection
	retryAfter string
}

func (g *gateway) RoundTrip(r *http.Request) (*http.Response, error) {
	a := g.answers[min(len(g.at), len(g.answers)-1)]
	g.at = append(g.at, time.Now())
	g.keys = append(g.keys, r.Header.Get("Idempotency-Key"))
	if a.status == 0 {
		return nil, errors.New("no route to host")
	}
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Retry-After": {a.retryAfter}}, Body: io.NopCloser(strings.NewReader("said")), Request: r,
	}, nil
}

func pushTo(t *testing.T, g *gateway, within time.Duration) error {
	t.Helper()
	c, err := New(Options{Transport: g})
	if err != nil {
		t.Fatal(err)
	}
	p := &Push{Mode: Post, Labels: []exposition.Label{{Name: "job", Value: "a"}}, Body: []byte("x 1\n")}
	if err := p.Prepare(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return c.Push(ctx, p)
}

func TestPushIsRepeatedWithOneIdempotencyKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{answers: []answer{{status: 0}, {status: 503, retryAfter: "3"}, {status: 429, retryAfter: "2"}, {status: 502}, {status: 200}}}
		if err := pushTo(t, g, time.Minute); err != nil {
			t.Fatal(err)
		}
		if len(g.keys) != 5 || g.keys[0] == "" || slices.ContainsFunc(g.keys, func(k string) bool { return k != g.keys[0] }) {
			t.Errorf("idempotency keys of the attempts: %q", g.keys)
		}
		for i, least := range []time.Duration{firstPause / 2, 3 * time.Second, 2 * time.Second, 4 * firstPause} {
			if pause := g.at[i+1].Sub(g.at[i]); pause < least || pause > least+4*time.Second {
				t.Errorf("pause %d was %s, want at least %s", i, pause, least)
			}
		}
	})
}

// A wait that would end after the deadline is not begun: the caller gets its time back.
func TestPushGivesUpInTime(t *testing.T) {
	for _, a := range []answer{{status: 0}, {status: 503, retryAfter: "3600"}} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			err := pushTo(t, &gateway{answers: []answer{a}}, 5*time.Second)
			var lost *Undelivered
			if !errors.As(err, &lost) || lost.Attempts == 0 || time.Since(begin) > 5*time.Second {
				t.Errorf("answer %v: %v after %s", a, err, time.Since(begin))
			}
		})
	}
}

// A gateway that comes back while there is still time finds the push again, and the error says how it ended.
func TestPushUsesItsTime(t *testing.T) {
	for _, tt := range []struct {
		answer
		says string
	}{
		{answer{}, "could not be reached"},
		{answer{status: 502}, "takes nothing now (attempts"},
		{answer{status: 503, retryAfter: "60"}, "takes nothing now and asks for a pause of 1m0s"},
	} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			g := &gateway{answers: []answer{tt.answer}}
			err := pushTo(t, g, 10*time.Second)
			var lost *Undelivered
			if !errors.As(err, &lost) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want %q", err, tt.says)
			}
			if last := g.at[len(g.at)-1].Sub(begun); last < 9*time.Second && tt.retryAfter == "" {
				t.Errorf("the last attempt was after %v of 10 s", last)
			}
			if n := len(g.at); tt.retryAfter != "" && n != 1 || n > 15 {
				t.Errorf("%d attempts", n)
			}
		})
	}
}

func TestRefusalIsNotRepeated(t *testing.T) {
	for _, status := range []int{301, 307, 400, 401, 404, 405, 409, 413, 500} {
		g := &gateway{answers: []answer{{status: status}}}
		err := pushTo(t, g, time.Minute)
		var refused *Refused
		if !errors.As(err, &refused) || refused.Status != status || refused.Text != "said" || len(g.at) != 1 {
			t.Errorf("status %d: %v, attempts %d", status, err, len(g.at))
		}
	}
}

func TestPath(t *testing.T) {
	label := func(name, value string) exposition.Label { return exposition.Label{Name: name, Value: value} }
	for want, labels := range map[string][]exposition.Label{
		"/metrics/job/a":                        {label("job", "a")},
		"/metrics/job/a/b/c%20d/e/100%25":       {label("e", "100%"), label("b", "c d"), label("job", "a")},
		"/metrics/job@base64/YS9i/x@base64/=":   {label("job", "a/b"), label("x", "")},
		"/metrics/job@base64/Lg/y@base64/Li4":   {label("job", "."), label("y", "..")},
		"/metrics/job/%E5%A4%87%E4%BB%BD/a.b/1": {label("job", "备份"), label("a.b", "1")},
		"/metrics/job/a/U__a_2f_b/1":            {label("job", "a"), label("a/b", "1")},
		"/metrics/job/a/U__a_40_base64/1":       {label("job", "a"), label("a@base64", "1")},
		"/metrics/job/a+b/z/%22%0A%3F%23":       {label("job", "a+b"), label("z", "\"\n?#")},
	} {
		if got, err := Path(labels); err != nil || got != want {
			t.Errorf("%v: path %q, %v; want %q", labels, got, err, want)
		}
	}
	for _, labels := range [][]exposition.Label{
		nil,
		{label("x", "1")},
		{label("job", "")},
		{label("job", "a"), label("x", "1"), label("x", "2")},
		{label("job", "\xff")},
		{label("job", "a"), label("", "1")},
	} {
		if got, err := Path(labels); err == nil {
			t.Errorf("%v: path %q, want an error", labels, got)
		}
	}
}

func TestRequestOfAPush(t *testing.T) {
	labels := []exposition.Label{{Name: "job", Value: "a"}}
	for mode, want := range map[string]string{
		Put: "PUT /with/ttl=90s/metrics/job/a", Post: "POST /with/ttl=90s/metrics/job/a", Patch: "PATCH /with/ttl=90s/metrics/job/a",
		Add: "POST /with/ttl=90s,mode=add/metrics/job/a", Delete: "DELETE /metrics/job/a",
	} {
		r, err := (&Push{Mode: mode, Labels: labels, Options: "ttl=90s", Body: []byte("x 1\n"), Once: "k"}).request()
		if got := r.Method + " " + r.Path; err != nil || got != want || r.Header.Get("Idempotency-Key") != "k" {
			t.Errorf("mode %s: %s, %v, %v; want %s", mode, got, r.Header, err, want)
		}
	}
}

func TestContentTypeByContent(t *testing.T) {
	for body, want := range map[string]string{
		"x 1\n": textType, "": textType, "# HELP x 备份\nx 1\n": textType, "x 1\r\n": textType,
		"\x08\n\x01x\x18\x01": protobufType, "x\xff": protobufType,
	} {
		if got := ContentType([]byte(body)); got != want {
			t.Errorf("%q is %s, want %s", body, got, want)
		}
	}
}

func TestParseURL(t *testing.T) {
	for text, want := range map[string]string{"gateway:9091": "http://gateway:9091", "https://g/p/": "https://g/p/"} {
		if got, err := ParseURL(text); err != nil || got.String() != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"ftp://g", "http://", "http://g?x=1", "http://g#x", "http://u:secret@g:port"} {
		if _, err := ParseURL(text); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: error %v", text, err)
		}
	}
}
