package bench

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The fast path of a generated pool: the method that holds it, and the lines from its first to its last.
func fastPath(t *testing.T, file string) (from, to int) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, nil, 0)
	require.NoError(t, err)
	for _, decl := range f.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Name.Name == "acquire" {
			return fset.Position(fn.Pos()).Line, fset.Position(fn.End()).Line
		}
	}
	require.Fail(t, "no method acquire in "+file)
	return 0, 0
}

// decisions returns what the compiler says of inlining in this package.
func decisions(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "build", "-gcflags=-m", ".").CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

func TestTheCompilerInlinesNeedsHealthCheckIntoAcquire(t *testing.T) {
	out := decisions(t)
	from, to := fastPath(t, "checked_pool.go")
	found := false
	for _, match := range regexp.MustCompile(`checked_pool\.go:(\d+):\d+: inlining call to \(\*Checked\)\.NeedsHealthCheck`).FindAllStringSubmatch(out, -1) {
		var line int
		_, err := fmt.Sscan(match[1], &line)
		require.NoError(t, err)
		found = found || from <= line && line <= to
	}
	require.True(t, found, "not inlined between the lines %d and %d of checked_pool.go:\n%s", from, to, out)
	require.Contains(t, out, "can inline (*CheckedPool).Acquire", "Acquire itself is nothing but that method")
}

// The hooks are called where they are used: the generated code has no value of a function or interface type
// through which a call could go, but for the create function that the caller of Warm may give.
func TestHooksAreCalledDirectly(t *testing.T) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "checked_pool.go", nil, 0)
	require.NoError(t, err)
	calls := map[string]int{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.InterfaceType:
			require.Fail(t, "an interface", fset.Position(n.Pos()))
		case *ast.Ident:
			require.NotEqual(t, "any", n.Name, fset.Position(n.Pos()))
		case *ast.CallExpr:
			switch fun := n.Fun.(type) {
			case *ast.Ident:
				calls[fun.Name]++
			case *ast.SelectorExpr:
				calls[fun.Sel.Name]++
			}
		}
		return true
	})
	for _, hook := range []string{"NewChecked", "NeedsHealthCheck", "HealthCheck"} {
		require.Equal(t, 1, calls[hook], "calls of %s", hook)
	}
	for _, spec := range file.Imports {
		require.NotContains(t, strings.Trim(spec.Path.Value, `"`), ".", "imports the standard library only")
	}
}
