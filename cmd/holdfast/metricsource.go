package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"
)

// metricSource is where a command takes metrics from: a file, stdin, or its own arguments.
type metricSource struct {
	args []string
	typ  string
}

const metricsArg = "METRICS"

func addMetrics(app *kingpin.Application) *metricSource {
	m := &metricSource{}
	app.Arg(metricsArg, `A file, or - for stdin, in the text format, OpenMetrics or delimited protobuf; or samples, each an argument: 'name{l="v"} 3.14'. Default: stdin.`).
		StringsVar(&m.args)
	app.Flag("type", "Type of samples that are arguments: counter, gauge or untyped.").EnumVar(&m.typ, "counter", "gauge", "untyped")
	return m
}

// stdinFile stands for stdin on a parsed command line.
const stdinFile = "/dev/stdin"

// nameStdin returns arguments with stdinFile for each - before --, which kingpin would take for no text at all, if
// the command takes metrics.
func nameStdin(app *kingpin.Application, args []string) []string {
	if app.GetArg(metricsArg) == nil {
		return args
	}
	named := slices.Clone(args)
	for i, arg := range named {
		if arg == "--" {
			break
		}
		if arg == "-" {
			named[i] = stdinFile
		}
	}
	return named
}

// read returns the body to push.
func (m *metricSource) read(ctx context.Context) ([]byte, error) {
	samples := slices.ContainsFunc(m.args, isSample)
	switch {
	case m.typ != "" && !samples:
		return nil, withHint(errors.New("--type is for samples that are arguments"), "in a file, write a line: # TYPE name counter")
	case samples:
		return m.samples()
	case len(m.args) > 1:
		return nil, withHint(fmt.Errorf("%d files are given, one can be pushed", len(m.args)), "join them: cat a b | holdfast push …; a sample needs a value: 'name 1'")
	case len(m.args) == 0 || m.args[0] == "-" || m.args[0] == stdinFile:
		return readStdin(ctx)
	}
	body, err := os.ReadFile(m.args[0])
	if err != nil {
		return nil, withHint(fmt.Errorf("read the metrics: open %q: %w", m.args[0], reason(err)), "name a file, - for stdin, or a sample with its value: 'name 1'")
	}
	return body, nil
}

// readStdin reads all of stdin, until ctx ends. A read that waits then goes on until the program ends.
func readStdin(ctx context.Context) ([]byte, error) {
	if isTerminal(os.Stdin) {
		tell("reading metrics from the terminal; end with Ctrl-D")
	}
	type outcome struct {
		body []byte
		err  error
	}
	done := make(chan outcome, 1)
	go func(in io.Reader) {
		body, err := io.ReadAll(in)
		done <- outcome{body, err}
	}(os.Stdin)
	select {
	case o := <-done:
		if o.err != nil {
			return nil, fmt.Errorf("read the metrics from stdin: %w", o.err)
		}
		return o.body, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("reading metrics from stdin: %w; nothing was sent", context.Cause(ctx))
	}
}

// reason is an error of a file without its name, which may be empty.
func reason(err error) error {
	var problem *fs.PathError
	if errors.As(err, &problem) {
		return problem.Err
	}
	return err
}

// isSample tells a sample from the name of a file: it has a blank between name and value.
func isSample(arg string) bool {
	if _, err := os.Stat(arg); err == nil {
		return false
	}
	return strings.ContainsAny(arg, " \t{")
}

// samples renders arguments as text, samples of one name together and behind their type.
func (m *metricSource) samples() ([]byte, error) {
	var names []string
	byName := map[string][]string{}
	for _, arg := range m.args {
		line := strings.TrimSpace(arg)
		end := strings.IndexAny(line, " \t{")
		if end <= 0 || strings.Contains(line, "\n") {
			return nil, withHint(fmt.Errorf("%q is no sample", arg), `a sample is like name 1 or name{l="v"} 3.14, in single quotes`)
		}
		name := line[:end]
		if byName[name] == nil {
			names = append(names, name)
		}
		byName[name] = append(byName[name], line)
	}
	var b bytes.Buffer
	for _, name := range names {
		if m.typ != "" {
			fmt.Fprintf(&b, "# TYPE %s %s\n", name, m.typ)
		}
		fmt.Fprintf(&b, "%s\n", strings.Join(byName[name], "\n"))
	}
	return b.Bytes(), nil
}
