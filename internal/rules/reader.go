package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reader turns nodes of YAML into values, and gathers what is wrong with them.
type reader struct {
	file     string
	problems []error
}

// maxProblems is how many problems are told at once.
const maxProblems = 20

// fail notes what is wrong at a node.
func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, fmt.Errorf("%s:%d:%d: %s", r.file, n.Line, n.Column, fmt.Sprintf(format, args...)))
	}
}

// document parses a text of one document and returns its root, nil where there is none.
func (r *reader) document(text []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	err := decoder.Decode(&document)
	switch {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, r.unreadable(err)
	}
	if err = decoder.Decode(&second); err == nil {
		return nil, fmt.Errorf("%s:%d:%d: a second document: write all rules in one", r.file, second.Line, second.Column)
	} else if !errors.Is(err, io.EOF) {
		return nil, r.unreadable(err)
	}
	root := resolve(document.Content[0])
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil, nil
	}
	return root, nil
}

// place finds the line in an error of the library.
var place = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// unreadable words an error of the library, which knows no columns.
func (r *reader) unreadable(err error) error {
	line, problem := "1", err.Error()
	if found := place.FindStringSubmatch(problem); found != nil {
		problem = found[2]
		if found[1] != "" {
			line = found[1]
		}
	}
	return fmt.Errorf("%s:%s:1: not YAML: %s", r.file, line, problem)
}

// resolve follows an alias to what it stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// key is one thing that a mapping may say, for a value of type T.
type key[T any] struct {
	name, about string
	schema      map[string]any // of its value, in JSON schema
	required    bool
	read        func(r *reader, n *yaml.Node, into *T)
}

// readMapping reads a mapping that knows the given keys; what names it for people.
func readMapping[T any](r *reader, n *yaml.Node, keys []key[T], into *T, what string) {
	if n = resolve(n); n.Kind != yaml.MappingNode {
		r.fail(n, "%s has to be a mapping of keys to values, not %s", what, kindOf(n))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i]
		k := find(keys, name.Value)
		switch {
		case k == nil:
			r.fail(name, "unknown key %.64q in %s; known are %s", name.Value, what, names(keys))
		case seen[name.Value]:
			r.fail(name, "key %s is given twice", name.Value)
		default:
			k.read(r, resolve(n.Content[i+1]), into)
		}
		seen[name.Value] = true
	}
	for _, k := range keys {
		if k.required && !seen[k.name] {
			r.fail(n, "%s has no %s: %s", what, k.name, k.about)
		}
	}
}

func find[T any](keys []key[T], name string) *key[T] {
	for i := range keys {
		if keys[i].name == name {
			return &keys[i]
		}
	}
	return nil
}

func names[T any](keys []key[T]) string {
	var all []string
	for _, k := range keys {
		all = append(all, k.name)
	}
	return strings.Join(all, ", ")
}

// kindOf says for people what a node is.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	return fmt.Sprintf("%.64q", n.Value)
}

// text reads a scalar as it was written.
func (r *reader) text(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		r.fail(n, "%s has to be a text, not %s", what, kindOf(n))
		return "", false
	}
	return n.Value, true
}
