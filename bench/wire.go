package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// conn is one keep-alive connection that speaks just enough HTTP/1.1 for the load, at less CPU than
// net/http takes.
type conn struct {
	net.Conn
	in *bufio.Reader
}

// longest is how long any connection of the load lives: a peer that hangs ends the run.
const longest = 5 * time.Minute

// dial connects to host:port, with a buffer for replies of some size in bytes.
func dial(ctx context.Context, address string, buffer int) (*conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if err := c.SetDeadline(time.Now().Add(longest)); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &conn{c, bufio.NewReaderSize(c, buffer)}, nil
}

// reply is what came back: bytes of the body as sent, without the framing of chunks.
type reply struct {
	status int
	bytes  int64
	length int64 // as announced; -1 for chunks
	gzip   bool
}

// ask sends a request and reads its reply whole; the body goes to into, or nowhere if that is nil.
func (c *conn) ask(request []byte, into io.Writer) (reply, error) {
	if _, err := c.Write(request); err != nil {
		return reply{}, fmt.Errorf("send request: %w", err)
	}
	r, err := c.head()
	if err != nil {
		return r, fmt.Errorf("read head of reply: %w", err)
	}
	if into == nil {
		into = discard{}
	}
	if r.length >= 0 {
		r.bytes, err = r.length, c.copy(into, r.length)
	} else {
		err = c.chunks(into, &r)
	}
	if err != nil {
		return r, fmt.Errorf("read body of reply: %w", err)
	}
	return r, nil
}

// discard takes bytes where they lie; io.Discard would copy them first.
type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

func (c *conn) head() (reply, error) {
	r := reply{length: -1}
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return r, err
	}
	if len(line) < len("HTTP/1.1 200") {
		return r, fmt.Errorf("status line %q", line)
	}
	if r.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return r, err
	}
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return r, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return r, nil
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if r.length, err = strconv.ParseInt(string(value), 10, 64); err != nil {
				return r, err
			}
		case bytes.EqualFold(name, []byte("Content-Encoding")):
			r.gzip = string(value) == "gzip"
		}
	}
}

func (c *conn) chunks(into io.Writer, r *reply) error {
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(bytes.TrimRight(line, "\r\n")), 16, 64)
		if err != nil {
			return err
		}
		if err := c.copy(into, size); err != nil {
			return err
		}
		if _, err := c.in.Discard(len("\r\n")); err != nil {
			return err
		}
		if r.bytes += size; size == 0 {
			return nil
		}
	}
}

// copy moves n bytes on, straight from the buffer.
func (c *conn) copy(into io.Writer, n int64) error {
	for n > 0 {
		if _, err := c.in.Peek(1); err != nil {
			return err
		}
		ready, err := c.in.Peek(int(min(int64(c.in.Buffered()), n)))
		if err != nil {
			return err
		}
		if _, err := into.Write(ready); err != nil {
			return err
		}
		if _, err := c.in.Discard(len(ready)); err != nil {
			return err
		}
		n -= int64(len(ready))
	}
	return nil
}
