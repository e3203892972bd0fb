package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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

func addMetrics(app *kingpin.Application) *metricSource {
	m := &metricSource{}
	app.Arg("METRICS", `A file, or - for stdin, in the text format, OpenMetrics or delimited protobuf; or samples, each an argument: 'name{l="v"} 3.14'. Default: stdin.`).
		StringsVar(&m.args)
	app.Flag("type", "Type of samples that are arguments: counter, gauge or untyped.").EnumVar(&m.typ, "counter", "gauge", "untyped")
	return m
}

// read returns the body to push.
func (m *metricSource) read() ([]byte, error) {
	samples := slices.ContainsFunc(m.args, isSample)
	switch {
	case m.typ != "" && !samples:
		return nil, withHint(errors.New("--type is for samples that are arguments"), "in a file, write a line: # TYPE name counter")
	case samples:
		return m.samples()
	case len(m.args) > 1:
		return nil, withHint(fmt.Errorf("%d files are given, one can be pushed", len(m.args)), "join them: cat a b | holdfast push …; a sample needs a value: 'name 1'")
	case len(m.args) == 0 || m.args[0] == "-":
		return readStdin()
	}
	body, err := os.ReadFile(m.args[0])
	if err != nil {
		return nil, withHint(fmt.Errorf("read the metrics: %w", err), "name a file, - for stdin, or a sample with its value: 'name 1'")
	}
	return body, nil
}

func readStdin() ([]byte, error) {
	if isTerminal(os.Stdin) {
		tell("reading metrics from the terminal; end with Ctrl-D")
	}
	body, err := io.ReadAll(os.Stdin)
	if err != nil {
		return nil, fmt.Errorf("read the metrics from stdin: %w", err)
	}
	return body, nil
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
