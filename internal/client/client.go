// Package client is the push client: it knows how to reach a gateway, tries again what is worth it, and
// keeps on disk what could not be delivered.
package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/prometheus/common/config"
)

// DefaultURL is where a gateway is looked for if nobody says.
const DefaultURL = "http://127.0.0.1:9091"

// Options tells where a gateway is and how to speak with it.
type Options struct {
	URL       string                  // with the route prefix, if there is one; user and password may be part of it; "" means DefaultURL
	HTTP      config.HTTPClientConfig // users, tokens, TLS and proxies; the zero value asks for none of them
	Transport http.RoundTripper       // in the place of what HTTP describes; nil for that
	Tell      func(text string)       // is told what a person should know though it works; nil for nobody
}

// Client speaks with one gateway.
type Client struct {
	base *url.URL
	http *http.Client
	tell func(text string)
}

// New makes a client; nothing is sent yet. Its errors name what is wrong with the options.
func New(o Options) (*Client, error) {
	if o.URL == "" {
		o.URL = DefaultURL
	}
	base, err := ParseURL(o.URL)
	if err != nil {
		return nil, err
	}
	if o.Tell == nil {
		o.Tell = func(string) {}
	}
	c := &Client{base: base, tell: o.Tell, http: &http.Client{Transport: o.Transport, CheckRedirect: stay}}
	if o.Transport != nil {
		return c, nil
	}
	settings := o.HTTP
	settings.EnableHTTP2, settings.FollowRedirects = true, false
	if settings.ProxyURL.URL == nil {
		settings.ProxyFromEnvironment = true
	}
	if err := settings.Validate(); err != nil {
		return nil, fmt.Errorf("HTTP settings: %w", err)
	}
	made, err := config.NewClientFromConfig(settings, "holdfast", config.WithUserAgent("holdfast"))
	if err != nil {
		return nil, fmt.Errorf("HTTP settings: %w", err)
	}
	made.CheckRedirect = stay
	c.http = made
	return c, nil
}

// stay follows no redirect: a push would arrive without its body, or at a place that nobody named.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// ParseURL reads a gateway's URL; without a scheme it is http.
func ParseURL(text string) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	base, err := url.Parse(text)
	var problem *url.Error
	switch {
	case errors.As(err, &problem):
		return nil, fmt.Errorf("the gateway's URL is not one: %w", problem.Err) // its text may hold a password
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, fmt.Errorf("the gateway's URL begins with %s://, want http:// or https://", base.Scheme)
	case base.Host == "":
		return nil, errors.New("the gateway's URL has no host; write it like http://gateway:9091")
	case base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("the gateway's URL ends in a query or a fragment; write it like http://gateway:9091/prefix")
	}
	return base, nil
}

// String returns the gateway's URL without a password.
func (c *Client) String() string { return c.base.Redacted() }

// target returns the URL of a path below the gateway's, which is escaped already.
func (c *Client) target(path string) string { return strings.TrimSuffix(c.base.String(), "/") + path }
