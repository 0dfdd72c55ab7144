package generator

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
)

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

// verify checks that the output is what it is meant to be. That its passages are is known of the draft; so what is left are
// the frame, and whether the names that the output declares or needs are taken.
func (t *template) verify(c *Connection, frame []byte, d *draft, v values, size string) error {
	file, err := parser.ParseFile(token.NewFileSet(), "", frame, parser.SkipObjectResolution|parser.ParseComments)
	switch {
	case err != nil:
		return fmt.Errorf("poolgen is broken: its output does not parse: %w", err)
	case file.Name.Name != c.Package:
		return fmt.Errorf("poolgen is broken: its output is of package %s", file.Name.Name)
	}
	var declares []string
	for _, decl := range file.Decls {
		declares = append(declares, declared(decl)...)
	}
	if len(declares) > 1 || len(declares) == 1 && declares[0] != size {
		return fmt.Errorf("poolgen is broken: the frame of its output declares %s", declares)
	}
	for _, p := range d.passages {
		for _, name := range p.declares {
			declares = append(declares, v.fill(name))
		}
	}
	for _, name := range declares {
		if err := c.free(name, "the generated code declares", ", or give the pool other names with -prefix=P"); err != nil {
			return err
		}
	}
	return cmp.Or(verifyDirectives(file, "//go:build "+c.Condition), t.verifyImports(c, file), c.verifyBuiltins(d))
}

// verifyBuiltins checks that the names of Go's own that the template uses are not taken. A hook may be called as one that
// it does not use.
func (c *Connection) verifyBuiltins(d *draft) error {
	for _, p := range d.passages {
		for _, name := range p.builtins {
			if err := c.free(name, "the generated code needs Go's own", ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// verifyDirectives checks that there are no comments that the go command or the compiler would obey, but for those.
func verifyDirectives(file *ast.File, but ...string) error {
	for _, group := range file.Comments {
		for _, c := range group.List {
			if obeyed.MatchString(c.Text) && !slices.Contains(but, c.Text) {
				return fmt.Errorf("poolgen is broken: its output has the directive %s", c.Text)
			}
		}
	}
	return nil
}

// obeyed matches comments that mean something to a tool.
var obeyed = regexp.MustCompile(`^(//\s*\+build|//(line|extern|export|[a-z0-9]+:[a-z0-9])|/\*line)`)

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

// needed are the names of Go's own that declarations use.
func (t *template) needed(file *ast.File) []string {
	var list []string
	for n := range ast.Preorder(file) {
		if id, ok := n.(*ast.Ident); ok && t.ids.builtins[id.Name] && !slices.Contains(list, id.Name) {
			list = append(list, id.Name)
		}
	}
	return list
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
