package generator

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
)

// hold reports whether the condition of a mark holds.
func (f features) hold(m mark) (bool, error) {
	value, known := f.eval(m.condition)
	if !known {
		return false, fmt.Errorf("%q is not decided by the features", m.comment.Text)
	}
	return value, nil
}

// folder folds the features of one file of the template.
type folder struct {
	*source
	features features
	names    names // of the output
	err      error
}

// fold folds all that depends on the features: ifs, conditions, and what is marked with poolgen:if.
func (s *source) fold(f features, n names) error {
	folder := &folder{source: s, features: f, names: n}
	marks, err := s.marks()
	if err != nil {
		return err
	}
	dropped := map[ast.Node]bool{}
	for _, m := range marks {
		dropped[m.node] = !folder.mark(m)
	}
	folder.remarks()
	for _, n := range s.nodes() {
		if e, ok := n.(ast.Expr); ok {
			folder.value(e)
		}
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Type.Results == nil && n.Body != nil {
				folder.end(n.Body.List)
			}
		case *ast.BlockStmt:
			folder.list(n.List)
		case *ast.SwitchStmt:
			folder.choice(n, dropped)
		case *ast.CaseClause:
			folder.list(n.Body)
		case *ast.CommClause:
			folder.list(n.Body)
		case *ast.BinaryExpr:
			folder.condition(n)
		case *ast.ParenExpr:
			folder.parens(n)
		}
	}
	return folder.err
}

// list folds the ifs and loops among the statements of a block. What follows one that now always leaves the block is
// dropped.
func (f *folder) list(stmts []ast.Stmt) {
	for i, stmt := range stmts {
		if loop, ok := stmt.(*ast.ForStmt); ok && loop.Cond != nil {
			if value, known := f.features.eval(loop.Cond); known && value {
				f.replace(loop.Cond.Pos(), loop.Body.Pos(), "")
			} else if known {
				f.cut(f.offset(loop.Pos()), f.offset(loop.End()))
			}
		}
		branch, ok := stmt.(*ast.IfStmt)
		if !ok {
			continue
		}
		taken, decided := f.branch(branch)
		if decided && taken != nil && leaves(taken.List) && i+1 < len(stmts) {
			f.cut(f.offset(stmts[i+1].Pos()), f.offset(stmts[len(stmts)-1].End()))
		}
	}
}

// branch folds an if, and returns the block that stays if the features decide which one that is.
func (f *folder) branch(stmt *ast.IfStmt) (taken *ast.BlockStmt, decided bool) {
	value, known := f.features.eval(stmt.Cond)
	switch {
	case !known:
		if other, ok := stmt.Else.(*ast.IfStmt); ok {
			f.elseIf(stmt, other)
		}
		return nil, false
	case value:
		taken = stmt.Body
	case stmt.Else == nil:
		f.cut(f.offset(stmt.Pos()), f.offset(stmt.End()))
		return nil, true
	default:
		if other, ok := stmt.Else.(*ast.IfStmt); ok {
			f.edits = append(f.edits, edit{from: f.offset(stmt.Pos()), to: f.offset(other.Pos())})
			return f.branch(other)
		}
		taken = stmt.Else.(*ast.BlockStmt)
	}
	f.edits = append(f.edits, edit{from: f.offset(stmt.Pos()), to: f.offset(taken.Lbrace) + 1}, edit{from: f.offset(taken.Rbrace), to: f.offset(stmt.End())})
	return taken, true
}

// elseIf folds an if in the else branch of one that stays.
func (f *folder) elseIf(stmt, other *ast.IfStmt) {
	value, known := f.features.eval(other.Cond)
	switch {
	case !known:
		if third, ok := other.Else.(*ast.IfStmt); ok {
			f.elseIf(other, third)
		}
	case value:
		f.edits = append(f.edits, edit{from: f.offset(other.Pos()), to: f.offset(other.Body.Pos())})
		if other.Else != nil {
			f.edits = append(f.edits, edit{from: f.offset(other.Body.End()), to: f.offset(other.End())})
		}
	case other.Else == nil:
		f.edits = append(f.edits, edit{from: f.offset(stmt.Body.End()), to: f.offset(stmt.End())})
	default:
		f.edits = append(f.edits, edit{from: f.offset(other.Pos()), to: f.offset(other.Else.Pos())})
	}
}

// end drops the return with which a function without results ends once an if among its statements is folded.
func (f *folder) end(stmts []ast.Stmt) {
	for _, stmt := range stmts {
		branch, ok := stmt.(*ast.IfStmt)
		if !ok {
			continue
		}
		if value, known := f.features.eval(branch.Cond); known && value && leaves(branch.Body.List) {
			last := branch.Body.List[len(branch.Body.List)-1]
			f.cut(f.offset(last.Pos()), f.offset(last.End()))
			return
		}
	}
}

