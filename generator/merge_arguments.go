package generator

import (
	"go/ast"
	"go/token"
	"slices"
)

// bind puts the arguments in the place of the parameters. What is more than a name, or a field, is evaluated first.
func (m *merger) bind() bool {
	m.body, m.free = m.from.unedited(), map[string]bool{}
	args := m.call.Args
	if m.fn.Recv != nil {
		args = append([]ast.Expr{m.call.Fun.(*ast.SelectorExpr).X}, args...)
	}
	params := append(parameters(m.fn.Recv), parameters(m.fn.Type.Params)...)
	if len(params) != len(args) || m.call.Ellipsis.IsValid() {
		return false
	}
	for i, p := range params {
		if !m.replace(p, args[i]) {
			return false
		}
	}
	return true
}

// replace puts an argument in the place of a parameter, if it stays what it is while the function runs.
func (m *merger) replace(p parameter, arg ast.Expr) bool {
	text, typ := m.to.between(arg.Pos(), arg.End()), m.from.between(p.typ.Pos(), p.typ.End())
	used, captured := m.uses(p.name)
	switch {
	case !used && isPlain(arg, typ):
		return true
	case !used || text == "nil" || m.changes(p, arg):
		return false
	case isLiteral(arg) && !isPlain(arg, typ):
		return false
	case captured && m.changesLater(arg):
		return false
	case text == p.name:
		return true
	case !isPlain(arg, typ):
		m.before += p.name + " := " + text + "\n"
		m.bound = append(m.bound, p.name)
		return true
	}
	for id := range variables(m.fn.Body) {
		if id.Name == p.name {
			m.body.replace(id.Pos(), id.End(), text)
		}
	}
	for id := range variables(arg) {
		m.free[id.Name] = true
	}
	return true
}

// uses reports whether the function uses a parameter, and whether it does in a closure.
func (m *merger) uses(name string) (used, captured bool) {
	for id := range variables(m.fn.Body) {
		used = used || id.Name == name
	}
	for n := range ast.Preorder(m.fn.Body) {
		if isClosure(n) {
			for id := range variables(n) {
				captured = captured || id.Name == name
			}
		}
	}
	return used, captured
}

// changes reports whether the function changes a parameter, or uses one after it has changed the field that it is given for that.
func (m *merger) changes(p parameter, arg ast.Expr) bool {
	if sel, ok := arg.(*ast.SelectorExpr); ok {
		changing := writes(m.fn.Body, func(e ast.Expr) bool {
			to, ok := e.(*ast.SelectorExpr)
			return ok && to.Sel.Name == sel.Sel.Name
		})
		for id := range variables(m.fn.Body) {
			if id.Name == p.name && len(changing) > 0 && id.Pos() > changing[0].End() {
				return true
			}
		}
	}
	_, isPointer := p.typ.(*ast.StarExpr)
	return len(writes(m.fn.Body, func(e ast.Expr) bool {
		if !isPointer {
			e = root(e)
		}
		return isVariable(p.name)(e)
	})) > 0
}

// changesLater reports whether the caller may assign to a variable again that it gives as an argument.
func (m *merger) changesLater(arg ast.Expr) bool {
	params := append(parameters(m.caller.Recv), parameters(m.caller.Type.Params)...)
	for id := range variables(arg) {
		first := 1 // is how it gets there
		if slices.ContainsFunc(params, func(p parameter) bool { return p.name == id.Name }) {
			first = 0
		}
		if len(writes(m.caller.Body, isVariable(id.Name))) > first {
			return true
		}
	}
	return false
}

func isLiteral(e ast.Expr) bool {
	_, is := e.(*ast.BasicLit)
	return is
}

// isPlain reports whether an expression is a name, a literal of the type, or a field of what is.
func isPlain(e ast.Expr, typ string) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return true
	case *ast.BasicLit:
		return e.Kind == token.STRING && typ == "string" || e.Kind == token.INT && typ == "int"
	case *ast.SelectorExpr:
		return isPlain(e.X, typ)
	case *ast.UnaryExpr:
		return e.Op == token.AND && isPlain(e.X, typ)
	}
	return false
}

// parameter is one of a function, or a result.
type parameter struct {
	name string
	typ  ast.Expr
}

// parameters are those in a list.
func parameters(list *ast.FieldList) (params []parameter) {
	if list != nil {
		for _, field := range list.List {
			for _, name := range field.Names {
				params = append(params, parameter{name.Name, field.Type})
			}
		}
	}
	return params
}

// fieldNames are the names in a list of parameters or results.
func fieldNames(list *ast.FieldList) (names []string) {
	for _, p := range parameters(list) {
		names = append(names, p.name)
	}
	return names
}

// writes are where something is assigned to, or may be by way of a pointer.
func writes(body ast.Node, is func(ast.Expr) bool) (list []ast.Node) {
	for n := range ast.Preorder(body) {
		var to []ast.Expr
		switch n := n.(type) {
		case *ast.AssignStmt:
			to = n.Lhs
		case *ast.RangeStmt:
			to = []ast.Expr{n.Key, n.Value}
		case *ast.IncDecStmt:
			to = []ast.Expr{n.X}
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				to = []ast.Expr{n.X}
			}
		}
		for _, e := range to {
			if e != nil && is(e) {
				list = append(list, n)
			}
		}
	}
	return list
}

// root is the variable that an expression is a part of.
func root(e ast.Expr) ast.Expr {
	for {
		switch part := e.(type) {
		case *ast.SelectorExpr:
			e = part.X
		case *ast.IndexExpr:
			e = part.X
		default:
			return e
		}
	}
}

// isVariable tells whether an expression is the variable with that name.
func isVariable(name string) func(ast.Expr) bool {
	return func(e ast.Expr) bool {
		id, ok := e.(*ast.Ident)
		return ok && id.Name == name
	}
}
