package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// pushing runs holdfast push with flags, in a folder of its own with files, and returns what it said.
func pushing(t *testing.T, files map[string]string, env []string, flags ...string) (code int, said string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("holdfast", append([]string{"push", "--job", "a"}, append(flags, "x 1")...)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), append([]string{"HOME=" + dir}, env...)...)
	text, _ := cmd.CombinedOutput() // the exit code tells
	return cmd.ProcessState.ExitCode(), string(text)
}

// guarded is a gateway that takes what carries an authorization, over TLS or not.
func guarded(t *testing.T, authorization string, settings *tls.Config) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var taken atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != authorization {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		taken.Add(1)
	}))
	if settings == nil {
		s.Start()
	} else {
		s.TLS = settings
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	return s, &taken
}

func block(kind string, bytes []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}))
}

// ownCertificate makes a certificate that vouches for itself, and its key, as files hold them.
func ownCertificate(t *testing.T) (certificate *x509.Certificate, cert, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	wanted := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	made, err := x509.CreateCertificate(rand.Reader, wanted, wanted, &secret.PublicKey, secret)
	if err != nil {
		t.Fatal(err)
	}
	if certificate, err = x509.ParseCertificate(made); err != nil {
		t.Fatal(err)
	}
	hidden, err := x509.MarshalECPrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, block("CERTIFICATE", made), block("EC PRIVATE KEY", hidden)
}

const (
	basic  = "Basic YTpzZWNyZXQ=" // a:secret
	bearer = "Bearer secret"
)

func TestClientAuthorization(t *testing.T) {
	files := map[string]string{"secret": "secret\n", "basic.yaml": "http: {basic_auth: {username: a, password_file: secret}}", "token.yaml": "http: {authorization: {credentials: secret}}"}
	for _, c := range []struct {
		want  string
		env   []string
		flags []string
	}{
		{basic, nil, []string{"--user", "a", "--password-file", "secret"}},
		{basic, []string{"HOLDFAST_PASSWORD=secret"}, []string{"--user", "a"}},
		{basic, []string{"HOLDFAST_USER=a", "HOLDFAST_PASSWORD=secret"}, nil},
		{basic, nil, []string{"--settings", "basic.yaml"}},
		{bearer, nil, []string{"--token-file", "secret"}},
		{bearer, []string{"HOLDFAST_SETTINGS=token.yaml"}, nil},
		{bearer, []string{"HOLDFAST_SETTINGS=basic.yaml"}, []string{"--token-file", "secret"}},
		{basic, []string{"HOLDFAST_SETTINGS=token.yaml"}, []string{"--user", "a", "--password-file", "secret"}},
	} {
		s, taken := guarded(t, c.want, nil)
		if code, said := pushing(t, files, append(c.env, "HOLDFAST_URL="+s.URL), c.flags...); code != 0 || taken.Load() != 1 {
			t.Errorf("%v %v: exit code %d, taken %d: %s", c.env, c.flags, code, taken.Load(), said)
		}
		code, said := pushing(t, nil, []string{"HOLDFAST_URL=" + s.URL})
		if code != 1 || !strings.Contains(said, "401") || !strings.Contains(said, "hint: give --user") {
			t.Errorf("nobody: exit code %d: %s", code, said)
		}
	}
}

func TestClientTLS(t *testing.T) {
	client, cert, key := ownCertificate(t)
	known := x509.NewCertPool()
	known.AddCert(client)
	open, taken := guarded(t, "", &tls.Config{})
	asking, takenOfKnown := guarded(t, "", &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: known})
	files := map[string]string{
		"ca": block("CERTIFICATE", open.Certificate().Raw), "cert": cert, "key": key,
		"tls.yaml": "http: {tls_config: {ca_file: ca, cert_file: cert, key_file: key}}",
	}
	for _, flags := range [][]string{
		{"--url", open.URL, "--ca-file", "ca"},
		{"--url", open.URL, "--insecure"},
		{"--url", open.URL, "--settings", "tls.yaml"},
		{"--url", asking.URL, "--ca-file", "ca", "--cert-file", "cert", "--key-file", "key"},
		{"--url", asking.URL, "--settings", "tls.yaml"},
	} {
		if code, said := pushing(t, files, nil, flags...); code != 0 {
			t.Errorf("%v: exit code %d: %s", flags, code, said)
		}
	}
	if taken.Load() != 3 || takenOfKnown.Load() != 2 {
		t.Errorf("taken %d and %d, want 3 and 2", taken.Load(), takenOfKnown.Load())
	}
	if code, said := pushing(t, files, nil, "--url", asking.URL, "--ca-file", "ca", "--push-timeout", "1s"); code != 75 || takenOfKnown.Load() != 2 {
		t.Errorf("without a certificate: exit code %d: %s", code, said)
	}
	code, said := pushing(t, files, nil, "--url", open.URL, "--push-timeout", "1s")
	if code != 75 || !strings.Contains(said, "hint: name who vouches for the gateway with --ca-file") {
		t.Errorf("a certificate that nobody vouches for: exit code %d: %s", code, said)
	}
}

