package generator

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// onceMark marks the functions of the template that go into their caller where a pool has only one, as a person who has
// only that pool in mind would have written it. A comment that follows the mark goes along.
const onceMark = "//poolgen:once"

// union is all the text of a pool, while functions go into their callers.
type union struct{ files []*source }

// unite has the marked functions of a pool go into their caller, if they have one and fit there.
func unite(texts []string) ([]string, error) {
	u := &union{files: make([]*source, len(texts))}
	for i, text := range texts {
		if err := u.parse(i, text); err != nil {
			return nil, err
		}
	}
	for i := range u.files {
		for decl, doc := u.files[i].marked(); decl != nil; decl, doc = u.files[i].marked() {
			if err := u.settle(i, decl, doc); err != nil {
				return nil, err
			}
		}
	}
	for i, s := range u.files {
		texts[i] = s.text
	}
	return texts, nil
}

// parse parses what has become of the i-th file.
func (u *union) parse(i int, text string) error {
	fset := token.NewFileSet()
	file, err := parse(fset, text)
	if err == nil {
		u.files[i] = &source{text: text, file: file, base: fset.File(file.Pos()).Base() + len(clause) + 1}
	}
	return err
}

// edited parses the i-th file with its edits made.
func (u *union) edited(i int) error {
	text, err := u.files[i].slice(0, len(u.files[i].text))
	if err != nil {
		return err
	}
	return u.parse(i, text)
}

// marked returns the first declaration that is marked, and its doc, or nil.
func (s *source) marked() (ast.Decl, *ast.CommentGroup) {
	for _, decl := range s.file.Decls {
		var doc *ast.CommentGroup
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			doc = decl.Doc
		case *ast.GenDecl:
			doc = decl.Doc
		}
		if doc != nil && strings.HasPrefix(doc.List[len(doc.List)-1].Text, onceMark) {
			return decl, doc
		}
	}
	return nil, nil
}

// settle has a marked declaration of the i-th file go to where it is used, or drops the mark.
func (u *union) settle(i int, decl ast.Decl, doc *ast.CommentGroup) error {
	from, mark := u.files[i], len(doc.List)-1
	at := -1
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		m := &merger{from: from, fn: decl}
		if _, comment, ok := strings.Cut(doc.List[mark].Text, " // "); ok {
			m.comment = "// " + comment + "\n"
		}
		if to := u.find(m); to >= 0 && m.merge() {
			at = to
		}
	case *ast.GenDecl:
		at = u.place(from, decl.Specs[0].(*ast.ValueSpec))
	}
	if at < 0 {
		if mark > 0 && doc.List[mark-1].Text == "//" {
			mark--
		}
		from.cut(from.offset(doc.List[mark].Pos()), from.offset(doc.End()))
		return u.edited(i)
	}
	rest := strings.TrimLeft(from.text[from.offset(decl.End()):], "\n")
	from.edits = append(from.edits, edit{from: from.offset(doc.Pos()), to: len(from.text) - len(rest)})
	if at != i {
		if err := u.edited(at); err != nil {
			return err
		}
	}
	return u.edited(i)
}

// place puts the value of a constant where its only use is, and returns the index of the file that has it. It returns -1 if there
// are more.
func (u *union) place(from *source, constant *ast.ValueSpec) int {
	uses, at, where := 0, -1, (*ast.Ident)(nil)
	for i, s := range u.files {
		for id := range variables(s.file) {
			if id.Name == constant.Names[0].Name && id.Pos() != constant.Names[0].Pos() {
				uses, at, where = uses+1, i, id
			}
		}
	}
	if uses != 1 {
		return -1
	}
	value := constant.Values[0]
	u.files[at].replace(where.Pos(), where.End(), from.between(value.Pos(), value.End()))
	return at
}

// find has the merger look at the only call of its function, and returns the index of the file that has it. It returns -1 if
// there is none, or if the function has other uses.
func (u *union) find(m *merger) int {
	uses, at := 0, -1
	for i, s := range u.files {
		for _, decl := range s.file.Decls {
			ast.PreorderStack(decl, nil, func(n ast.Node, stack []ast.Node) bool {
				if !m.refers(n, stack) {
					return true
				}
				uses++
				caller, isFunc := decl.(*ast.FuncDecl)
				if call, ok := stack[len(stack)-1].(*ast.CallExpr); ok && isFunc && call.Fun == n {
					m.to, m.caller, m.call, m.stack, at = s, caller, call, slices.Clone(stack[:len(stack)-1]), i
				}
				return true
			})
		}
	}
	if uses != 1 {
		return -1
	}
	return at
}

// refers reports whether n is what refers to the function: a selector if that is a method, else its name.
func (m *merger) refers(n ast.Node, stack []ast.Node) bool {
	switch n := n.(type) {
	case *ast.SelectorExpr:
		return m.fn.Recv != nil && n.Sel.Name == m.fn.Name.Name
	case *ast.Ident:
		return m.fn.Recv == nil && n.Name == m.fn.Name.Name && stack[len(stack)-1] != m.fn
	}
	return false
}