// leaves reports whether a list of statements ends with one that leaves the block.
func leaves(stmts []ast.Stmt) bool {
	if len(stmts) == 0 {
		return false
	}
	switch stmts[len(stmts)-1].(type) {
	case *ast.ReturnStmt, *ast.BranchStmt:
		return true
	}
	return false
}

// value replaces an expression that the features decide by its value. Where more than the expression is folded, the
// edit for that contains this one.
func (f *folder) value(e ast.Expr) {
	if value, known := f.features.eval(e); known {
		f.replace(e.Pos(), e.End(), strconv.FormatBool(value))
	}
}

// condition drops the operand of a condition that the features decide, if the other one still matters.
func (f *folder) condition(e *ast.BinaryExpr) {
	if _, known := f.features.eval(e); known || e.Op != token.LAND && e.Op != token.LOR {
		return
	}
	if _, known := f.features.eval(e.X); known {
		f.edits = append(f.edits, edit{from: f.offset(e.X.Pos()), to: f.offset(e.Y.Pos())})
	}
	if _, known := f.features.eval(e.Y); known {
		f.edits = append(f.edits, edit{from: f.offset(e.X.End()), to: f.offset(e.Y.End())})
	}
}

// parens drops the parentheses around a condition of which only a plain operand is left.
func (f *folder) parens(e *ast.ParenExpr) {
	inner, ok := e.X.(*ast.BinaryExpr)
	if !ok || inner.Op != token.LAND && inner.Op != token.LOR {
		return
	}
	left := inner.X
	if _, known := f.features.eval(inner.X); known {
		left = inner.Y
	} else if _, known := f.features.eval(inner.Y); !known {
		return
	}
	if b, ok := left.(*ast.BinaryExpr); !ok || b.Op != token.LAND && b.Op != token.LOR {
		f.edits = append(f.edits, edit{from: f.offset(e.Lparen), to: f.offset(e.Lparen) + 1}, edit{from: f.offset(e.Rparen), to: f.offset(e.Rparen) + 1})
	}
}

// mark is a comment "poolgen:if condition", and what it is about.
type mark struct {
	comment   *ast.Comment
	group     *ast.CommentGroup
	verb      string
	argument  string // without the comment that may follow it
	condition ast.Expr
	rest      string // the comment that follows
	node      ast.Node
	doc       *ast.CommentGroup // of node, or nil
}

// findMarks finds the marks of a file.
func (s *source) findMarks() ([]mark, error) {
	var marks []mark
	for _, group := range s.file.Comments {
		for _, c := range group.List {
			directive, ok := strings.CutPrefix(c.Text, "//poolgen:")
			if !ok {
				continue
			}
			verb, argument, _ := strings.Cut(directive, " ")
			argument, rest, _ := strings.Cut(argument, " // ")
			if strings.HasPrefix(c.Text, onceMark) { // see unite
				continue
			}
			if verb != "if" {
				return nil, fmt.Errorf("%s: unknown directive %q", s.name, c.Text)
			}
			m := mark{comment: c, group: group, verb: verb, argument: argument, rest: rest}
			if m.condition, _ = parser.ParseExpr(argument); m.condition == nil {
				return nil, fmt.Errorf("%s: no condition: %q", s.name, c.Text)
			}
			marks = append(marks, m)
		}
	}
	s.attach(marks)
	for _, m := range marks {
		if m.node == nil {
			return nil, fmt.Errorf("%s: nothing is marked by %q", s.name, m.comment.Text)
		}
	}
	return marks, nil
}

// choice folds a switch. One whose mark does not hold is what its only case does, as there is nothing to choose from. A case that
// always holds is the default.
func (f *folder) choice(n *ast.SwitchStmt, dropped map[ast.Node]bool) {
	var left []*ast.CaseClause
	for _, stmt := range n.Body.List {
		clause := stmt.(*ast.CaseClause)
		if !dropped[clause] {
			left = append(left, clause)
		}
		if len(clause.List) == 1 && n.Tag == nil {
			if value, known := f.features.eval(clause.List[0]); known && value {
				f.replace(clause.Case, clause.Colon, "default")
			}
		}
	}
	if !dropped[n] {
		f.pair(n, left)
		return
	}
	if len(left) != 1 {
		f.err = fmt.Errorf("%s: a marked switch is left with %d cases", f.name, len(left))
		return
	}
	begin, end := f.offset(left[0].Colon)+1, f.offset(left[0].End())
	end += strings.IndexByte(f.text[end:], '\n') + 1 // as edits of the last statement may have its line
	f.edits = append(f.edits, edit{from: f.offset(n.Pos()), to: begin}, edit{from: end, to: f.offset(n.End())})
}

