package generator

import (
	"context"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var everySet = flag.Bool("every-set", false, "run the template's tests for the pool of each single feature group, too")

// The template's own tests hold for the pools that are generated from it: they are specialised as the template is.
// Those that need what a pool lacks do not compile, and are left out.
func TestTheTemplatesTestsHoldForGeneratedPools(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles and runs the template's tests several times")
	}
	type set struct {
		groups string
		plain  bool // nothing is called between two leases, so that releases go the fast way
	}
	sets := map[set]int{ // at least so many tests must be left
		{groups: "none"}: 45, {groups: "none,stats"}: 70, {groups: "default"}: 150, {groups: "all"}: 160,
		{"none", true}: 45, {"default", true}: 150, {"barging", true}: 150,
	}
	if *everySet {
		for _, g := range Groups {
			sets[set{groups: "none," + g.Name}] = 45
		}
		sets[set{"barging,age", true}] = 150
	}
	for set, least := range sets {
		t.Run(fmt.Sprintf("%s/plain=%v", set.groups, set.plain), func(t *testing.T) {
			dir := t.TempDir()
			request := Request{Dir: dir, Type: "Conn"}
			if set.groups == "all" {
				request.Observer, request.Keyed = "connObserver", "string"
			}
			if set.plain {
				request.Hooks = map[Kind]string{Reset: none, Broken: none, AfterRelease: none, BeforeAcquire: none}
			}
			choice, err := Groups.Choose(strings.Split(set.groups, ","), nil)
			require.NoError(t, err)
			request.Groups = choice
			writeScriptedConnection(t, dir)
			file, err := Generate(context.Background(), request)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(file.Path, file.Text, 0o644))
			specialiseTests(t, request)
			dropped := dropUncompilable(t, dir)
			if set.groups == "all" {
				require.Empty(t, dropped, "these tests don't compile though nothing is missing")
			}
			out, err := goTool(dir, "test", "-race", "-v", ".")
			require.NoError(t, err, "%s", failures(out))
			for _, name := range []string{"TestGates", "FuzzOperations", "TestStress", "TestStressInVirtualTime", "TestStressLeavesNothingInABubble"} { // which every pool can do, and must not lose unseen
				require.True(t, strings.Contains(out, "\n--- PASS: "+name), "%s has not run; these don't compile: %s", name, dropped)
			}
			passed := strings.Count(out, "\n--- PASS: Test")
			t.Logf("%d tests passed; %d don't apply: %s", passed, len(dropped), strings.Join(dropped, ", "))
			require.GreaterOrEqual(t, passed, least)
		})
	}
}

// failures are the lines of a test's output that tell what is wrong.
func failures(out string) string {
	var lines []string
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "=== ") && !strings.Contains(line, "--- PASS") && !strings.Contains(line, "--- SKIP") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[:min(len(lines), 200)], "")
}

func goTool(dir string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// writeScriptedConnection writes a package whose hooks do what the tests tell them, with what those need.
func writeScriptedConnection(t *testing.T, dir string) {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		text = []byte(strings.Replace(string(text), "module github.com/poolgen/poolgen\n", "module example.com/pool\n", 1))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o644))
	}
	text, err := os.ReadFile(filepath.Join(root, "templates", "pool", "conn.go"))
	require.NoError(t, err)
	conn := string(text)
	for from, to := range map[string]string{
		"type Key = string": "", "type Context = *server": "", "type Observer = *observer": "",
		"func createConn(": "func NewConn(", "func needsHealthCheck(": "func NeedsHealthCheckConn(", "func healthCheck(": "func HealthCheckConn(",
		"func closeConn(": "func CloseConn(", "func resetConn(": "func ResetConn(", "func isBroken(": "func BrokenConn(",
		"func afterCreate(": "func AfterCreateConn(", "func beforeAcquire(": "func BeforeAcquireConn(", "func afterRelease(": "func AfterReleaseConn(",
		"func beforeClose(": "func BeforeCloseConn(", "func isFatal(": "func IsFatalConn(",
	} {
		require.Contains(t, conn, from)
		conn = strings.ReplaceAll(conn, from, to)
	}
	conn = regexp.MustCompile(`func observe(\w+)\(o Observer(?:, )?`).ReplaceAllString(conn, "func (o *observer) $1(")
	conn = strings.ReplaceAll(conn, " Context)", " *server)")
	conn = regexp.MustCompile(`\b(server|observer)\b`).ReplaceAllStringFunc(conn, func(name string) string { return "conn" + upperFirst(name) })
	require.NoError(t, os.WriteFile(filepath.Join(dir, "conn.go"), []byte(conn), 0o644))
}

