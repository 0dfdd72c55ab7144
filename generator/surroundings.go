package generator

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// surroundings are the other packages whose declarations poolgen has to read: those of a connection type that is not
// the package's own, of types that are embedded in it, and of functions that a flag names. All others are stubs.
type surroundings struct {
	ctx      context.Context
	fset     *token.FileSet
	dir      string
	declared map[string]*neighbour
}

// neighbour is a package of the surroundings.
type neighbour struct {
	name  string
	files []*ast.File
	err   error // why there are none
}

func newSurroundings(ctx context.Context, fset *token.FileSet, dir string) *surroundings {
	return &surroundings{ctx: ctx, fset: fset, dir: dir, declared: map[string]*neighbour{}}
}

// declare reads the declarations of packages. One that can't be read is noted as that: it matters only where
// something of it is needed.
func (s *surroundings) declare(paths ...string) error {
	listed, err := list(s.ctx, s.dir, paths...)
	if err != nil {
		return fmt.Errorf("go list %s failed: %w", strings.Join(paths, " "), err)
	}
	s.take(listed)
	for _, path := range paths {
		if s.declared[path] == nil {
			s.declared[path] = &neighbour{name: guessName(path), err: errors.New("go list does not know it")}
		}
	}
	return nil
}

// take reads the declarations of listed packages.
func (s *surroundings) take(listed []*listing) {
	for _, pkg := range listed {
		n := s.read(pkg)
		n.err = pkg.failure()
		s.declared[pkg.PkgPath] = n
	}
}

// wholePaths are the import paths in the names of the request, as far as these are paths without a doubt.
func wholePaths(request Request) []string {
	var paths []string
	for _, name := range append([]string{request.Type}, slices.Collect(maps.Values(request.Hooks))...) {
		if ref, ok := parseReference(name); ok && strings.Contains(ref.Path, "/") && !slices.Contains(paths, ref.Path) {
			paths = append(paths, ref.Path)
		}
	}
	slices.Sort(paths)
	return paths
}

// read parses the files of a package, of which the bodies of functions are dropped. A file that does not parse is left
// out, as the package may still have what is needed.
func (s *surroundings) read(pkg *listing) *neighbour {
	n := &neighbour{name: pkg.Name}
	for _, name := range pkg.GoFiles {
		file, err := parser.ParseFile(s.fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				fn.Body = nil
			}
		}
		n.files = append(n.files, file)
	}
	return n
}

// importer imports the surroundings with their declarations, and everything else as stubs that all of them share.
func (s *surroundings) importer(files []*ast.File) types.Importer {
	for _, path := range slices.Sorted(maps.Keys(s.declared)) {
		files = append(files, s.declared[path].files...)
	}
	return &declarations{s, newStubs(files), map[string]*types.Package{}}
}

// declarations is the importer of packages some of which are declared.
type declarations struct {
	*surroundings
	stubs stubs
	done  map[string]*types.Package
}

func (d *declarations) Import(path string) (*types.Package, error) {
	neighbour := d.declared[path]
	if neighbour == nil || len(neighbour.files) == 0 {
		return d.stubs.Import(path)
	}
	if pkg, known := d.done[path]; known {
		if pkg == nil {
			return d.stubs.Import(path) // an import cycle, which only a package can have that does not compile
		}
		return pkg, nil
	}
	d.done[path] = nil
	config := types.Config{IgnoreFuncBodies: true, FakeImportC: true, Importer: d, Error: func(error) {}}
	d.done[path], _ = config.Check(path, d.fset, neighbour.files, nil)
	return d.done[path], nil
}

