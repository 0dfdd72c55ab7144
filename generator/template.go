package generator

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"sync"

	"github.com/poolgen/poolgen/templates"
)

// template is the parsed template.
type template struct {
	fset    *token.FileSet
	files   []*source // all of them,
	sources []*source // and those that make up a pool
	ids     *identifiers
	imports map[string]string // the paths of what it imports, by name

	constants []constant // its features

	drafts   memo[*draft]
	passages memo[*passage]
}

// parsedTemplate is the template for all pools of a run.
var parsedTemplate = sync.OnceValues(parseTemplate)

// prepareTemplate does all that can be done with the template before it is known what for.
func prepareTemplate() {
	_, _ = templateNames() // which all that use the template ask for, too, and report why it can't be had
	if t, err := parsedTemplate(); err == nil {
		for _, s := range t.sources {
			_, _ = s.marks()
		}
	}
}

// parseTemplate parses the template, and finds out what the names in it refer to.
func parseTemplate() (*template, error) {
	t := &template{fset: token.NewFileSet(), imports: map[string]string{}}
	for _, name := range append(slices.Clone(templates.Files), templates.StandIns...) {
		text, err := templates.Pool.ReadFile(path.Join("pool", name))
		if err != nil {
			return nil, err
		}
		s, err := t.parse(name, text)
		if err != nil {
			return nil, err
		}
		if slices.Contains(templates.Files, name) {
			t.sources = append(t.sources, s)
		}
		if name == "features.go" {
			t.constants = featureConstants(s.file)
		}
		for _, spec := range s.file.Imports {
			p, _ := strconv.Unquote(spec.Path.Value)
			t.imports[guessName(p)] = p
		}
	}
	t.ids = identify(t.files)
	return t, nil
}

// parse parses a file of the template.
func (t *template) parse(name string, text []byte) (*source, error) {
	file, err := parser.ParseFile(t.fset, name, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	s := &source{name: name, text: string(text), file: file, base: t.fset.File(file.Pos()).Base()}
	s.marks, s.renames = sync.OnceValues(s.findMarks), &memo[[]edit]{}
	s.nodes = sync.OnceValue(func() []ast.Node {
		return slices.AppendSeq(make([]ast.Node, 0, len(text)/5), ast.Preorder(file)) // about as many
	})
	t.files = append(t.files, s)
	return s, nil
}

// functions are those of the files that make up a pool.
func (t *template) functions() []*ast.FuncDecl {
	var list []*ast.FuncDecl
	for _, s := range t.sources {
		for _, decl := range s.file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				list = append(list, fn)
			}
		}
	}
	return list
}
