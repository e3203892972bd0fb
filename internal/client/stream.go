package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// errSilent ends an answer of which nothing comes any more.
var errSilent = errors.New("nothing came for too long")

// Stream makes one attempt of a request without a body, and returns the answer's body as it comes, however long it is.
// It is given up when nothing comes for patience. Errors are *Refused and *Undelivered; those of the body are its own.
func (c *Client) Stream(ctx context.Context, method, path string, patience time.Duration) (io.ReadCloser, error) {
	ctx, stop := context.WithCancelCause(ctx)
	silent := time.AfterFunc(patience, func() { stop(fmt.Errorf("%w (%v)", errSilent, patience)) })
	give := func(err error) (io.ReadCloser, error) {
		silent.Stop()
		stop(nil)
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, c.target(path), nil)
	if err != nil {
		return give(fmt.Errorf("make the request: %w", err))
	}
	reply, err := c.http.Do(request)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // the rest may hold a password
		}
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return give(&Undelivered{Gateway: c.String(), Attempts: 1, Doubtful: errors.Is(err, errSilent), Err: err})
	}
	if reply.StatusCode >= 300 {
		defer reply.Body.Close()
		text, err := io.ReadAll(io.LimitReader(reply.Body, mostRefusal))
		if err != nil {
			text = []byte(err.Error())
		}
		return give(&Refused{Status: reply.StatusCode, Text: strings.TrimSpace(string(text))})
	}
	return &stream{ReadCloser: reply.Body, ctx: ctx, stop: stop, silent: silent, patience: patience}, nil
}

// stream is a body that must keep coming.
type stream struct {
	io.ReadCloser
	ctx      context.Context
	stop     context.CancelCauseFunc
	silent   *time.Timer
	patience time.Duration
}

func (s *stream) Read(b []byte) (int, error) {
	s.silent.Reset(s.patience)
	n, err := s.ReadCloser.Read(b)
	if cause := context.Cause(s.ctx); err != nil && cause != nil {
		err = cause
	}
	return n, err
}

func (s *stream) Close() error {
	s.silent.Stop()
	err := s.ReadCloser.Close()
	s.stop(nil)
	return err
}
