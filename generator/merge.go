package generator

import (
	"go/ast"
	"go/token"
	"iter"
	"slices"
	"strings"
)

// screen is how many lines a function may have that another has gone into.
const screen = 60

// merger puts what a function does in the place of its only call.
type merger struct {
	from    *source
	fn      *ast.FuncDecl
	comment string // for what it does

	to     *source
	caller *ast.FuncDecl
	call   *ast.CallExpr
	stack  []ast.Node // around it

	body   *source         // from, with arguments in the place of parameters
	before string          // statements that declare the other parameters,
	bound  []string        // which are these
	free   map[string]bool // the names in those arguments
}

// merge makes the edit of the caller. It makes none, and reports false, if the function does not fit there.
func (m *merger) merge() bool {
	stmts := m.fn.Body.List
	if len(stmts) == 0 || m.from.lines(m.fn)+m.to.lines(m.caller) > screen || !m.bind() || m.mixes() {
		return false
	}
	value := m.value()
	if len(stmts) == 1 && value != nil {
		return m.express(value)
	}
	switch m.stack[len(m.stack)-2].(type) {
	case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
	default:
		return false
	}
	switch stmt := m.stack[len(m.stack)-1].(type) {
	case *ast.ExprStmt:
		if returns(m.fn.Body) == 0 && !m.defers() {
			return m.put(stmt, m.fn.Body.Rbrace, "")
		}
	case *ast.ReturnStmt:
		if len(stmt.Results) == 1 && slices.Equal(fieldNames(m.fn.Type.Results), fieldNames(m.caller.Type.Results)) && !slices.ContainsFunc(m.stack, isClosure) {
			return m.put(stmt, m.fn.Body.Rbrace, "")
		}
	case *ast.AssignStmt:
		if value != nil && len(stmt.Lhs) == 1 && !m.defers() {
			return m.put(stmt, value.Pos()-token.Pos(len("return ")), m.assigned(stmt, value))
		}
	}
	return false
}

// defers reports whether the function does something when it returns, which might be too late in the caller.
func (m *merger) defers() bool {
	for n := range ast.Preorder(m.fn.Body) {
		if _, is := n.(*ast.DeferStmt); is {
			return true
		}
	}
	return false
}

// value is the expression with which the function ends, if it returns there only.
func (m *merger) value() ast.Expr {
	ret, ok := m.fn.Body.List[len(m.fn.Body.List)-1].(*ast.ReturnStmt)
	if !ok || len(ret.Results) != 1 || returns(m.fn.Body) > 1 {
		return nil
	}
	return ret.Results[0]
}

// kept is the name of the variable that the function returns, if the caller gives it the same, or "".
func (m *merger) kept() string {
	assign, ok := m.stack[len(m.stack)-1].(*ast.AssignStmt)
	if !ok || len(assign.Lhs) != 1 || assign.Tok != token.DEFINE {
		return ""
	}
	to, _ := assign.Lhs[0].(*ast.Ident)
	if value, ok := m.value().(*ast.Ident); ok && value.Name == to.Name {
		return to.Name
	}
	return ""
}

func isClosure(n ast.Node) bool {
	_, is := n.(*ast.FuncLit)
	return is
}

// put puts the function's statements, up to end, and what follows in the place of a statement.
func (m *merger) put(stmt ast.Stmt, end token.Pos, what string) bool {
	text, err := m.body.slice(m.body.offset(m.fn.Body.Lbrace)+1, m.body.offset(end))
	m.to.replace(stmt.Pos(), stmt.End(), m.comment+m.before+strings.TrimSpace(text)+what)
	return err == nil
}

// assigned is the assignment of the function's value, unless that has its name already.
func (m *merger) assigned(stmt *ast.AssignStmt, value ast.Expr) string {
	if m.kept() != "" {
		return ""
	}
	text, _ := m.body.slice(m.body.offset(value.Pos()), m.body.offset(value.End()))
	return "\n" + m.to.between(stmt.Pos(), stmt.Rhs[0].Pos()) + text
}

