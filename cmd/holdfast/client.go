package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strings"

	"holdfast/internal/client"
)

// Exit codes of the client's commands; run has its own.
const (
	exitWrong = 1  // the command line, a file, or the gateway's refusal
	exitLater = 75 // nobody took it; the same command may succeed later
)

// hinted is an error with what to do about it.
type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

func withHint(err error, hint string) error { return &hinted{err, hint} }

// coded is an error that asks for an exit code; its error may be nil, for a code without a word.
type coded struct {
	error
	code int
}

func (c *coded) Unwrap() error { return c.error }

// report tells a person of an error, and returns the exit code.
func report(err error) int {
	if err == nil {
		return 0
	}
	code := exitWrong
	var asked *coded
	var lost *client.Undelivered
	switch {
	case errors.As(err, &asked):
		if code, err = asked.code, asked.error; err == nil {
			return code
		}
	case errors.As(err, &lost):
		code = exitLater
	}
	tell(err.Error())
	if hint := hintOf(err); hint != "" {
		fmt.Fprintln(os.Stderr, "hint:", hint)
	}
	return code
}

// tell says something on stderr. What follows the first line of a gateway's refusal stays as it is: it
// has hints of its own.
func tell(text string) { fmt.Fprintln(os.Stderr, "holdfast:", strings.TrimSpace(text)) }

func hintOf(err error) string {
	var own *hinted
	if errors.As(err, &own) {
		return own.hint
	}
	var body *client.Malformed
	if errors.As(err, &body) {
		var teaching interface{ Hint() string }
		if errors.As(body, &teaching) {
			return teaching.Hint()
		}
	}
	var lost *client.Undelivered
	if errors.As(err, &lost) {
		return lostHint(lost) + "; with --spool DIR a push waits on disk until it can be delivered"
	}
	var refused *client.Refused
	if !errors.As(err, &refused) || strings.Contains(refused.Text, "hint:") {
		return ""
	}
	return refusedHint(refused.Status)
}

func refusedHint(status int) string {
	switch {
	case status == 401 || status == 403:
		return "give --user and --password-file, or --token-file, or write them to the settings file"
	case status == 404 || status == 405:
		return "does --url have the gateway's route prefix? Options, patch and add need a Holdfast, not a Pushgateway"
	case status/100 == 3:
		return "redirects are not followed; give --url the address where the gateway really is"
	}
	return ""
}

// lostHint is what to do where no gateway took a request.
func lostHint(lost *client.Undelivered) string {
	var untrusted *tls.CertificateVerificationError
	var refused *client.Refused
	switch {
	case errors.As(lost, &untrusted):
		return "name who vouches for the gateway with --ca-file, or is --url right?"
	case errors.As(lost, &refused), lost.Doubtful:
		return "try again later, or with a longer --push-timeout"
	}
	return "is the gateway running, and is --url right?"
}
