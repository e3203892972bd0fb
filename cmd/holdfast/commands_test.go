package main

import (
	"flag"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// runningKey is where a script's gateway is kept between its commands.
const runningKey = "running"

// gatewayCommands are the commands of scripts:
//
//	serve [-listeners N] [-prefix P] [FLAG…]  starts holdfast, waits until it is ready, sets $URL, $URL2 …
//	http [-user U:P] METHOD URL [FILE]        sends a request, with FILE as body; status and body are stdout
//	signal TERM|INT|HUP|KILL                  sends a signal
//	awaitlog PATTERN                          waits until the log matches
//	exited CODE                               waits for the end; the log is then the file "log"
func gatewayCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"serve":    scriptServe,
		"http":     scriptHTTP,
		"signal":   scriptSignal,
		"awaitlog": scriptAwaitLog,
		"exited":   scriptExited,
	}
}

func scriptServe(ts *testscript.TestScript, _ bool, args []string) {
	options := flag.NewFlagSet("serve", flag.ContinueOnError)
	listeners := options.Int("listeners", 1, "")
	prefix := options.String("prefix", "", "")
	own := slices.IndexFunc(args, func(a string) bool { return strings.HasPrefix(a, "--") })
	if own < 0 {
		own = len(args)
	}
	ts.Check(options.Parse(args[:own]))
	r, err := startHoldfast(ts.MkAbs("."), *listeners, args[own:]...)
	ts.Check(err)
	ts.Defer(r.kill)
	if *prefix != "none" {
		ts.Check(r.awaitReady(*prefix))
	}
	for i, address := range r.listeners {
		name := "URL"
		if i > 0 {
			name += strconv.Itoa(i + 1)
		}
		ts.Setenv(name, "http://"+address)
		ts.Setenv(strings.Replace(name, "URL", "ADDRESS", 1), address)
	}
	ts.Value(runningKey).(*slot).r = r
}

// slot holds the gateway of one script.
type slot struct{ r *running }

func scriptHTTP(ts *testscript.TestScript, _ bool, args []string) {
	user := ""
	if len(args) > 1 && args[0] == "-user" {
		user, args = args[1], args[2:]
	}
	var body io.Reader
	if len(args) > 2 {
		body = strings.NewReader(ts.ReadFile(args[2]))
	}
	reply, err := send(args[0], args[1], user, body)
	ts.Check(err)
	_, err = io.WriteString(ts.Stdout(), reply)
	ts.Check(err)
}

func scriptSignal(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL}
	r := ts.Value(runningKey).(*slot).r
	ts.Check(r.cmd.Process.Signal(signals[args[0]]))
	if args[0] == "KILL" { // until it has ended, its port may still take connections
		<-r.exited
	}
}

func scriptAwaitLog(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Value(runningKey).(*slot).r.await(args[0]))
}

func scriptExited(ts *testscript.TestScript, _ bool, args []string) {
	r := ts.Value(runningKey).(*slot).r
	code, err := r.exit()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("log"), []byte(r.text()), 0o600))
	if got := strconv.Itoa(code); got != args[0] {
		ts.Fatalf("exit code %s, want %s; log:\n%s", got, args[0], r.text())
	}
}
