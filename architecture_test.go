package holdfast_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const (
	fileCeiling     = 400 // lines, tests included
	functionCeiling = 60  // lines, tests excluded
)

// source is one parsed Go file.
type source struct {
	folder, name string // folder below the repository, "." for its root
	lines        int
	*ast.File
	fset *token.FileSet
}

func (s source) path() string { return path.Join(s.folder, s.name) }
func (s source) isTest() bool { return strings.HasSuffix(s.name, "_test.go") }

func TestArchitecture(t *testing.T) {
	sources := parseAll(t)
	t.Run("imports", func(t *testing.T) { checkImports(t, sources) })
	t.Run("dependencies have a reason", checkReasons)
	t.Run("one package comment each", func(t *testing.T) { checkPackageComments(t, sources) })
	t.Run("sizes", func(t *testing.T) { checkSizes(t, sources) })
	t.Run("names", func(t *testing.T) { checkNames(t, sources) })
	t.Run("habits", func(t *testing.T) { checkHabits(t, sources) })
	t.Run("ARCHITECTURE.md is true", func(t *testing.T) { checkMap(t, sources) })
	t.Run("docs name tests that exist", func(t *testing.T) { checkNamedTests(t, sources) })
}

func parseAll(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && file != "." && (strings.HasPrefix(name, ".") || name == "bin" || name == "testdata" || name == "node_modules") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, file, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, source{
			folder: filepath.ToSlash(filepath.Dir(file)), name: name,
			lines: strings.Count(string(text), "\n"), File: parsed, fset: fset,
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no Go file found")
	}
	return all
}

// nested reports whether a folder belongs to the module of e2e, whose dependencies are its own.
func nested(folder string) bool { return folder == "e2e" || strings.HasPrefix(folder, "e2e/") }

func checkPackageComments(t *testing.T, sources []source) {
	comments := map[string][]string{}
	for _, s := range sources {
		if s.isTest() {
			continue
		}
		if _, seen := comments[s.folder]; !seen {
			comments[s.folder] = nil
		}
		if s.Doc != nil {
			comments[s.folder] = append(comments[s.folder], s.name)
		}
	}
	for folder, files := range comments {
		if len(files) != 1 {
			t.Errorf("package in %s has %d package comments, want one: %v", folder, len(files), files)
		}
	}
}

func checkSizes(t *testing.T, sources []source) {
	for _, s := range sources {
		if s.lines > fileCeiling {
			t.Errorf("%s has %d lines, over %d", s.path(), s.lines, fileCeiling)
		}
		if s.isTest() {
			continue
		}
		for _, d := range s.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1; n > functionCeiling {
				t.Errorf("%s: function %s has %d lines, over %d", s.path(), f.Name.Name, n, functionCeiling)
			}
		}
	}
}

// words splits an identifier such as parseHTTPBody into parse, http, body.
func words(identifier string) []string {
	var all []string
	runes, start := []rune(identifier), 0
	for i := 1; i <= len(runes); i++ {
		edge := i == len(runes) || runes[i] == '_' ||
			unicode.IsUpper(runes[i]) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if edge {
			all = append(all, strings.ToLower(strings.Trim(string(runes[start:i]), "_0123456789")))
			start = i
		}
	}
	return all
}

// banned says which words of an identifier say too little about what it is. A histogram has buckets, so
// the rooms that know histograms may say so.
func banned(folder, word string) bool {
	switch strings.TrimSuffix(word, "s") {
	case "bucket":
		return folder != "internal/exposition" && folder != "internal/web"
	case "entry", "entrie", "cache", "manager", "service", "proces", "data", "util", "helper", "mock":
		return true
	}
	return false
}

func checkNames(t *testing.T, sources []source) {
	vague := []string{"util", "utils", "common", "helpers", "types", "model", "storage", "handler", "server", "config", "mock"}
	for _, s := range sources {
		if base := strings.TrimSuffix(s.name, ".go"); slices.Contains(vague, base) {
			t.Errorf("%s: the file name says nothing", s.path())
		}
		if slices.Contains(vague, strings.TrimSuffix(s.Name.Name, "_test")) {
			t.Errorf("%s: package name %s says nothing", s.path(), s.Name.Name)
		}
		if s.isTest() {
			continue
		}
		for _, d := range s.Decls {
			for _, name := range declared(d) {
				if name == "SyncData" { // a method of the file system that Pebble asks for
					continue
				}
				if slices.ContainsFunc(words(name), func(w string) bool { return banned(s.folder, w) }) {
					t.Errorf("%s: %s uses a word that ARCHITECTURE.md bans", s.path(), name)
				}
			}
		}
	}
}

// declared returns the names that a top-level declaration gives, fields and methods of types included.
func declared(d ast.Decl) []string {
	var names []string
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			names = append(names, n.Name.Name)
		case *ast.TypeSpec:
			names = append(names, n.Name.Name)
		case *ast.Field:
			for _, name := range n.Names {
				names = append(names, name.Name)
			}
		case *ast.ValueSpec:
			for _, name := range n.Names {
				names = append(names, name.Name)
			}
		}
		return true
	})
	return names
}

func checkHabits(t *testing.T, sources []source) {
	for _, s := range sources {
		for _, d := range s.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: init function", s.path())
			}
		}
		if !s.isTest() {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := call.X.(*ast.Ident)
			if !ok {
				return true
			}
			switch full := x.Name + "." + call.Sel.Name; full {
			case "time.Sleep", "t.Skip", "t.Skipf", "t.SkipNow", "b.Skip":
				t.Errorf("%s: %s in a test", s.path(), full)
			}
			return true
		})
	}
}

var tablePath = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")

// checkMap compares the table of ARCHITECTURE.md with the folders that are there.
func checkMap(t *testing.T, sources []source) {
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, m := range tablePath.FindAllStringSubmatch(string(text), -1) {
		listed = append(listed, path.Clean(m[1]))
		if _, err := os.Stat(m[1]); err != nil {
			t.Errorf("ARCHITECTURE.md names %s: %v", m[1], err)
		}
	}
	for _, s := range sources {
		if !slices.Contains(listed, s.folder) {
			t.Errorf("ARCHITECTURE.md has no line for the folder of %s", s.path())
		}
	}
}

var testName = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")

// checkNamedTests looks up the tests that docs/drop-in.md says hold a difference.
func checkNamedTests(t *testing.T, sources []source) {
	there := map[string]bool{}
	for _, s := range sources {
		for _, d := range s.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.isTest() {
				there[f.Name.Name] = true
			}
		}
	}
	text, err := os.ReadFile("docs/drop-in.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range testName.FindAllStringSubmatch(string(text), -1) {
		if !there[m[1]] {
			t.Errorf("docs/drop-in.md names %s, which is no test", m[1])
		}
	}
}
