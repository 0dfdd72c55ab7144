package generator

import (
	"go/ast"
	"go/token"
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
	if len(stmts) == 0 || m.from.lines(m.fn)+m.to.lines(m.caller) > screen || m.isSpecial() || !m.bind() || m.mixes() {
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
		if len(stmt.Results) == 1 && m.sameResults() && !slices.ContainsFunc(m.stack, isClosure) {
			return m.put(stmt, m.fn.Body.Rbrace, "")
		}
	case *ast.AssignStmt:
		if value != nil && len(stmt.Lhs) == 1 && (stmt.Tok == token.DEFINE || stmt.Tok == token.ASSIGN) && !m.defers() {
			return m.put(stmt, value.Pos()-token.Pos(len("return ")), m.assigned(stmt, value))
		}
	}
	return false
}

// isSpecial reports whether the function is more than its statements: to the compiler, or because it recovers.
func (m *merger) isSpecial() bool {
	for _, c := range m.fn.Doc.List {
		if strings.HasPrefix(c.Text, "//") && obeyed.MatchString(c.Text) && !strings.HasPrefix(c.Text, onceMark) {
			return true
		}
	}
	for id := range variables(m.fn.Body) {
		if id.Name == "recover" {
			return true
		}
	}
	return false
}

// sameResults reports whether the caller returns what the function does, by the same names if any, and has not set that yet.
func (m *merger) sameResults() bool {
	theirs, callers := m.fn.Type.Results, m.caller.Type.Results
	if theirs == nil || callers == nil || m.from.between(theirs.Pos(), theirs.End()) != m.to.between(callers.Pos(), callers.End()) {
		return false
	}
	return !slices.ContainsFunc(fieldNames(theirs), func(name string) bool { return len(writes(m.caller.Body, isVariable(name))) > 0 })
}

// defers reports whether the function does something when it returns, which would be too late in the caller.
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
		switch value.(type) {
		case *ast.BinaryExpr, *ast.UnaryExpr:
			text = "(" + text + ")"
		}
	}
	m.to.replace(m.call.Pos(), m.call.End(), text)
	return true
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
