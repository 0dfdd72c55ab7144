package generator

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strconv"
	"strings"
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
}

// specialise makes the pool of a connection out of the template.
func specialise(c *Connection, r Request) ([]byte, error) {
	t, err := parsedTemplate()
	if err != nil {
		return nil, err
	}
	p := t.plan(c, r)
	pieces := parallel(t.sources, func(s *source) piece { return t.piece(s, p) })
	pieces = append([]piece{{}}, append(pieces, t.formatted(p, c.guards(p.names)))...)
	pieces[0] = t.frame(p, r, pieces)
	var text bytes.Buffer
	errs := make([]error, 2)
	for _, p := range pieces {
		if p.err != nil {
			return nil, p.err
		}
		for i, err := range []error{p.declares, p.needs} {
			if errs[i] == nil {
				errs[i] = err
			}
		}
		if text.Len() > 0 && p.text != "" {
			text.WriteString("\n")
		}
		text.WriteString(p.text)
	}
	return text.Bytes(), cmp.Or(errs...)
}

// plan is what decides how the template becomes a pool.
type plan struct {
	*Connection
	features features
	key      string          // of the features
	names    names           // of the output
	allowed  map[string]bool // the names that it may declare
}

func (t *template) plan(c *Connection, r Request) plan {
	f := t.features(c, r)
	p := plan{c, f, f.key(), outputNames(t.scope, r.prefix(), c.Type), map[string]bool{"_": true}}
	for from, to := range p.names {
		p.allowed[to] = from != "Conn"
	}
	for _, g := range c.watches(p.names) {
		p.allowed[g.again], p.allowed[g.absent] = true, true
	}
	return p
}

// piece is a part of the output, formatted by itself.
type piece struct {
	text     string
	paths    []string // of the template's imports that it uses
	err      error    // why there is none
	declares error    // what is wrong with the names that it declares,
	needs    error    // and with those that it imports or needs
}

// piece makes the piece that a file of the template is for a pool.
func (t *template) piece(s *source, p plan) piece {
	s = s.unedited()
	if err := s.specialise(p, t); err != nil {
		return piece{err: err}
	}
	text, err := s.slice(s.bodyStart(), len(s.text))
	if err != nil {
		return piece{err: err}
	}
	return t.formatted(p, dropBlankLines(text))
}

// formatted formats declarations, and verifies them.
func (t *template) formatted(p plan, text string) piece {
	if strings.TrimSpace(text) == "" {
		return piece{}
	}
	const clause = "package p\n"
	file, out, err := gofmt(clause + "\n" + text)
	if err != nil {
		return piece{err: err}
	}
	return piece{
		text:     strings.TrimLeft(strings.TrimPrefix(out, clause), "\n"),
		paths:    t.used(file),
		declares: p.verifyNames(file),
		needs:    t.verifyBuiltins(p.Connection, file),
	}
}

// gofmt parses and formats a file.
func gofmt(text string) (file *ast.File, formatted string, err error) {
	fset := token.NewFileSet()
	if file, err = parser.ParseFile(fset, "", text, parser.SkipObjectResolution|parser.ParseComments); err != nil {
		return nil, "", fmt.Errorf("poolgen is broken: its output does not parse: %w", err)
	}
	var out strings.Builder
	err = format.Node(&out, fset, file)
	return file, out.String(), err
}

// specialise makes the edits of one file.
func (s *source) specialise(p plan, t *template) error {
	c, f, n := p.Connection, p.features, p.names
	if err := s.fold(f, p.key, n); err != nil {
		return err
	}
	if !f["hasContext"] {
		s.dropContext()
	}
	if c.Interface || c.ByValue {
		s.dropStars()
	}
	if err := s.inline(c, n, t.info); err != nil {
		return err
	}
	if f["hidesClose"] {
		s.hide(c.Hooks[Close])
	}
	s.rename(n, t.info, t.scope, map[string]string{"Context": c.Context, "Key": c.Key, "Observer": c.Observer, "none": c.none()})
	return nil
}

// hide gives the field by which a lease hides the method that closes the name of that.
func (s *source) hide(closer *Hook) {
	for n := range ast.Preorder(s.file) {
		if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.Name == "closedByRelease" {
			field := spec.Type.(*ast.StructType).Fields.List[0].Names[0]
			s.replace(field.Pos(), field.End(), closer.Name)
		}
	}
}

// dropContext drops the parameters that are the pool context.
func (s *source) dropContext() {
	ast.Inspect(s.file, func(n ast.Node) bool {
		if fn, ok := n.(*ast.FuncType); ok {
			for i, field := range fn.Params.List {
				if id, ok := field.Type.(*ast.Ident); ok && id.Name == "Context" {
					end := fn.Params.Closing
					if i+1 < len(fn.Params.List) {
						end = fn.Params.List[i+1].Pos()
					}
					s.replace(field.Pos(), end, "")
				}
			}
		}
		return true
	})
}

