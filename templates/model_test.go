package templates

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	quoted = regexp.MustCompile("`([\\w.]+)`")
	mapped = regexp.MustCompile("(?m)^\\| (`.*) \\| (.*) \\| (`\\w+\\.go`|) ?\\|$")
	table  = regexp.MustCompile(`(?s)\| model \| code \| where \|.*?\n\n`)
)

// The table in the model's README leads to functions that exist, and has all that the model has.
func TestTheTableOfTheModelIsTrue(t *testing.T) {
	readme, err := os.ReadFile("../docs/model/README.md")
	require.NoError(t, err)
	model, err := os.ReadFile("../docs/model/pool.pml")
	require.NoError(t, err)
	rows := mapped.FindAllStringSubmatch(table.FindString(string(readme)), -1)
	require.NotEmpty(t, rows)
	named := map[string]bool{}
	for _, row := range rows {
		for _, name := range quoted.FindAllStringSubmatch(row[1], -1) {
			named[name[1]] = true
			defined := regexp.MustCompile(`(?m)^(inline|proctype|#define) ` + name[1] + `\b`).Match(model)
			require.True(t, defined, "the model has no %s", name[1])
		}
		if row[3] == "" {
			continue
		}
		file := quoted.FindStringSubmatch(row[3])[1]
		there := methods(t, filepath.Join("pool", file))
		for _, name := range quoted.FindAllStringSubmatch(row[2], -1) {
			require.True(t, there[name[1]], "%s has no %s", file, name[1])
		}
	}
	for _, match := range regexp.MustCompile(`(?m)^(?:inline|proctype) (\w+)`).FindAllSubmatch(model, -1) {
		require.True(t, named[string(match[1])], "the table has no %s", match[1])
	}
}

// methods returns the methods of a file, with the names of their types.
func methods(t *testing.T, path string) map[string]bool {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	found := map[string]bool{}
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Recv == nil {
			continue
		}
		of := f.Recv.List[0].Type
		if pointer, ok := of.(*ast.StarExpr); ok {
			of = pointer.X
		}
		found[of.(*ast.Ident).Name+"."+f.Name.Name] = true
	}
	return found
}
