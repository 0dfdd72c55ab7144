package generator

import (
	"bytes"
	"go/ast"
	"go/printer"
	"go/token"
	"strings"
)

// ExplainedName is a name of the public API that is generated.
type ExplainedName struct {
	Kind string `json:"kind"` // const, var, type, field, embedded, func or method
	Of   string `json:"of"`   // the type of a field or method, or that embeds another
	Name string `json:"name"`
	Text string `json:"text"` // the declaration, without a body
	Doc  string `json:"doc"`  // the first sentence, without the name
}

// ExplainedError is an error that requesters may get.
type ExplainedError struct {
	Kind string `json:"kind"` // sentinel, type, or hook: what that returns
	Name string `json:"name"`
	Doc  string `json:"doc"`
}

// explainAPI lists what the file declares for others: what the template exports. Where the connection type is not
// exported, the names are not either.
func explainAPI(file *ast.File, n names) []ExplainedName {
	public := map[string]bool{}
	for from, to := range n {
		public[to] = token.IsExported(from)
	}
	api := []ExplainedName{}
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			of := receiverName(decl)
			if of == "" && public[decl.Name.Name] {
				api = append(api, explainFunc("func", of, decl))
			} else if public[of] && decl.Name.IsExported() {
				api = append(api, explainFunc("method", of, decl))
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				api = append(api, explainSpec(decl, spec, public, n)...)
			}
		}
	}
	return api
}

func explainFunc(kind, of string, fn *ast.FuncDecl) ExplainedName {
	return ExplainedName{kind, of, fn.Name.Name, oneLine(&ast.FuncDecl{Recv: fn.Recv, Name: fn.Name, Type: fn.Type}), firstSentence(fn.Doc, fn.Name.Name)}
}

// explainSpec lists a type with its exported fields, or variables and constants.
func explainSpec(decl *ast.GenDecl, spec ast.Spec, public map[string]bool, n names) []ExplainedName {
	var list []ExplainedName
	doc := func(own *ast.CommentGroup, comment *ast.CommentGroup) *ast.CommentGroup {
		for _, group := range []*ast.CommentGroup{own, comment, decl.Doc} {
			if group != nil {
				return group
			}
		}
		return nil
	}
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if !public[spec.Name.Name] {
			return nil
		}
		name := spec.Name.Name
		under, isStruct := spec.Type.(*ast.StructType)
		text := "type " + name + " struct"
		if !isStruct {
			text = "type " + oneLine(spec)
		}
		list = append(list, ExplainedName{"type", "", name, text, firstSentence(doc(spec.Doc, nil), name)})
		if isStruct {
			list = append(list, explainFields(name, under, n)...)
		}
	case *ast.ValueSpec:
		for _, id := range spec.Names {
			if public[id.Name] {
				list = append(list, ExplainedName{decl.Tok.String(), "", id.Name, decl.Tok.String() + " " + id.Name, firstSentence(doc(spec.Doc, spec.Comment), id.Name)})
			}
		}
	}
	return list
}

// explainFields lists the exported fields of a type, and the connection if the type embeds it.
func explainFields(of string, st *ast.StructType, n names) []ExplainedName {
	var list []ExplainedName
	for _, field := range st.Fields.List {
		if len(field.Names) == 0 && strings.TrimPrefix(oneLine(field.Type), "*") == n["leased"] {
			list = append(list, ExplainedName{"embedded", of, n["Conn"], strings.Replace(oneLine(field.Type), n["leased"], n["Conn"], 1),
				"its methods and fields are those of " + of + ", too"})
		}
		for _, id := range field.Names {
			if !id.IsExported() {
				continue
			}
			doc := field.Doc
			if doc == nil {
				doc = field.Comment
			}
			list = append(list, ExplainedName{"field", of, id.Name, id.Name + " " + oneLine(field.Type), firstSentence(doc, id.Name)})
		}
	}
	return list
}

// explainErrors lists the errors that requesters may get, from what the file declares and what the hooks return.
func explainErrors(api []ExplainedName, file *ast.File, hooks []ExplainedHook) []ExplainedError {
	list := []ExplainedError{}
	for _, name := range api {
		switch {
		case name.Kind == "method" && name.Name == "Error":
			list = append(list, ExplainedError{"type", "*" + name.Of, docOf(api, name.Of)})
		case name.Kind == "var" && strings.HasPrefix(strings.ToLower(name.Name), "err"):
			list = append(list, ExplainedError{"sentinel", name.Name, name.Doc})
		}
	}
	for _, h := range hooks {
		if h.Kind == Create || strings.HasSuffix(h.Signature, "error") && h.Kind == Check {
			list = append(list, ExplainedError{"hook", h.Function, "what it returns is the cause that errors.Is and errors.As find"})
		}
	}
	return list
}

func docOf(api []ExplainedName, typ string) string {
	for _, name := range api {
		if name.Kind == "type" && name.Name == typ {
			return name.Doc
		}
	}
	return ""
}

// receiverName is the name of the type that a method belongs to, or "".
func receiverName(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	typ := fn.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if id, ok := typ.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// oneLine is a node in one line.
func oneLine(n ast.Node) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, token.NewFileSet(), n); err != nil {
		return ""
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