// specialiseTests writes the template's tests for the request's pool.
func specialiseTests(t *testing.T, request Request) {
	parsed, err := parseTemplate()
	require.NoError(t, err)
	own := parsed.ids.declared
	paths, err := filepath.Glob("../templates/pool/*_test.go")
	require.NoError(t, err)
	var tests []*source
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		s, err := parsed.parse(filepath.Base(path), text)
		require.NoError(t, err)
		tests = append(tests, s)
	}
	parsed.ids = identify(parsed.files)
	pkg, err := load(context.Background(), request, request.Dir, request.output(request.Dir))
	require.NoError(t, err)
	connection, err := resolve(pkg, request)
	require.NoError(t, err)
	f := parsed.features(connection, request)
	n := outputNames(parsed.ids.declared, newStem("Conn"), "Conn").fit(f, newStem("Conn"))
	for name := range n {
		if !own[name] { // the tests' own names stay
			n[name] = name
		}
	}
	for _, s := range tests {
		require.NoError(t, s.fold(f, n))
		s.rename(n, parsed.ids, map[string]string{"Context": connection.Context, "Key": "string", "Observer": "*connObserver"})
		text, err := s.slice(0, len(s.text))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(request.Dir, s.name), []byte(text), 0o644))
	}
}

var compileError = regexp.MustCompile(`(?m)^(?:vet: )?\./(\w+_test\.go):(\d+):\d+: (.*)`)

// dropUncompilable removes the declarations that do not compile from the tests in a folder, and returns the names of
// the tests among them.
func dropUncompilable(t *testing.T, dir string) (dropped []string) {
	out := ""
	for range 20 {
		var err error
		out, err = goTool(dir, "test", "-c", "-gcflags=-e", "-o", os.DevNull, ".")
		if err == nil {
			return dropped
		}
		errors := compileError.FindAllStringSubmatch(out, -1)
		require.NotEmpty(t, errors, "%s", out)
		lines := map[string][]int{}
		for _, e := range errors {
			line, _ := strconv.Atoi(e[2])
			lines[e[1]] = append(lines[e[1]], line)
		}
		for name, at := range lines {
			dropped = append(dropped, dropDecls(t, filepath.Join(dir, name), at)...)
		}
	}
	require.Fail(t, "the tests still do not compile", "%s", out)
	return nil
}

// dropDecls blanks the declarations on these lines of a file, of imports one by one, and returns the names of the
// tests among them.
func dropDecls(t *testing.T, path string, lines []int) (tests []string) {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution)
	require.NoError(t, err)
	blank := func(n ast.Node) {
		for i := fset.Position(n.Pos()).Offset; i < fset.Position(n.End()).Offset; i++ {
			if text[i] != '\n' {
				text[i] = ' '
			}
		}
	}
	within := func(n ast.Node) bool {
		for _, line := range lines {
			if fset.Position(n.Pos()).Line <= line && line <= fset.Position(n.End()).Line {
				return true
			}
		}
		return false
	}
	for _, spec := range file.Imports {
		if within(spec) {
			blank(spec)
		}
	}
	for _, decl := range file.Decls {
		if gen, ok := decl.(*ast.GenDecl); !within(decl) || ok && gen.Tok == token.IMPORT {
			continue
		}
		blank(decl)
		if fn, ok := decl.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "Test") {
			tests = append(tests, fn.Name.Name)
		}
	}
	require.NoError(t, os.WriteFile(path, text, 0o644))
	return tests
}
