package generator

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The words of random packages. T is the connection type, C the pool context. What comes first in a list is as likely as
// all others.
var (
	fuzzImports = []string{"import \"context\"\n", "", "import \"context\"\nimport \"time\"\n", "import . \"context\"\n", "import std \"context\"\n",
		"import context \"time\"\n", "import \"context\"\nimport sync \"net/url\"\n", "import \"context\"\nimport \"example.com/none/url/v2\"\n"}
	fuzzTypes = []string{"type T struct{ id int }\n", "type T int\n", "type T struct{ C }\n", "type T[X any] struct{ x X }\n", "type T = U\ntype U struct{ id int }\n",
		"type T interface{ Ping() error }\n", "type T func()\n", "type T *int\n", "type T = int\n", "type T struct{ *U }\ntype U struct{ T int }\n", "type T map[string]T\n",
		"type T struct{ pool, slot, turn, leased int }\n", "type U = T\ntype T chan U\n", "type T T\n", "type T[X, Y any] []X\n", "type T = U[int]\ntype U[X any] struct{ x X }\n",
		"type T[X ~int] struct{ x X }\n", "type T[X comparable, Y interface{ ~[]X }] struct{ y Y }\n", "type T = U[string]\ntype U[X N] struct{ x X }\ntype N interface{ ~int; N() }\n", "var T int\n", ""}
	fuzzContexts = []string{"type C struct{}\n", "type C = *struct{ a int }\n", "type C interface{}\n", "type C url.URL\n", ""}
	fuzzCreates  = []string{"func NewT(ctx context.Context) (*T, error) { panic(0) }\n", "func NewT() T { panic(0) }\n", "func DialT(c *C) (T, error) { panic(0) }\n",
		"func (t *T) Create(c C) error { panic(0) }\n", "func NewT[X any](x X) (*T[X], error) { panic(0) }\n", "func (c *C) OpenT() (*T, error) { panic(0) }\n", "var ConnectT func(c ...C) *T\n", ""}
	fuzzResults = []string{"error", "(*T, error)", "(T, error)", "*T", "T", "", "bool", "(*T, func(), error)", "(error, *T)", "(T[int], error)", "(*T[int, C], error)", "(_ *T, err error)", "(*T, *T, error)", "undefined"}
	fuzzParams  = []string{"", "ctx context.Context", "c C", "c *C", "ctx context.Context, c C", "t *T", "t T, c C", "_ C, _ context.Context, _ *T", "o ...int", "c C, o ...func(*T)", "a int, b string", "err error", "x undefined", "ctx std.Context, u *sync.URL", "t *T[int]", "f func(C) T", "p struct{ C C }"}
	fuzzNames   = []string{"Close", "NewT", "newT", "DialT", "OpenT", "Create", "NeedsHealthCheck", "NeedsHealthCheckT", "HealthCheck", "Ping", "pingT", "Close", "closeT", "Reset", "Broken", "IsClosed",
		"AfterCreate", "BeforeAcquire", "AfterRelease", "BeforeClose", "IsFatal", "Release", "Conn", "Stats", "init", "main", "made", "s", "p", "conn", "err"}
	fuzzReceivers = []string{"(t *T) ", "", "(t T) ", "(c C) ", "(c *C) ", "(t *T[X]) ", "(t *T[X, Y]) ", "(*T) ", "(u *undefined) "}
	fuzzTypeArgs  = []string{"", "[X any]", "[X, Y any]", "[X interface{ *T }]"}
	fuzzBodies    = []string{"panic(0)", "for {}", "return", "return undefined()"}
	fuzzExtras    = []string{"", "", "", "", "", "", "", "", "", "var len = 1\n", "func min() {}\n", "type error int\n", "var context, sync int\n", "type TPool struct{}\n", "func (\n", "}\n", "//poolgen:create\nfunc other() (*T, error) { panic(0) }\n",
		"//poolgen:creat\n", "// poolgen:close\n", "//poolgen:close\nvar end = func(*T) {}\n", "//go:build linux\n", "type tSlot = TPoolOptions\n", "/*\n", "\x00", "func f() { var x TPool; x.Acquire(nil) }\n", "const cmp = TPoolOptions{}\n"}
	fuzzFlags = []string{"", "-size=8", "-with=none", "-with=all", "-create=NewT", "-check=none", "-close=Close", "-prefix=Other", "-prefix=error", "-keyed=string", "-keyed=C", "-observer=U", "-observer=T", "-create=T.Create", "-check=C.Ping"}
	fuzzArgs  = []string{"", "[int]", "[string]", "[int,[]int]", "[func()]", "[int,C]", "[*T]", "[T[int]]", "[map[string]C]"}
)

