package holdfast_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// room is one package folder and what its files may import: packages of this module, and modules of
// others. Tests may import the second pair too.
type room struct {
	imports, modules         []string
	testImports, testModules []string
}

const (
	units       = "github.com/alecthomas/units"
	kingpin     = "github.com/alecthomas/kingpin/v2"
	systemd     = "github.com/coreos/go-systemd/v22"
	vsock       = "github.com/mdlayher/vsock"
	snappy      = "github.com/golang/snappy"
	goCmp       = "github.com/google/go-cmp"
	compress    = "github.com/klauspost/compress"
	negotiation = "github.com/munnerz/goautoneg"
	instruments = "github.com/prometheus/client_golang"
	clientModel = "github.com/prometheus/client_model"
	promCommon  = "github.com/prometheus/common"
	toolkit     = "github.com/prometheus/exporter-toolkit"
	testscript  = "github.com/rogpeppe/go-internal"
	protobuf    = "google.golang.org/protobuf"
)

// rooms is the one-way table of ARCHITECTURE.md. A folder that is not in it may hold no Go file.
func rooms() map[string]room {
	wire := []string{promCommon, clientModel, protobuf}
	return map[string]room{
		"internal/exposition": {
			modules: append([]string{negotiation}, wire...), testModules: []string{goCmp},
		},
		".": {
			imports:     []string{"internal/exposition"},
			modules:     []string{promCommon, clientModel, instruments, compress},
			testModules: append([]string{goCmp}, wire...),
		},
		"internal/web": {
			imports:     []string{".", "internal/exposition"},
			modules:     []string{promCommon, clientModel, instruments, compress, snappy},
			testModules: append([]string{goCmp}, wire...),
		},
		"cmd/holdfast": {
			imports:     []string{".", "internal/exposition", "internal/web"},
			modules:     []string{kingpin, units, toolkit, promCommon, instruments, systemd, vsock},
			testModules: []string{goCmp, testscript},
		},
		"conformance": {
			testImports: []string{".", "internal/web"},
			testModules: append([]string{goCmp, compress, snappy, instruments}, wire...),
		},
	}
}

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

func checkImports(t *testing.T, sources []source) {
	table, modules := rooms(), requiredModules(t)
	for _, s := range sources {
		if nested(s.folder) {
			continue
		}
		r, known := table[s.folder]
		if !known {
			t.Errorf("%s: folder %s is not in the table of rooms", s.path(), s.folder)
			continue
		}
		own, others := r.imports, r.modules
		if s.isTest() {
			own = slices.Concat(own, r.testImports, []string{s.folder})
			others = slices.Concat(others, r.testModules)
		}
		for _, spec := range s.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if problem := judgeImport(imported, own, others, modules); problem != "" {
				t.Errorf("%s: %s", s.path(), problem)
			}
		}
	}
}

func judgeImport(imported string, own, others, modules []string) string {
	first, _, _ := strings.Cut(imported, "/")
	if first == "holdfast" {
		folder := strings.TrimPrefix(strings.TrimPrefix(imported, "holdfast"), "/")
		if !slices.Contains(own, path.Clean(folder)) {
			return fmt.Sprintf("import of %s goes against the table of rooms", imported)
		}
		return ""
	}
	if !strings.Contains(first, ".") {
		return ""
	}
	i := slices.IndexFunc(modules, func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") })
	if i < 0 {
		return fmt.Sprintf("import of %s is of no module in go.mod", imported)
	}
	if !slices.Contains(others, modules[i]) {
		return fmt.Sprintf("module %s is not for this room", modules[i])
	}
	return ""
}

var requirement = regexp.MustCompile(`(?m)^(?:require )?\t?([a-z][^\s]*\.[^\s]*/?[^\s]*) v[^\s]+( // indirect)?$`)

// requiredModules returns the direct dependencies of go.mod, longest path first.
func requiredModules(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var modules []string
	for _, m := range requirement.FindAllStringSubmatch(string(text), -1) {
		if m[2] == "" {
			modules = append(modules, m[1])
		}
	}
	if len(modules) == 0 {
		t.Fatal("no requirement found in go.mod")
	}
	slices.SortFunc(modules, func(a, b string) int { return len(b) - len(a) })
	return modules
}

func checkReasons(t *testing.T) {
	text, err := os.ReadFile("docs/adr/0001-dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range requiredModules(t) {
		if !strings.Contains(string(text), "| `"+module+"` |") {
			t.Errorf("docs/adr/0001-dependencies.md has no line for %s", module)
		}
	}
}

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
