package holdfast_test

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// room is one package folder and what its files may import: packages of this module, and modules of
// others. Tests may import the second pair too.
type room struct {
	imports, modules         []string
	testImports, testModules []string
}

const (
	memlimit    = "github.com/KimMachineGun/automemlimit"
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
	pebble      = "github.com/cockroachdb/pebble/v2"
	testscript  = "github.com/rogpeppe/go-internal"
	yaml        = "go.yaml.in/yaml/v3"
	terminal    = "golang.org/x/term"
	system      = "golang.org/x/sys"
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
			testModules: append([]string{goCmp, yaml}, wire...),
		},
		"internal/disk": {
			imports:     []string{"."},
			modules:     []string{pebble, instruments},
			testImports: []string{"internal/enginetest"},
			testModules: []string{goCmp},
		},
		"internal/rules": {
			imports: []string{".", "internal/exposition"},
			modules: []string{yaml, promCommon},
		},
		"internal/client": {
			imports: []string{"internal/exposition"}, modules: []string{promCommon, yaml},
			testModules: []string{clientModel, protobuf, goCmp},
		},
		"internal/jobrun": {
			modules: []string{system}, testModules: []string{instruments},
		},
		"internal/enginetest": {
			imports: []string{"."}, modules: []string{goCmp},
		},
		"internal/pgwfile": {
			imports:     []string{"internal/exposition"},
			modules:     []string{clientModel, protobuf},
			testModules: []string{goCmp},
		},
		"cmd/holdfast": {
			imports:     []string{".", "internal/exposition", "internal/web", "internal/disk", "internal/pgwfile", "internal/rules", "internal/client", "internal/jobrun"},
			modules:     []string{kingpin, terminal, units, toolkit, promCommon, clientModel, instruments, systemd, vsock, memlimit},
			testModules: []string{goCmp, testscript, clientModel, protobuf},
		},
		"bench": {
			modules: []string{compress},
		},
		"conformance": {
			testImports: []string{".", "internal/web"},
			testModules: append([]string{goCmp, compress, snappy, instruments}, wire...),
		},
	}
}

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