// pair makes an if of a switch of which a case that leaves, and one that always holds, are left.
func (f *folder) pair(n *ast.SwitchStmt, left []*ast.CaseClause) {
	if n.Init != nil || n.Tag != nil || len(left) != 2 || len(left[0].List) != 1 || len(left[1].List) != 1 {
		return
	}
	body := left[0].Body
	if len(body) == 0 {
		return
	}
	if _, returns := body[len(body)-1].(*ast.ReturnStmt); !returns {
		return
	}
	if value, known := f.features.eval(left[1].List[0]); !known || !value {
		return
	}
	f.edits = append(f.edits,
		edit{from: f.offset(n.Pos()), to: f.offset(left[0].List[0].Pos()), text: "if "},
		edit{from: f.offset(left[0].Colon), to: f.offset(left[0].Colon) + 1, text: " {"},
		edit{from: f.offset(left[1].Pos()), to: f.offset(left[1].Colon) + 1, text: "}"},
		edit{from: f.offset(n.Body.Rbrace), to: f.offset(n.End())})
}

func isSwitch(n ast.Node) bool {
	_, ok := n.(*ast.SwitchStmt)
	return ok
}

// mark applies a mark, and reports whether what it is about stays.
func (f *folder) mark(m mark) (stays bool) {
	stays, err := f.features.hold(m)
	switch {
	case err != nil:
		f.err = fmt.Errorf("%s: %w", f.name, err)
	case stays || isSwitch(m.node): // see choice
		f.dropComment(m)
	default:
		from, to := f.offset(m.node.Pos()), max(f.offset(m.node.End()), f.offset(m.comment.End()))
		if m.doc != nil {
			from = f.offset(m.doc.Pos())
		}
		if strings.HasPrefix(f.text[to:], ",") {
			to++
		}
		f.cut(from, max(to, f.offset(m.comment.End())))
	}
	return stays
}

// remark is the feature in parentheses with which a line of a comment begins, or "", and what follows.
func remark(line string) (feature, rest string) {
	if begun, ok := strings.CutPrefix(line, "// (has"); ok {
		if name, rest, ok := strings.Cut(begun, ") "); ok && isName(name) {
			return "has" + name, rest
		}
	}
	return "", ""
}

// remarks folds the lines of comments that hold for a feature only.
func (f *folder) remarks() {
	for _, group := range f.file.Comments {
		for _, c := range group.List {
			feature, rest := remark(c.Text)
			switch {
			case feature == "":
			case f.features[feature]:
				f.edits = append(f.edits, edit{from: f.offset(c.Pos()), to: f.offset(c.End()), text: "// " + f.names.inText(rest)})
			default:
				f.cut(f.offset(c.Pos()), f.offset(c.End()))
			}
		}
	}
}

// dropComment removes a mark, but not the comment that follows it, nor the blank comment line before it.
func (f *folder) dropComment(m mark) {
	from, to := f.offset(m.comment.Pos()), f.offset(m.comment.End())
	if m.rest != "" {
		f.edits = append(f.edits, edit{from: from, to: to, text: f.names.inText("// " + m.rest)})
		return
	}
	for i, c := range m.group.List {
		if c == m.comment && i > 0 && m.group.List[i-1].Text == "//" {
			from = f.offset(m.group.List[i-1].Pos())
		}
	}
	f.cut(from, to)
}

// attach finds out what marks are about: the declaration of whose doc one is a part, or else the outermost thing that begins
// on the mark's line.
func (s *source) attach(marks []mark) {
	documented := map[*ast.CommentGroup]ast.Node{}
	begins := map[int]ast.Node{} // by the offset where the line of a mark begins
	for _, m := range marks {
		begins[s.begin(m)] = nil
	}
	for _, n := range s.nodes() {
		switch n := n.(type) {
		case *ast.FuncDecl:
			documented[n.Doc] = n
		case *ast.GenDecl:
			documented[n.Doc] = n
		case *ast.Field, *ast.ValueSpec, *ast.CaseClause, ast.Stmt, ast.Expr:
			if outer, wanted := begins[s.offset(n.Pos())]; wanted && outer == nil {
				begins[s.offset(n.Pos())] = n
			}
		}
	}
	for i := range marks {
		m := &marks[i]
		m.node, m.doc = documented[m.group], m.group
		if m.node == nil {
			m.node, m.doc = begins[s.begin(*m)], nil
		}
		if field, ok := m.node.(*ast.Field); ok {
			m.doc = field.Doc
		}
	}
}

// begin is the offset of the first thing on the line of a mark.
func (s *source) begin(m mark) int {
	at := s.offset(m.comment.Pos())
	line := s.text[strings.LastIndexByte(s.text[:at], '\n')+1 : at]
	return at - len(strings.TrimLeft(line, "\t "))
}
