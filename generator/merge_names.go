package generator

import (
	"go/ast"
	"go/token"
	"iter"
	"slices"
)

// mixes reports whether a name would mean something else where the function's statements are to be.
func (m *merger) mixes() bool {
	own, callers := declares(m.fn), declares(m.caller)
	for name := range strays(m.fn) {
		if callers[name] {
			return true
		}
	}
	for _, name := range slices.Concat(fieldNames(m.fn.Recv), fieldNames(m.fn.Type.Params)) {
		delete(own, name)
	}
	for name := range own {
		if m.free[name] {
			return true
		}
	}
	added := m.bound
	for _, stmt := range m.fn.Body.List {
		if _, inner := stmt.(*ast.RangeStmt); !inner {
			added = append(added, variablesOf(stmt)...)
		}
	}
	for id := range variables(m.caller) {
		if id.Name != m.kept() && slices.Contains(added, id.Name) {
			return true
		}
	}
	return false
}

// strays are the names that a function uses, at least at one place, as it finds them outside of it.
func strays(fn *ast.FuncDecl) map[string]bool {
	scopes := map[string][]ast.Node{}
	names := map[string]bool{}
	ast.PreorderStack(fn, nil, func(n ast.Node, stack []ast.Node) bool {
		for _, name := range slices.Concat(variablesOf(n), parametersOf(n)) {
			scopes[name] = append(scopes[name], scope(n, stack))
		}
		return true
	})
	for id := range variables(fn.Body) {
		if !slices.ContainsFunc(scopes[id.Name], func(n ast.Node) bool { return n.Pos() <= id.Pos() && id.End() <= n.End() }) {
			names[id.Name] = true
		}
	}
	return names
}

// scope is the node in which what n declares is known, or a little more than that.
func scope(n ast.Node, stack []ast.Node) ast.Node {
	if _, is := n.(*ast.RangeStmt); is {
		return n
	}
	for _, around := range slices.Backward(stack) {
		switch around.(type) {
		case *ast.BlockStmt, *ast.IfStmt, *ast.ForStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.CaseClause, *ast.CommClause, *ast.FuncLit, *ast.FuncDecl:
			return around
		}
	}
	return n
}

// declares are the names of a function's parameters, results and variables.
func declares(fn *ast.FuncDecl) map[string]bool {
	names := map[string]bool{}
	for n := range ast.Preorder(fn) {
		for _, name := range slices.Concat(variablesOf(n), parametersOf(n)) {
			names[name] = true
		}
	}
	return names
}

// parametersOf are the names of the parameters and results of a function.
func parametersOf(n ast.Node) []string {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return fieldNames(n.Recv)
	case *ast.FuncType:
		return slices.Concat(fieldNames(n.Params), fieldNames(n.Results))
	}
	return nil
}

// variablesOf are the names of the variables that a statement, or a part of it, declares.
func variablesOf(n ast.Node) (names []string) {
	var list []ast.Expr
	switch n := n.(type) {
	case *ast.RangeStmt:
		if n.Tok == token.DEFINE {
			list = []ast.Expr{n.Key, n.Value}
		}
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE {
			list = n.Lhs
		}
	case *ast.ValueSpec:
		for _, id := range n.Names {
			list = append(list, id)
		}
	case *ast.DeclStmt:
		for spec := range ast.Preorder(n.Decl) {
			if spec, ok := spec.(*ast.ValueSpec); ok {
				names = append(names, variablesOf(spec)...)
			}
		}
	}
	for _, e := range list {
		if id, ok := e.(*ast.Ident); ok {
			names = append(names, id.Name)
		}
	}
	return names
}

// variables are the identifiers that are not those of fields, methods or the like.
func variables(n ast.Node) iter.Seq[*ast.Ident] {
	return func(yield func(*ast.Ident) bool) {
		skip, stop := map[ast.Node]bool{}, false
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				skip[n.Sel] = true
			case *ast.CompositeLit:
				if _, isName := n.Type.(*ast.Ident); isName { // of a struct
					for _, e := range n.Elts {
						if pair, ok := e.(*ast.KeyValueExpr); ok {
							skip[pair.Key] = true
						}
					}
				}
			case *ast.Ident:
				stop = stop || !skip[n] && !yield(n)
			}
			return !stop
		})
	}
}
