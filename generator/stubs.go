package generator

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// stubs is an importer that makes packages up: each has, as a type of its own, every name by which the
// importing files refer to it. That is all it takes to tell the types in a signature apart.
type stubs map[string]*types.Package

func (s stubs) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	return s[path], nil
}

func newStubs(files []*ast.File) stubs {
	s := stubs{}
	for _, file := range files {
		imports := importNames(file)
		for name, p := range imports {
			if s[p] == nil {
				s[p] = types.NewPackage(p, name)
				s[p].MarkComplete()
			}
		}
		arguments := typeArguments(file)
		for _, ref := range qualified(file) {
			if pkg := s[imports[ref[0]]]; pkg != nil && pkg.Scope().Lookup(ref[1]) == nil {
				obj := types.NewTypeName(token.NoPos, pkg, ref[1], nil)
				named := types.NewNamed(obj, types.NewStruct(nil, nil), nil)
				named.SetTypeParams(typeParams(arguments[ref]))
				pkg.Scope().Insert(obj)
			}
		}
	}
	return s
}

// typeParams makes up n type parameters.
func typeParams(n int) []*types.TypeParam {
	var params []*types.TypeParam
	for range n {
		params = append(params, types.NewTypeParam(types.NewTypeName(token.NoPos, nil, "T", nil), types.Universe.Lookup("any").Type()))
	}
	return params
}

// typeArguments counts the arguments for each x.y that the file has as x.y[...]. What is an element of a
// variable only looks like that, which does no harm: nobody needs its type.
func typeArguments(file *ast.File) map[[2]string]int {
	count := map[[2]string]int{}
	for n := range ast.Preorder(file) {
		switch n := n.(type) {
		case *ast.IndexExpr:
			for _, ref := range qualified(n.X) {
				count[ref] = 1
			}
		case *ast.IndexListExpr:
			for _, ref := range qualified(n.X) {
				count[ref] = len(n.Indices)
			}
		}
	}
	return count
}

// qualified returns all pairs x, y for which the file, or a part of it, has x.y.
func qualified(file ast.Node) [][2]string {
	var refs [][2]string
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok {
				refs = append(refs, [2]string{x.Name, sel.Sel.Name})
			}
		}
		return true
	})
	return refs
}

// importNames maps the names by which a file refers to its imports to their paths. What an import without
// a name is called, only its package knows; guess, first by the rules that most paths follow, then by what
// the file refers to.
func importNames(file *ast.File) map[string]string {
	names := map[string]string{}
	var unnamed []string
	for _, spec := range file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		if spec.Name != nil && (spec.Name.Name == "." || spec.Name.Name == "_") {
			continue
		} else if spec.Name != nil {
			names[spec.Name.Name] = p
		} else {
			unnamed = append(unnamed, p)
		}
	}
	refs := qualified(file)
	for _, p := range unnamed {
		name := guessName(p)
		if !slices.ContainsFunc(refs, func(ref [2]string) bool { return ref[0] == name }) {
			for _, ref := range refs {
				if names[ref[0]] == "" && strings.Contains(p, ref[0]) {
					name = ref[0]
				}
			}
		}
		names[name] = p
	}
	return names
}

// nameOf is the name by which a file refers to a path that it imports, or "".
func nameOf(file *ast.File, path string) string {
	names := importNames(file)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if names[name] == path {
			return name
		}
	}
	return ""
}

// dotImports are the paths of what a file imports without a qualifier.
func dotImports(file *ast.File) []string {
	var paths []string
	for _, spec := range file.Imports {
		if spec.Name != nil && spec.Name.Name == "." {
			p, _ := strconv.Unquote(spec.Path.Value)
			paths = append(paths, p)
		}
	}
	return paths
}

var versionSuffix = regexp.MustCompile(`^v[0-9]+$`)

// guessName is the name that the package with this path most likely has.
func guessName(p string) string {
	base := path.Base(p)
	if versionSuffix.MatchString(base) && path.Dir(p) != "." {
		base = path.Base(path.Dir(p))
	}
	base, _, _ = strings.Cut(base, ".") // gopkg.in/yaml.v3
	base = strings.TrimSuffix(strings.TrimPrefix(base, "go-"), "-go")
	return strings.ReplaceAll(base, "-", "_")
}
