package generator

import (
	"go/ast"
	"go/types"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the generator takes the identifiers of the template for is what the type-checker does. Where this fails, the template
// has what the parser alone can't tell: give the variable or the field there another name.
func TestIdentifiersAreWhatTheTypeCheckerSays(t *testing.T) {
	t.Parallel()
	parsed, err := parseTemplate()
	require.NoError(t, err)
	var files []*ast.File
	for _, s := range parsed.files {
		files = append(files, s.file)
	}
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: newStubs(files), Error: func(error) {}}
	pkg, _ := config.Check("pool", parsed.fset, files, info)
	names := map[string]bool{}
	for _, name := range pkg.Scope().Names() {
		names[name] = true
	}
	require.Equal(t, names, parsed.ids.declared)

	variables, builtins := map[string]bool{"made": true}, map[string]bool{}
	for _, s := range parsed.files {
		var fn *ast.FuncDecl
		locals := map[*ast.FuncDecl]map[string]bool{}
		for _, n := range s.nodes() {
			if decl, ok := n.(*ast.FuncDecl); ok {
				fn, locals[decl] = decl, map[string]bool{"made": true}
			}
			id, ok := n.(*ast.Ident)
			if !ok || id.Name == "_" {
				continue
			}
			obj := info.ObjectOf(id)
			v, isVar := obj.(*types.Var)
			isField := isVar && v.IsField()
			global := obj != nil && (obj.Parent() == pkg.Scope() || isField && v.Embedded() && pkg.Scope().Lookup(id.Name) != nil)
			require.Equal(t, global, parsed.ids.global[id], "%s: %s is misunderstood; give the variable or field another name", parsed.fset.Position(id.Pos()), id.Name)
			switch {
			case obj != nil && obj.Parent() == types.Universe:
				builtins[id.Name] = true
			case isVar && !isField:
				variables[id.Name] = true
			}
			if info.Defs[id] != nil && !isField && fn != nil && fn.Pos() < id.Pos() && id.Pos() < fn.End() && id != fn.Name {
				locals[fn][id.Name] = true
			}
		}
		for fn, want := range locals {
			require.Equal(t, want, parsed.ids.locals[fn], "the names that %s declares", fn.Name)
		}
	}
	require.Equal(t, variables, parsed.ids.variables)
	require.Equal(t, builtins, parsed.ids.builtins)
}