// fuzzed is a random package and a request for it, made of the bytes of a fuzzer.
type fuzzed struct {
	data []byte
}

// pick takes the next byte for an element of a list; when all bytes are used, it is the first one.
func (f *fuzzed) pick(list []string) string {
	if len(f.data) == 0 {
		return list[0]
	}
	i := int(f.data[0]) % (2 * len(list))
	f.data = f.data[1:]
	if i >= len(list) {
		i = 0
	}
	return list[i]
}

// source is a package, with arguments for its type if that takes any.
func (f *fuzzed) source() (text, args string) {
	var b strings.Builder
	b.WriteString("package app\n\n" + f.pick(fuzzImports) + f.pick(fuzzTypes) + f.pick(fuzzContexts))
	if strings.Contains(b.String(), "type T[") {
		args = f.pick(fuzzArgs)
	}
	b.WriteString(f.pick(fuzzCreates))
	for len(f.data) > 4 {
		receiver, args := f.pick(fuzzReceivers), ""
		if receiver == "" {
			args = f.pick(fuzzTypeArgs)
		}
		fmt.Fprintf(&b, "func %s%s%s(%s) %s { %s }\n", receiver, f.pick(fuzzNames), args, f.pick(fuzzParams), f.pick(fuzzResults), f.pick(fuzzBodies))
		b.WriteString(f.pick(fuzzExtras))
	}
	return b.String(), args
}

var packagesToTry = flag.Int("packages", 300, "how many random packages FuzzPackages begins with")

// FuzzPackages generates pools in random packages: the outcome is code that compiles, if the package does, or an error
// that says where.
func FuzzPackages(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range *packagesToTry {
		data := make([]byte, 4+random.IntN(40))
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		f.Add(string(data))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data string) {
		choices := &fuzzed{data: []byte(data)}
		flag := choices.pick(fuzzFlags)
		source, args := choices.source()
		line := strings.TrimSpace("-type=T" + args + " " + flag)
		request, err := parseFlags(line)
		if err != nil {
			return
		}
		conn := filepath.Join(dir, fmt.Sprintf("conn%d.go", os.Getpid()))
		require.NoError(t, os.WriteFile(conn, []byte(source), 0o644))
		listed := &listing{Name: "app", PkgPath: "example.com/app", GoFiles: []string{conn}}
		pkg, err := read(t.Context(), listed, request, dir, "")
		var file *File
		if err == nil {
			file, err = generate(pkg, request, filepath.Join(dir, "pool.go"))
		}
		if err != nil {
			requireDiagnostic(t, err, "%s\n%s", line, source)
			return
		}
		requireCompiles(t, source, string(file.Text), request, line)
	})
}

// diagnostic is how messages begin: with a position, or with the flag or the folder that they are about.
var diagnostic = regexp.MustCompile(`(?m)^(\S+\.go:\d+:\d+: |\S*: |-[a-z-]+=)`)

func requireDiagnostic(t *testing.T, err error, format string, args ...any) {
	t.Helper()
	require.NotContains(t, err.Error(), "poolgen is broken", fmt.Sprintf(format, args...))
	require.Regexp(t, diagnostic, err.Error(), fmt.Sprintf(format, args...))
}

// requireCompiles requires that a generated file compiles, as far as the package does.
func requireCompiles(t *testing.T, source, pool string, request Request, line string) {
	t.Helper()
	fset := token.NewFileSet()
	user, err := parser.ParseFile(fset, "conn.go", source, parser.SkipObjectResolution)
	if err != nil {
		return
	}
	generated, err := parser.ParseFile(fset, "pool.go", pool, parser.SkipObjectResolution)
	require.NoError(t, err)
	var broken, errs []error
	collect := func(list *[]error) *types.Config {
		return &types.Config{Importer: standard, GoVersion: "go1.25", Error: func(err error) { *list = append(*list, err) }}
	}
	stand, _ := parser.ParseFile(fset, "stand.go", strings.ReplaceAll(standInPool, "TPool", request.prefix()+"Pool"), parser.SkipObjectResolution)
	_, _ = collect(&broken).Check("app", fset, []*ast.File{user, stand}, nil)
	if len(broken) > 0 {
		return // the package itself does not compile
	}
	_, _ = collect(&errs).Check("app", fset, []*ast.File{user, generated}, nil)
	require.Empty(t, errs, "%s\n%s", line, source)
}

// standInPool is for packages that use theirs.
const standInPool = `package app

type TPool struct{}

type TPoolOptions struct{}

func (TPool) Acquire(any) {}
`