// lacks returns the paths of the packages whose declarations the request needs and that are not read yet.
func (p *Package) lacks(request Request) (paths []string, err error) {
	want := func(path string) {
		switch path {
		case "", p.path, "unsafe", "C":
			return
		}
		if p.declared[path] == nil && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	ref, ok := parseReference(request.Type)
	if ok && !p.declaresType(ref.Path) {
		p.home = p.importPath(ref.Path)
		want(p.home)
	}
	for _, kind := range Kinds {
		hook, ok := parseReference(request.Hooks[kind])
		if !ok || p.declaresType(hook.Path) {
			continue
		}
		// What a qualifier stands for may depend on what the type's package is called.
		if path := p.importPath(hook.Path); len(paths) == 0 || strings.Contains(path, "/") {
			want(path)
		}
	}
	for _, file := range p.files {
		for _, path := range dotImports(file) {
			want(path)
		}
	}
	part := func(path string) {
		if path != "sync" && path != "sync/atomic" { // of which many types have parts, and nothing that a pool would call
			want(path)
		}
	}
	if obj, isType := p.lookup(ref).(*types.TypeName); ok && isType {
		for _, t := range append(p.boundsOf(ref, obj.Type()), obj.Type()) {
			p.parts(t, part, map[types.Type]bool{})
		}
	}
	return paths, nil
}

// parts tells want the packages of all types from which a connection may have methods, or on which it depends whether it
// satisfies a constraint.
func (p *Package) parts(t types.Type, want func(path string), seen map[types.Type]bool) {
	t = deref(t)
	if seen[t] {
		return
	}
	seen[t] = true
	if named, ok := types.Unalias(t).(*types.Named); ok && named.Obj().Pkg() != nil {
		want(named.Obj().Pkg().Path())
		want(p.definedAs(named.Obj()))
	}
	switch under := t.Underlying().(type) {
	case *types.Struct:
		for field := range under.Fields() {
			if field.Embedded() {
				p.parts(field.Type(), want, seen)
			}
		}
	case *types.Interface:
		for embedded := range under.EmbeddedTypes() {
			p.parts(embedded, want, seen)
		}
	case *types.Union:
		for term := range under.Terms() {
			p.parts(term.Type(), want, seen)
		}
	}
}

// definedAs is the path of the package whose type a type of this package is defined as, or "": whether that is
// an interface, say, only its declaration tells.
func (p *Package) definedAs(obj *types.TypeName) string {
	for _, file := range p.files {
		for _, decl := range file.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.TYPE {
				continue
			}
			for _, spec := range gen.Specs {
				if spec := spec.(*ast.TypeSpec); p.info.Defs[spec.Name] == obj {
					if refs := qualified(spec.Type); len(refs) == 1 {
						if _, ok := spec.Type.(*ast.SelectorExpr); ok {
							return importNames(file)[refs[0][0]]
						}
					}
				}
			}
		}
	}
	return ""
}

// declaresType reports whether the package declares a type of that name.
func (p *Package) declaresType(name string) bool {
	_, ok := p.types.Scope().Lookup(name).(*types.TypeName)
	return ok
}

// importPath is the path that a qualifier in a flag stands for: what a file imports by that name, or the path in -type
// of a package with that name, or the path itself.
func (p *Package) importPath(qualifier string) string {
	if qualifier == "" || strings.Contains(qualifier, "/") {
		return qualifier
	}
	if path := p.imported(qualifier); path != "" {
		return path
	}
	if n := p.declared[p.home]; n != nil && n.name == qualifier {
		return p.home
	}
	return qualifier
}

// imported is the path of what a file imports by a name, or with a dot if the package is called so, or "".
func (p *Package) imported(name string) string {
	for _, file := range p.files {
		if path := importNames(file)[name]; path != "" {
			return path
		}
	}
	for _, file := range p.files {
		for _, path := range dotImports(file) {
			if n := p.declared[path]; n != nil && n.name == name || n == nil && guessName(path) == name {
				return path
			}
		}
	}
	return ""
}

// dotted is the path of the package from which a file imports a name with a dot, or "".
func (p *Package) dotted(name string) string {
	for _, file := range p.files {
		for _, path := range dotImports(file) {
			if pkg := p.neighbour(path); pkg != nil && isExported(name) && pkg.Scope().Lookup(name) != nil {
				return path
			}
		}
	}
	return ""
}

// lookup finds what a reference refers to: a type, function or variable, but not a method. It returns nil if there
// is no such thing.
func (p *Package) lookup(ref reference) types.Object {
	if ref.local() {
		return p.types.Scope().Lookup(ref.Name)
	}
	pkg := p.neighbour(p.importPath(ref.Path))
	if pkg == nil || !token.IsExported(ref.Name) {
		return nil
	}
	return pkg.Scope().Lookup(ref.Name)
}

// neighbour returns another package whose declarations have been read, or nil.
func (p *Package) neighbour(path string) *types.Package {
	if n := p.declared[path]; n == nil || len(n.files) == 0 {
		return nil
	}
	pkg, _ := p.imports.Import(path)
	return pkg
}

// fileOf is the file of the package with that position.
func (p *Package) fileOf(pos token.Pos) *ast.File {
	for _, file := range p.files {
		if file.FileStart <= pos && pos < file.FileEnd {
			return file
		}
	}
	return nil
}

// generated reports whether an object is declared in another pool of the package.
func (p *Package) generated(obj types.Object) bool {
	file := p.fileOf(obj.Pos())
	return file != nil && len(file.Comments) > 0 && header.MatchString(file.Comments[0].List[0].Text)
}

// baseName is the name of a file without its folder.
func (p *Package) baseName(file *ast.File) string {
	return filepath.Base(p.fset.Position(file.Package).Filename)
}
