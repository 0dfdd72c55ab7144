package generator

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strconv"
	"sync"

	"github.com/poolgen/poolgen/templates"
)

// template is the parsed template.
type template struct {
	fset    *token.FileSet
	files   []*ast.File // all of them,
	sources []*source   // and those that make up a pool
	scope   *types.Scope
	info    *types.Info
	imports map[string]string // the paths of what it imports, by name

	builtins  map[string]bool // the names of Go's own that it uses
	constants []constant      // its features

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
			s.nodes()
		}
	}
}

// parseTemplate parses the template and resolves its names. The standard library is made up, as the
// importer of a user's package makes everything up: all that matters here is which names are the template's.
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
	t.resolveNames()
	return t, nil
}

// parse parses a file of the template.
func (t *template) parse(name string, text []byte) (*source, error) {
	file, err := parser.ParseFile(t.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	t.files = append(t.files, file)
	s := &source{name: name, text: string(text), file: file, base: t.fset.File(file.Pos()).Base()}
	s.marks, s.renames = sync.OnceValues(s.findMarks), &memo[[]edit]{}
	s.nodes = sync.OnceValue(func() []ast.Node { return slices.Collect(ast.Preorder(file)) })
	return s, nil
}

// resolveNames finds out what the names in the files refer to.
func (t *template) resolveNames() {
	t.info = &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: newStubs(t.files), Error: func(error) {}}
	pkg, _ := config.Check("pool", t.fset, t.files, t.info)
	t.scope = pkg.Scope()
	t.builtins = map[string]bool{}
	for _, obj := range t.info.Uses {
		if obj.Parent() == types.Universe {
			t.builtins[obj.Name()] = true
		}
	}
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
