package generator

import (
	"cmp"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// onceMark marks the functions of the template that go into their caller where a pool has only one, as a person who has
// only that pool in mind would have written it. A comment that follows the mark goes along.
const onceMark = "//poolgen:once"

// union is the text of a pool, while functions go into their callers: passages, each parsed when it is looked at.
type union struct {
	parts []*source
	err   error
}

// unite has what is marked go where it is used, if that is one place and it fits there.
func unite(texts []string) ([]string, error) {
	u := &union{}
	var ends []int // of the texts, among the passages
	for _, text := range texts {
		for _, passage := range paragraphs(text) {
			u.parts = append(u.parts, &source{text: passage})
		}
		ends = append(ends, len(u.parts))
	}
	for i := range u.parts {
		for decl, doc := u.marked(i); decl != nil && u.err == nil; decl, doc = u.marked(i) {
			u.settle(i, decl, doc)
		}
	}
	united, begun := make([]string, len(texts)), 0
	for i, end := range ends {
		for _, part := range u.parts[begun:end] {
			united[i] += part.text
		}
		begun = end
	}
	return united, u.err
}

// part is the i-th passage, parsed.
func (u *union) part(i int) *source {
	s := u.parts[i]
	if s.file == nil {
		fset := token.NewFileSet()
		file, err := parse(fset, s.text)
		u.err = cmp.Or(u.err, err)
		s.file, s.base = &ast.File{}, 0
		if err == nil {
			s.file, s.base = file, fset.File(file.Pos()).Base()+len(clause)+1
		}
	}
	return s
}

// edited makes the edits of the i-th passage.
func (u *union) edited(i int) {
	text, err := u.parts[i].slice(0, len(u.parts[i].text))
	u.err = cmp.Or(u.err, err)
	u.parts[i] = &source{text: text}
}

// marked returns the first declaration of the i-th passage that is marked, and its doc, or nil.
func (u *union) marked(i int) (ast.Decl, *ast.CommentGroup) {
	if !strings.Contains(u.parts[i].text, onceMark) {
		return nil, nil
	}
	for _, decl := range u.part(i).file.Decls {
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

// settle has a marked declaration of the i-th passage go to where it is used, or drops the mark.
func (u *union) settle(i int, decl ast.Decl, doc *ast.CommentGroup) {
	from, mark := u.part(i), len(doc.List)-1
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
		u.edited(i)
		return
	}
	begin, rest := from.offset(doc.Pos()), strings.TrimLeft(from.text[from.offset(decl.End()):], "\n")
	if at == i {
		from.edits = append(from.edits, edit{from: begin, to: len(from.text) - len(rest)})
	} else {
		u.parts[i] = &source{text: from.text[:begin] + rest}
	}
	u.edited(at)
}

// place puts the value of a constant where its only use is, and returns the index of the passage that has it. It returns -1 if
// there are more.
func (u *union) place(from *source, constant *ast.ValueSpec) int {
	uses, at, where := 0, -1, (*ast.Ident)(nil)
	for i, s := range u.parts {
		if !strings.Contains(s.text, constant.Names[0].Name) {
			continue
		}
		for id := range variables(u.part(i).file) {
			if id.Name == constant.Names[0].Name && id != constant.Names[0] {
				uses, at, where = uses+1, i, id
			}
		}
	}
	if uses != 1 {
		return -1
	}
	value := constant.Values[0]
	u.parts[at].replace(where.Pos(), where.End(), from.between(value.Pos(), value.End()))
	return at
}

// find has the merger look at the only call of its function, and returns the index of the passage that has it. It returns -1 if
// there is none, or if the function has other uses.
func (u *union) find(m *merger) int {
	uses, at := 0, -1
	word := m.fn.Name.Name
	if m.fn.Recv != nil {
		word = "." + word
	}
	for i, s := range u.parts {
		if !strings.Contains(s.text, word) {
			continue
		}
		for _, decl := range u.part(i).file.Decls {
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