// express puts the expression that the function is in the place of the call.
func (m *merger) express(value ast.Expr) bool {
	text, err := m.body.slice(m.body.offset(value.Pos()), m.body.offset(value.End()))
	if m.before != "" || err != nil {
		return false
	}
	switch parent := m.stack[len(m.stack)-1].(type) {
	case *ast.ExprStmt, *ast.GoStmt, *ast.DeferStmt:
		return false
	case *ast.BinaryExpr:
		if b, ok := value.(*ast.BinaryExpr); ok && b.Op.Precedence() <= parent.Op.Precedence() {
			text = "(" + text + ")"
		}
	case *ast.UnaryExpr, *ast.SelectorExpr, *ast.StarExpr, *ast.IndexExpr:
		if _, ok := value.(*ast.BinaryExpr); ok {
			text = "(" + text + ")"
		}
	}
	m.to.replace(m.call.Pos(), m.call.End(), text)
	return true
}

// bind puts the arguments in the place of the parameters. What is more than a name, or a field, is evaluated first.
func (m *merger) bind() bool {
	m.body, m.free = m.from.unedited(), map[string]bool{}
	names, args := fieldNames(m.fn.Recv), m.call.Args
	if m.fn.Recv != nil {
		args = append([]ast.Expr{m.call.Fun.(*ast.SelectorExpr).X}, args...)
	}
	names = append(names, fieldNames(m.fn.Type.Params)...)
	if len(names) != len(args) || m.call.Ellipsis.IsValid() {
		return false
	}
	for i, name := range names {
		text := m.to.between(args[i].Pos(), args[i].End())
		switch {
		case text == name:
		case !isPlain(args[i]):
			m.before += name + " := " + text + "\n"
			m.bound = append(m.bound, name)
		case assigns(m.fn.Body, name):
			return false
		default:
			for id := range variables(m.fn.Body) {
				if id.Name == name {
					m.body.replace(id.Pos(), id.End(), text)
				}
			}
			for id := range variables(args[i]) {
				m.free[id.Name] = true
			}
		}
	}
	return true
}

// isPlain reports whether an expression is a name, a literal, or a field of what is.
func isPlain(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident, *ast.BasicLit:
		return true
	case *ast.SelectorExpr:
		return isPlain(e.X)
	case *ast.UnaryExpr:
		return e.Op == token.AND && isPlain(e.X)
	}
	return false
}

// mixes reports whether a name would mean something else where the function's statements are to be.
func (m *merger) mixes() bool {
	own, callers := declares(m.fn), declares(m.caller)
	for id := range variables(m.fn.Body) {
		if !own[id.Name] && callers[id.Name] {
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

// fieldNames are the names in a list of parameters or results.
func fieldNames(list *ast.FieldList) (names []string) {
	if list != nil {
		for _, field := range list.List {
			for _, name := range field.Names {
				names = append(names, name.Name)
			}
		}
	}
	return names
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
			case *ast.KeyValueExpr:
				_, isName := n.Key.(*ast.Ident)
				skip[n.Key] = isName
			case *ast.Ident:
				stop = stop || !skip[n] && !yield(n)
			}
			return !stop
		})
	}
}

// assigns reports whether a variable may change.
func assigns(body ast.Node, name string) bool {
	is := func(e ast.Expr) bool {
		id, ok := e.(*ast.Ident)
		return ok && id.Name == name
	}
	for n := range ast.Preorder(body) {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if slices.ContainsFunc(n.Lhs, is) {
				return true
			}
		case *ast.IncDecStmt:
			if is(n.X) {
				return true
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND && is(n.X) {
				return true
			}
		}
	}
	return false
}

// returns counts the statements by which a function returns, and not those within.
func returns(body ast.Node) (count int) {
	ast.Inspect(body, func(n ast.Node) bool {
		if _, is := n.(*ast.ReturnStmt); is {
			count++
		}
		return !isClosure(n)
	})
	return count
}

// lines is how many lines a function has.
func (s *source) lines(fn *ast.FuncDecl) int {
	return strings.Count(s.between(fn.Pos(), fn.End()), "\n") + 1
}

// between is a part of the text, without edits.
func (s *source) between(from, to token.Pos) string { return s.text[s.offset(from):s.offset(to)] }
