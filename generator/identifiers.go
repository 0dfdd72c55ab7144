package generator

import (
	"go/ast"
	"go/types"
)

// identifiers are what the identifiers in the template refer to, as far as that decides what becomes of them. The parser
// tells, which knows what a file declares where: to type-check the template takes longer than to parse it, specialise it
// and format what comes of that. The parser does not know members, so a field that is embedded must not have the name of
// another member; and a key in a composite literal has to be that of a field. A test compares all this with what the
// type-checker says.
type identifiers struct {
	declared  map[string]bool                   // the names that are declared at package level,
	global    map[*ast.Ident]bool               // and the identifiers that refer to those, or to a field that is called as its type
	locals    map[*ast.FuncDecl]map[string]bool // the names that a function declares, and those that an inlined call may
	variables map[string]bool                   // the names of all variables
	builtins  map[string]bool                   // the names of Go's own that are used
}

// identify finds out what the identifiers in files refer to.
func identify(files []*source) *identifiers {
	ids := &identifiers{map[string]bool{}, map[*ast.Ident]bool{}, map[*ast.FuncDecl]map[string]bool{}, map[string]bool{"made": true}, map[string]bool{}}
	for _, s := range files {
		for name := range s.file.Scope.Objects {
			ids.declared[name] = true
		}
	}
	embedded := map[string]bool{}
	var members []*ast.Ident
	for _, s := range files {
		members = append(members, ids.identify(s, embedded)...)
	}
	for _, id := range members {
		if embedded[id.Name] && ids.declared[id.Name] {
			ids.global[id] = true
		}
	}
	return ids
}

// identify does so for one file. It returns the identifiers that refer to members, and notes the types that are embedded.
func (ids *identifiers) identify(s *source, embedded map[string]bool) (members []*ast.Ident) {
	var around *ast.FuncDecl
	named := map[*ast.Ident]bool{} // the names of fields, which the parser takes for variables
	for _, n := range s.nodes() {
		switch n := n.(type) {
		case *ast.FuncDecl:
			around = n
			ids.locals[n] = map[string]bool{"made": true}
		case *ast.StructType:
			for _, field := range n.Fields.List {
				embedded[typeName(field)] = true
				for _, name := range field.Names {
					named[name] = true
				}
			}
		case *ast.SelectorExpr:
			members = append(members, n.Sel)
		case *ast.KeyValueExpr:
			if id, ok := n.Key.(*ast.Ident); ok {
				named[id], members = true, append(members, id)
			}
		case *ast.Ident:
			if n.Obj == nil || named[n] || n.Name == "_" {
				continue
			}
			if n.Obj.Kind == ast.Var {
				ids.variables[n.Name] = true
			}
			if s.file.Scope.Lookup(n.Name) == n.Obj {
				ids.global[n] = true
			} else if around != nil && n.Pos() < around.End() {
				ids.locals[around][n.Name] = true
			}
		}
	}
	for _, id := range s.file.Unresolved {
		if ids.declared[id.Name] {
			ids.global[id] = true
		} else if types.Universe.Lookup(id.Name) != nil {
			ids.builtins[id.Name] = true
		}
	}
	return members
}

// typeName is the name by which the type of an embedded field is called, or "" for another field or a type of another package.
func typeName(field *ast.Field) string {
	typ := field.Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if id, ok := typ.(*ast.Ident); ok && field.Names == nil {
		return id.Name
	}
	return ""
}
