package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// pieces is a gateway whose answer is so many pieces, one each gap, the last of them without an end if it hangs.
type pieces struct {
	count int
	gap   time.Duration
	hangs bool
}

func (p pieces) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.count == 0 {
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	}
	read, write := io.Pipe()
	context.AfterFunc(r.Context(), func() { _ = read.CloseWithError(context.Canceled) })
	go func() {
		for range p.count {
			<-time.After(p.gap)
			_, _ = io.WriteString(write, "piece ") // a failure shows at the client
		}
		if !p.hangs {
			_ = write.Close()
		}
	}()
	return &http.Response{StatusCode: http.StatusOK, Body: read, Request: r}, nil
}

// An answer is given up where it does not begin, or where nothing more of it comes, however long it may be.
func TestStreamThatFallsSilent(t *testing.T) {
	const patience = 10 * time.Second
	for _, tt := range []struct {
		from pieces
		want string
	}{
		{pieces{}, ""},
		{pieces{count: 2, gap: time.Second, hangs: true}, "piece piece "},
		{pieces{count: 5, gap: patience * 2 / 3}, "piece piece piece piece piece "},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, err := New(Options{Transport: tt.from})
			if err != nil {
				t.Fatal(err)
			}
			body, err := c.Stream(t.Context(), http.MethodPost, "/x", patience)
			var lost *Undelivered
			if tt.from.count == 0 {
				if !errors.As(err, &lost) || !errors.Is(err, errSilent) || !lost.Doubtful {
					t.Errorf("no answer: error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(body)
			if string(got) != tt.want || errors.Is(err, errSilent) != tt.from.hangs || !tt.from.hangs && err != nil {
				t.Errorf("%+v: read %q, %v", tt.from, got, err)
			}
			if err := body.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestStreamThatIsRefused(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	c, err := New(Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	var refused *Refused
	if _, err := c.Stream(t.Context(), http.MethodPost, "/x", time.Minute); !errors.As(err, &refused) || refused.Status != http.StatusNotFound {
		t.Errorf("error %v", err)
	}
	server.Close()
	var lost *Undelivered
	if _, err := c.Stream(t.Context(), http.MethodPost, "/x", time.Minute); !errors.As(err, &lost) || lost.Doubtful {
		t.Errorf("error %v", err)
	}
}
