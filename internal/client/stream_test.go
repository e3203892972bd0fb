package client

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// An answer is given up where it does not begin, or where nothing more of it comes, however long it may be.
func TestStreamThatFallsSilent(t *testing.T) {
	for path, begins := range map[string]bool{"/never": false, "/half": true} {
		over := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/half" {
				_, _ = io.WriteString(w, "half") // a failure shows at the client
				_ = http.NewResponseController(w).Flush()
			}
			<-over
		}))
		c, err := New(Options{URL: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		body, err := c.Stream(t.Context(), http.MethodPost, path, 200*time.Millisecond)
		var lost *Undelivered
		if begins {
			var got []byte
			if err == nil {
				got, err = io.ReadAll(body)
				_ = body.Close()
			}
			if string(got) != "half" || !errors.Is(err, errSilent) {
				t.Errorf("%s: read %q, %v", path, got, err)
			}
		} else if !errors.As(err, &lost) || !errors.Is(err, errSilent) || !lost.Doubtful {
			t.Errorf("%s: error %v", path, err)
		}
		close(over)
		server.Close()
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
