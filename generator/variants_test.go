package generator

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// variant is one combination of what a type may offer, in a package of its own.
type variant struct {
	name   string
	hooks  []string // the names of the functions that the pool calls
	source string
	size   int
	groups Choice
}

// option is one way to have a feature: the hooks, in Go; CONTEXT stands for a parameter that is the pool context.
type option struct{ name, hooks string }

// features that a type may have or not, each with the ways to have it.
var offers = [][]option{
	{{"bare", "func NewMyConn() (*MyConn, error) { return new(MyConn), nil }"},
		{"context", "func NewMyConn(ctx context.Context, c *Config) (*MyConn, error) { return new(MyConn), ctx.Err() }"}},
	{{}, {"check", "func (m *MyConn) HealthCheck(CONTEXT) error { return nil }"},
		{"needs", "func (m *MyConn) HealthCheck(ctx context.Context) error { return nil }\nfunc (m *MyConn) NeedsHealthCheck(CONTEXT) bool { return m.id > 3 }"},
		{"risky", "func (m *MyConn) HealthCheck(ctx context.Context) error { return nil }\nfunc (m *MyConn) NeedsHealthCheck(CONTEXT) bool { return 9/m.id > 3 }"}},
	{{}, {"close", "func (m *MyConn) Close(CONTEXT) error { return nil }"}},
	{{}, {"broken", "func (m *MyConn) Broken(CONTEXT) bool { return false }"}},
	{{}, {"reset", "func (m *MyConn) Reset(CONTEXT) error { return nil }"}, {"resetaway", "func (m *MyConn) Reset(ctx context.Context) error { return nil }"}},
}

var hookName = regexp.MustCompile(`(?m)^func (?:\(\S+ \S+\) )?(\w+)`)

// variants are all combinations.
func variants() []variant {
	all := []variant{{source: "package app\n\nimport \"context\"\n\nvar _ context.Context\n\ntype Config struct{}\n\ntype MyConn struct{ id int }\n"}}
	for _, options := range offers {
		var next []variant
		for _, v := range all {
			for _, o := range options {
				param := ""
				if strings.Contains(v.source+o.hooks, "*Config) (") {
					param = "c *Config"
				}
				next = append(next, variant{name: v.name + o.name, source: v.source + "\n" + strings.ReplaceAll(o.hooks, "CONTEXT", param) + "\n"})
			}
		}
		all = next
	}
	var sized []variant
	for _, v := range all {
		for _, m := range hookName.FindAllStringSubmatch(v.source, -1) {
			v.hooks = append(v.hooks, m[1])
		}
		for _, v.size = range []int{0, 1, 100} {
			sized = append(sized, variant{name: fmt.Sprint(v.name, v.size), hooks: v.hooks, source: v.source, size: v.size})
		}
	}
	return sized
}

// write writes the package of a variant and its pool.
func (v variant) write(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	conn := filepath.Join(dir, "conn.go")
	require.NoError(t, os.WriteFile(conn, []byte(v.source), 0o644))
	request := Request{Type: "MyConn", Size: v.size, Groups: v.groups}
	pkg, err := read(t.Context(), &listing{Name: "app", GoFiles: []string{conn}}, request, dir, "")
	require.NoError(t, err)
	file, err := generate(pkg, request, filepath.Join(dir, "pool.go"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file.Path, file.Text, 0o644))
}

// TestEveryVariantIsSound generates the pool of each combination of hooks and sizes, and examines it.
func TestEveryVariantIsSound(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "go.mod"), []byte("module example.com/app\n\ngo 1.25\n"), 0o644))
	t.Run("variants", func(t *testing.T) {
		for _, v := range variants() {
			t.Run(v.name, func(t *testing.T) {
				t.Parallel()
				v.examine(t, filepath.Join(root, v.name))
			})
		}
	})
	vet := exec.Command("go", "vet", "./...")
	vet.Dir = root
	vet.Env = append(os.Environ(), "GOWORK=off", "GOPROXY=off", "GOTOOLCHAIN=local")
	out, err := vet.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// examine generates the pool of a variant into dir, type-checks it, and examines it.
func (v variant) examine(t *testing.T, dir string) {
	t.Helper()
	v.write(t, dir)
	o := readOutput(t, dir)
	o.callsEachHookOnceAndDirectly(v.hooks)
	o.usesWhatItDeclares()
	o.hasNoInterfaceButTheRecoveredValue()
	o.importsTheStandardLibraryOnly()
	o.hasNoTraceOfTheTemplate()
	o.hasPlacesOfOneCacheLine(v.size > 0)
}

// standard imports the standard library from its source, each package once for all tests.
var standard = &library{importer: importer.ForCompiler(token.NewFileSet(), "source", nil)}

// sizes are those of the platforms that most pools run on.
var sizes = types.SizesFor("gc", "amd64")

type library struct {
	lock     sync.Mutex // guards importer
	importer types.Importer
}

func (l *library) Import(path string) (*types.Package, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.importer.Import(path)
}

// output is a generated file that has been type-checked.
type output struct {
	t    *testing.T
	text string
	fset *token.FileSet
	file *ast.File
	info *types.Info
}

func readOutput(t *testing.T, dir string) *output {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "pool.go"))
	require.NoError(t, err)
	o := &output{t: t, text: string(text), fset: token.NewFileSet()}
	o.file, err = parser.ParseFile(o.fset, "pool.go", text, parser.ParseComments|parser.SkipObjectResolution)
	require.NoError(t, err)
	conn, err := parser.ParseFile(o.fset, filepath.Join(dir, "conn.go"), nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	o.info = &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}}
	config := types.Config{Importer: standard, GoVersion: "go1.25", Sizes: sizes}
	_, err = config.Check("app", o.fset, []*ast.File{o.file, conn}, o.info)
	require.NoError(t, err)
	return o
}

