package generator

import (
	"go/ast"
	"strconv"
	"strings"
	"unicode"
)

// misspelt are the comments of the package that are meant as directives for hooks, and are none: nobody would notice
// otherwise, as without them there may be another hook, or none.
func (p *Package) misspelt() error {
	var errs []error
	for _, file := range p.files {
		docs := documenting(file)
		for _, group := range file.Comments {
			for _, c := range group.List {
				if why := flaw(c.Text, docs[group]); why != "" {
					errs = append(errs, at(p.fset.Position(c.Pos()), "%s", why))
				}
			}
		}
	}
	return joined(errs)
}

// documenting are the comments above functions, methods and variables.
func documenting(file *ast.File) map[*ast.CommentGroup]bool {
	docs := map[*ast.CommentGroup]bool{}
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			docs[decl.Doc] = true
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				if spec, ok := spec.(*ast.ValueSpec); ok {
					docs[decl.Doc], docs[spec.Doc] = true, true
				}
			}
		}
	}
	return docs
}

// flaw is what is wrong with a comment that is meant as a directive, or "". What begins like one may be a sentence, too, if
// there is a space.
func flaw(comment string, documents bool) string {
	text, isLine := strings.CutPrefix(comment, "//")
	name, isOurs := strings.CutPrefix(strings.TrimSpace(text), "poolgen:")
	name, rest, _ := strings.Cut(name, " ")
	shown := "//poolgen:" + name
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		shown = strconv.Quote(shown)
	}
	kind, spaced := likeliest(name), !strings.HasPrefix(text, "poolgen:")
	switch {
	case !isLine || !isOurs || spaced && (rest != "" || kind == ""):
		return ""
	case kind == "":
		return shown + " is no directive: there are " + strings.Join(kindNames(), ", ")
	case string(kind) != name:
		return shown + " is no directive; did you mean //poolgen:" + string(kind) + "?"
	case spaced:
		return "a directive has no space behind the slashes: write //poolgen:" + name
	case rest != "":
		return "a directive is a line of its own: write //poolgen:" + name + ", and anything else elsewhere"
	case !documents:
		return "//poolgen:" + name + " marks nothing: it goes into the comment right above a function, method or variable"
	}
	return ""
}

// likeliest is the kind of hook that a name is like, or "": but for a letter or two, or for a word before or after it.
func likeliest(name string) Kind {
	name = strings.ToLower(name)
	near := nearest(name, kindNames())
	if near != "" && distance(name, near) <= 2 {
		return Kind(near)
	}
	for _, kind := range Kinds {
		if strings.Contains(name, string(kind)) {
			return kind
		}
	}
	return Kind(near)
}

// kindNames are the names of all kinds.
func kindNames() []string {
	var names []string
	for _, kind := range Kinds {
		names = append(names, string(kind))
	}
	return names
}
