// Package rules reads the file of --config.file, in which the operator says how groups are kept, and
// turns it into the domain's rules. It is strict: what it does not know is an error that tells the place.
package rules

import (
	"errors"
	"fmt"
	"os"

	"holdfast"
)

// Load reads and parses a file. The error has a line for each problem, which begins with the file, the
// line and the column.
func Load(file string) (*holdfast.Rules, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the rules: %w", err)
	}
	return Parse(file, text)
}

// Parse parses the text of a file, whose name is only for errors. An empty text has no rules.
func Parse(file string, text []byte) (*holdfast.Rules, error) {
	r := &reader{file: file}
	root, err := r.document(text)
	if err != nil {
		return nil, err
	}
	var c config
	if root != nil {
		readMapping(r, root, fileKeys(), &c, "the file")
	}
	if len(r.problems) > 0 {
		return nil, errors.Join(r.problems...)
	}
	rules := holdfast.NewRules(c.rules...)
	rules.RestartGrace = c.restartGrace
	return rules, nil
}