// callsEachHookOnceAndDirectly: no function value, no wrapper; the guards name it once more.
func (o *output) callsEachHookOnceAndDirectly(hooks []string) {
	o.t.Helper()
	calls, mentions := map[string]int{}, map[string]int{}
	ast.Inspect(o.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if f := o.users(called(n)); f != nil {
				calls[f.Name()]++
			}
		case *ast.Ident:
			if f := o.users(n); f != nil {
				mentions[f.Name()]++
			}
		}
		return true
	})
	require.Len(o.t, calls, len(hooks))
	for _, hook := range hooks {
		require.Equal(o.t, 1, calls[hook], "calls of %s", hook)
		require.Equal(o.t, 2, mentions[hook], "mentions of %s: one is the call, one the guard", hook)
	}
}

// called is the name of what a call calls, which is not that of a generic instance.
func called(call *ast.CallExpr) *ast.Ident {
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		return f
	case *ast.SelectorExpr:
		return f.Sel
	}
	return nil
}

// users is the function of the user's that a name stands for, or nil.
func (o *output) users(id *ast.Ident) *types.Func {
	f, ok := o.info.Uses[id].(*types.Func)
	if !ok || f.Pkg() == nil || f.Pkg().Path() != "app" || o.declares(f) {
		return nil
	}
	return f
}

// declares reports whether an object of the package is declared by the output, rather than by the user.
func (o *output) declares(obj types.Object) bool {
	return o.fset.File(obj.Pos()).Name() == "pool.go"
}

// usesWhatItDeclares: whatever it does not export is there for something.
func (o *output) usesWhatItDeclares() {
	o.t.Helper()
	used := map[types.Object]bool{}
	for _, obj := range o.info.Uses {
		used[obj] = true
	}
	for id, obj := range o.info.Defs {
		if obj == nil || used[obj] || id.Name == "_" || id.IsExported() || !o.declares(obj) {
			continue
		}
		switch obj := obj.(type) {
		case *types.Var:
			if !obj.IsField() || obj.Embedded() {
				continue // a parameter may be for others; the compiler sees to variables
			}
		case *types.PkgName:
			continue
		}
		require.Fail(o.t, "not used", "%s: %v", o.fset.Position(id.Pos()), obj)
	}
}

// hasNoInterfaceButTheRecoveredValue: nothing goes through an interface but contexts and errors, which
// everybody passes on, and what a hook has panicked with.
func (o *output) hasNoInterfaceButTheRecoveredValue() {
	o.t.Helper()
	anys := 0
	ast.Inspect(o.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.InterfaceType:
			require.Fail(o.t, "an interface", o.fset.Position(n.Pos()))
		case *ast.Ident:
			if n.Name == "any" {
				anys++
			}
		}
		return true
	})
	require.LessOrEqual(o.t, anys, 1)
	if anys == 1 {
		require.Regexp(o.t, `func myConn\w+\(v any\) error \{`, o.text)
	}
}

// hasPlacesOfOneCacheLine: the allocator puts what is larger than 48 bytes on a line of its own; an array has to be
// dense, and begin with one, behind the 8 bytes that the allocator has in front. Some groups need more than a line.
func (o *output) hasPlacesOfOneCacheLine(fixed bool) {
	o.t.Helper()
	place, pool := o.fields("myConnSlot"), o.fields("MyConnPool")
	for _, f := range place {
		if slices.Contains([]string{"created", "begun", "holder"}, f.Name()) {
			return
		}
	}
	size := sizes.Sizeof(types.NewStruct(place, nil))
	require.Greater(o.t, size, int64(48))
	require.LessOrEqual(o.t, size, int64(64))
	if fixed {
		require.EqualValues(o.t, 64, size)
		i := slices.IndexFunc(pool, func(f *types.Var) bool { return f.Name() == "fixed" })
		require.EqualValues(o.t, 56, sizes.Offsetsof(pool)[i])
	}
}

// fields are those of a struct that the output declares.
func (o *output) fields(name string) []*types.Var {
	o.t.Helper()
	for id, obj := range o.info.Defs {
		if _, isType := obj.(*types.TypeName); isType && id.Name == name {
			return slices.Collect(obj.Type().Underlying().(*types.Struct).Fields())
		}
	}
	require.Fail(o.t, "not declared", name)
	return nil
}

func (o *output) importsTheStandardLibraryOnly() {
	o.t.Helper()
	for _, spec := range o.file.Imports {
		require.NotRegexp(o.t, `^"[^/]*\.`, spec.Path.Value)
	}
}

var docLink = regexp.MustCompile(`\[(\w+)(?:\.(\w+))?\]`)

// hasNoTraceOfTheTemplate: no mark is left, and what a comment links to exists.
func (o *output) hasNoTraceOfTheTemplate() {
	o.t.Helper()
	names := map[string]bool{}
	for id := range o.info.Defs {
		names[id.Name] = true
	}
	for i, group := range o.file.Comments {
		for _, c := range group.List {
			if i > 0 { // the header
				require.NotContains(o.t, c.Text, "poolgen")
			}
			require.NotRegexp(o.t, `\(has\w+\)|\b(has|resets|hides)[A-Z]`, c.Text)
			for _, link := range docLink.FindAllStringSubmatch(c.Text, -1) {
				require.True(o.t, names[link[1]] && (link[2] == "" || names[link[2]]), "%s is not declared: %s", link[0], c.Text)
			}
		}
	}
	require.NotContains(o.t, o.text, "\n\n\n")
}