// Where the environment names a proxy, the gateway is asked through it, unless it is said not to be.
func TestClientProxy(t *testing.T) {
	var asked atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked.Store(r.URL.String()) }))
	t.Cleanup(proxy.Close)
	code, said := pushing(t, nil, []string{"http_proxy=" + proxy.URL}, "--url", "http://gateway.invalid/prefix")
	if code != 0 || asked.Load() != "http://gateway.invalid/prefix/metrics/job/a" {
		t.Errorf("exit code %d, the proxy was asked for %v: %s", code, asked.Load(), said)
	}
	code, _ = pushing(t, nil, []string{"http_proxy=" + proxy.URL, "no_proxy=gateway.invalid"}, "--url", "http://gateway.invalid/other", "--push-timeout", "300ms")
	if code != 75 || asked.Load() != "http://gateway.invalid/prefix/metrics/job/a" {
		t.Errorf("exit code %d, the proxy was asked for %v, want it left alone", code, asked.Load())
	}
}

// Each wrong flag is told with what to do, before anything is sent or waited for.
func TestClientFlagsThatAreWrong(t *testing.T) {
	_, cert, key := ownCertificate(t)
	_, _, other := ownCertificate(t)
	files := map[string]string{"words": "no certificate", "secret": "secret", "cert": cert, "key": key, "other": other}
	for _, c := range []struct {
		flags      []string
		said, hint string
	}{
		{[]string{"--url", "ftp://gateway"}, "begins with ftp://", "--url is like"},
		{[]string{"--url", "http://gateway?x=1"}, "query", "--url is like"},
		{[]string{"--user", "a", "--password-file", "nothing"}, "nothing: no such file", "--password-file"},
		{[]string{"--password-file", "secret"}, "--password-file", "--user"},
		{[]string{"--token-file", "nothing"}, "nothing: no such file", "--token-file"},
		{[]string{"--user", "a", "--password-file", "secret", "--token-file", "secret"}, "--user and --token-file", "one of"},
		{[]string{"--ca-file", "nothing"}, "nothing: no such file", "--ca-file"},
		{[]string{"--ca-file", "words"}, "words", "--ca-file"},
		{[]string{"--cert-file", "cert"}, "key", "--key-file"},
		{[]string{"--key-file", "key"}, "cert", "--cert-file"},
		{[]string{"--cert-file", "cert", "--key-file", "other"}, "private key", "--key-file"},
		{[]string{"--settings", "nothing"}, "nothing: no such file", "--settings"},
		{[]string{"--settings", "words"}, "words", "--settings"},
		{[]string{"--push-timeout", "0s"}, "more than 0", "10s"},
		{[]string{"--push-timeout", "soon"}, "soon", "--help"},
		{[]string{"--no-such-flag"}, "no-such-flag", "--help"},
	} {
		flags := append([]string{"--url", "http://127.0.0.1:1"}, c.flags...)
		if c.flags[0] == "--url" {
			flags = c.flags
		}
		code, said := pushing(t, files, nil, flags...)
		first, hint, _ := strings.Cut(said, "\nhint: ")
		if code != 1 || !strings.HasPrefix(first, "holdfast: ") || !strings.Contains(first, c.said) || !strings.Contains(hint, c.hint) {
			t.Errorf("%v: exit code %d: %s\nwant %q and hint %q", c.flags, code, said, c.said, c.hint)
		}
	}
}