// dropStars makes of pointers to the connection the connection itself.
func (s *source) dropStars() {
	for n := range ast.Preorder(s.file) {
		if star, ok := n.(*ast.StarExpr); ok {
			if id, ok := star.X.(*ast.Ident); ok && (id.Name == "Conn" || id.Name == "leased") {
				s.replace(star.Pos(), id.Pos(), "")
			}
		}
	}
}

// parsedTemplate is the template for all pools of a run.
var parsedTemplate = sync.OnceValues(parseTemplate)

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
	s.marks, s.folds = sync.OnceValues(s.findMarks), &sync.Map{}
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

// bodyStart is where the declarations begin, behind the imports.
func (s *source) bodyStart() int {
	end := s.offset(s.file.Name.End())
	for _, decl := range s.file.Decls {
		if gen, ok := decl.(*ast.GenDecl); ok && gen.Tok == token.IMPORT {
			end = s.offset(gen.End())
		}
	}
	return end
}

// isShort reports whether the lines are a function of which folding has left one line, and that gofmt leaves on one.
func isShort(lines []string) bool {
	return strings.HasPrefix(lines[0], "func ") && strings.HasSuffix(lines[0], " {") && strings.HasPrefix(lines[1], "\treturn ") &&
		len(lines[0])+len(lines[1])+2 <= 90
}

// dropBlankLines drops the blank lines that folding leaves within functions, where the template has none, and at
// the end of types.
func dropBlankLines(text string) string {
	var kept []string
	inside := false
	for line := range strings.SplitSeq(text, "\n") {
		if strings.Trim(line, "\t ") == "" {
			line = ""
		}
		if inside && line == "" {
			continue
		}
		if strings.HasPrefix(line, "func ") && strings.HasSuffix(line, "{") {
			inside = true
		} else if line == "}" {
			inside = false
		}
		n := len(kept)
		if line == "}" && n > 0 && kept[n-1] == "" {
			n--
		}
		if kept = append(kept[:n], line); line == "}" && n > 1 && isShort(kept[n-2:]) {
			kept = append(kept[:n-2], kept[n-2]+" "+strings.TrimSpace(kept[n-1])+" }")
		}
	}
	return strings.Join(kept, "\n")
}

// used are the paths of the template's imports that declarations use.
func (t *template) used(file *ast.File) []string {
	var paths []string
	for _, ref := range qualified(file) {
		if p := t.imports[ref[0]]; p != "" && !slices.Contains(paths, p) {
			paths = append(paths, p)
		}
	}
	return paths
}

// verifyNames checks that the output declares nothing but what it is meant to, and that none of these names is taken.
func (p plan) verifyNames(file *ast.File) error {
	for _, decl := range file.Decls {
		for _, name := range declared(decl) {
			if !p.allowed[name] {
				return fmt.Errorf("poolgen is broken: its output declares %s", name)
			}
			if err := p.free(name, "the generated code declares", ", or give the pool other names with -prefix=P"); err != nil {
				return err
			}
		}
	}
	return nil
}

// verifyImports checks that the output imports nothing but what it needs, by names that are not taken.
func (t *template) verifyImports(c *Connection, file *ast.File) error {
	for _, spec := range file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		name := guessName(p)
		i := slices.IndexFunc(c.Imports, func(i Import) bool { return i.Path == p })
		switch {
		case i >= 0 && (spec.Name != nil || t.imports[name] != p):
			name = c.Imports[i].refer
		case t.imports[name] != p:
			return fmt.Errorf("poolgen is broken: its output imports %q", p)
		}
		if err := c.free(name, "the generated code imports "+p+" as", ""); err != nil {
			return err
		}
	}
	return nil
}

// verifyBuiltins checks that the names of Go's own that the template uses are not taken. A hook may be called as one that
// it does not use.
func (t *template) verifyBuiltins(c *Connection, file *ast.File) error {
	taken := false
	for name := range t.builtins {
		_, declared := c.Taken[name]
		taken = taken || declared
	}
	if !taken {
		return nil
	}
	for n := range ast.Preorder(file) {
		if id, ok := n.(*ast.Ident); ok && t.builtins[id.Name] {
			if err := c.free(id.Name, "the generated code needs Go's own", ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// free checks that the package does not declare a name that the output has a use for.
func (c *Connection) free(name, use, otherwise string) error {
	if pos, taken := c.Taken[name]; taken && name != "_" {
		return at(pos, "%s is declared here, but %s %s; rename this one%s", name, use, name, otherwise)
	}
	return nil
}

// declared are the package-level names of a declaration.
func declared(decl ast.Decl) []string {
	var names []string
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Recv == nil {
			names = append(names, decl.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, spec.Name.Name)
			case *ast.ValueSpec:
				for _, id := range spec.Names {
					names = append(names, id.Name)
				}
			}
		}
	}
	return names
}
