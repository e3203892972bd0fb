package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/alecthomas/units"
	"github.com/prometheus/common/config"

	"holdfast/internal/client"
)

// connection is the flags that say where a gateway is and how to speak with it.
type connection struct {
	url, settings             string
	user, password, token     string
	caFile, certFile, keyFile string
	insecure                  bool
	timeout                   time.Duration
	spool                     client.SpoolOptions // without a directory nothing is kept
	spoolBytes                units.Base2Bytes
	quiet                     bool // say nothing of what waits in the spool
}

// addConnection adds the flags that all commands of the client have.
func addConnection(app *kingpin.Application) *connection {
	c := &connection{}
	app.Flag("url", "URL of the gateway, with its route prefix. Default: that of the settings file, then "+client.DefaultURL+".").
		Envar("HOLDFAST_URL").StringVar(&c.url)
	app.Flag("push-timeout", "Longest time for all that is sent, attempts and pauses between them included.").
		Default("10s").DurationVar(&c.timeout)
	app.Flag("spool", "Directory where pushes wait that could not be delivered; the next command sends them first. Default: that of the settings file, then none.").
		Envar("HOLDFAST_SPOOL").StringVar(&c.spool.Dir)
	app.Flag("spool-bytes", "Most that waits in --spool for one gateway, in blocks of 4KiB; a push over it fails.").Default("64MiB").BytesVar(&c.spoolBytes)
	app.Flag("spool-age", "Drop, with a warning, what waited longer in --spool.").Default("7d").SetValue((*span)(&c.spool.Age))
	app.Flag("user", "User for basic authentication.").Envar("HOLDFAST_USER").StringVar(&c.user)
	app.Flag("password-file", "File with the password for --user. Default: $HOLDFAST_PASSWORD.").StringVar(&c.password)
	app.Flag("token-file", "File with a bearer token.").StringVar(&c.token)
	app.Flag("ca-file", "File with the certificates of who may vouch for the gateway.").StringVar(&c.caFile)
	app.Flag("cert-file", "File with our own certificate, for gateways that ask for one.").StringVar(&c.certFile)
	app.Flag("key-file", "File with the key of --cert-file.").StringVar(&c.keyFile)
	app.Flag("insecure", "Believe any certificate.").BoolVar(&c.insecure)
	app.Flag("settings", "File with settings of the client. Default: "+`client.yaml in the user's configuration directory, ~/.config/holdfast on Linux.`).
		Envar("HOLDFAST_SETTINGS").StringVar(&c.settings)
	return c
}

// open reads the settings file, lays the flags over it, and makes a client.
func (c *connection) open() (*client.Client, error) {
	s, err := client.ReadSettings(cmp.Or(c.settings, client.SettingsFile()), c.settings != "")
	if err != nil {
		return nil, withHint(err, "mend the file, or name another one with --settings")
	}
	c.spool.Dir, c.spool.Bytes = cmp.Or(c.spool.Dir, s.Spool), int64(c.spoolBytes)
	if err := c.contradiction(); err != nil {
		return nil, err
	}
	c.overlay(&s.HTTP)
	if err := readable(&s.HTTP); err != nil {
		return nil, err
	}
	url := cmp.Or(c.url, s.URL, client.DefaultURL)
	if _, err := client.ParseURL(url); err != nil {
		return nil, withHint(err, "--url is like http://gateway:9091 or https://gateway/prefix")
	}
	opened, err := client.New(client.Options{URL: url, HTTP: s.HTTP, Tell: tell})
	if err != nil {
		return nil, withHint(err, "look at --ca-file, --cert-file and --key-file, which name PEM files, and at http: in the settings file")
	}
	return opened, nil
}

// contradiction tells which flags are impossible, alone or together.
func (c *connection) contradiction() error {
	switch {
	case c.timeout <= 0:
		return withHint(errors.New("--push-timeout must be more than 0"), "the default is 10s")
	case c.user != "" && c.token != "":
		return withHint(errors.New("--user and --token-file are both given"), "give one of them; $HOLDFAST_USER is as good as --user")
	case c.password != "" && c.user == "":
		return withHint(errors.New("--password-file is given without a user"), "name the user with --user")
	}
	return nil
}

// readable refuses secrets that cannot be read, which would otherwise be noticed again at each attempt.
func readable(h *config.HTTPClientConfig) error {
	secrets := map[string]string{}
	if h.BasicAuth != nil {
		secrets[h.BasicAuth.PasswordFile] = "--password-file, or password_file in the settings file, names a file that you may read"
	}
	if h.Authorization != nil {
		secrets[h.Authorization.CredentialsFile] = "--token-file, or credentials_file in the settings file, names a file that you may read"
	}
	delete(secrets, "")
	for file, hint := range secrets {
		if _, err := os.ReadFile(file); err != nil {
			return withHint(fmt.Errorf("read a secret: %w", err), hint)
		}
	}
	return nil
}

func (c *connection) overlay(h *config.HTTPClientConfig) {
	if c.user != "" || c.password != "" {
		h.Authorization, h.OAuth2 = nil, nil
		h.BasicAuth = &config.BasicAuth{Username: c.user, PasswordFile: c.password}
		if c.password == "" {
			h.BasicAuth.Password = config.Secret(os.Getenv("HOLDFAST_PASSWORD"))
		}
	}
	if c.token != "" {
		h.BasicAuth, h.OAuth2 = nil, nil
		h.Authorization = &config.Authorization{Type: "Bearer", CredentialsFile: c.token}
	}
	t := &h.TLSConfig
	t.CAFile, t.CertFile, t.KeyFile = cmp.Or(c.caFile, t.CAFile), cmp.Or(c.certFile, t.CertFile), cmp.Or(c.keyFile, t.KeyFile)
	t.InsecureSkipVerify = t.InsecureSkipVerify || c.insecure
}

// bound returns a context that ends after --push-timeout, or at a signal.
func (c *connection) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.timeout)
}

// send delivers p, or has it wait in the spool if there is one.
func (c *connection) send(ctx context.Context, gateway *client.Client, p *client.Push) error {
	if c.spool.Dir == "" {
		return gateway.Push(ctx, p)
	}
	err := gateway.Spool(c.spool).Push(ctx, p)
	var spooled *client.Spooled
	if errors.As(err, &spooled) {
		if !c.quiet {
			tell(err.Error())
		}
		return nil
	}
	if errors.Is(err, client.ErrSpoolFull) {
		return &coded{withHint(err, "raise --spool-bytes, or bring the gateway back"), exitLater}
	}
	return err
}

// backlog reports whether something waits in the spool for a gateway.
func (c *connection) backlog(gateway *client.Client) bool {
	if c.spool.Dir == "" {
		return false
	}
	n, err := gateway.Spool(c.spool).Waiting()
	return n > 0 || err != nil
}
