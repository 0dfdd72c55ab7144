package generator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"go/version"
	"path/filepath"
	"slices"
	"strings"
)

// Package is the user's package as far as poolgen reads it: its declarations, without the bodies of its
// functions, and with types of most other packages known by name only. So it does not matter whether the
// package compiles, or whether anything that it imports does.
type Package struct {
	Name    string
	Dir     string
	path    string
	home    string   // the path of the connection type's package, if -type gives another one
	tests   bool     // the files are those of tests
	ignored []string // files that this build has not
	fset    *token.FileSet
	files   []*ast.File
	types   *types.Package
	info    *types.Info
	imports types.Importer // of the types
	*surroundings
}

// load reads the package in dir, without the file at output, which is what poolgen is going to replace.
func load(ctx context.Context, request Request, dir, output string) (*Package, error) {
	// A package that is given by its whole path is needed for certain: to list it now saves a run of the go command.
	patterns := append([]string{"."}, wholePaths(request)...)
	pkgs, err := list(ctx, dir, patterns...)
	if err != nil {
		return nil, fmt.Errorf("%s: go list failed: %w", relative(dir), err)
	}
	var here, others []*listing
	for _, pkg := range pkgs {
		if slices.Contains(patterns[1:], pkg.PkgPath) && pkg.Dir != dir {
			others = append(others, pkg)
		} else {
			here = append(here, pkg)
		}
	}
	if len(here) != 1 {
		return nil, fmt.Errorf("%s: %d packages, want one; run poolgen in the folder of the connection type", relative(dir), len(here))
	}
	return read(ctx, here[0], request, dir, output, others...)
}

// language is the version of Go whose language the template is written in.
const language = "go1.22"

// read reads a listed package. Others may have been listed with it.
func read(ctx context.Context, listed *listing, request Request, dir, output string, others ...*listing) (*Package, error) {
	p := &Package{Name: listed.Name, Dir: dir, path: listed.PkgPath, ignored: listed.IgnoredFiles, fset: token.NewFileSet()}
	p.surroundings = newSurroundings(ctx, p.fset, dir)
	p.take(others)
	if m := listed.Module; m != nil && version.Compare("go"+cmp.Or(m.GoVersion, "1.16"), language) < 0 {
		return nil, fmt.Errorf("%s: pools need the language of %s or later: run go mod edit -go=%s", relative(m.GoMod), language, language[len("go"):])
	}
	if err := p.parse(listed, output); err != nil {
		return nil, err
	}
	p.choose(request)
	p.check()
	if p.elsewhere(listed, request, output) {
		p.choose(request)
		p.check()
	}
	return p, p.complete(request)
}

// choose drops the files of other packages from a folder that has several, which does not compile. The package is the one
// that declares the connection type, or else that of the first file.
func (p *Package) choose(request Request) {
	ref, _ := parseReference(request.Type)
	home := slices.IndexFunc(p.files, func(f *ast.File) bool { return ref.local() && declaresType(f, ref.Name) })
	if len(p.files) > 0 {
		name := p.files[max(home, 0)].Name.Name
		p.files = slices.DeleteFunc(p.files, func(f *ast.File) bool { return f.Name.Name != name })
	}
}

// complete reads the declarations of other packages that the request needs.
func (p *Package) complete(request Request) error {
	for {
		missing, err := p.lacks(request)
		if err != nil || len(missing) == 0 {
			return err
		}
		if err := p.declare(missing...); err != nil {
			return err
		}
		p.check()
	}
}

// parse reads the files of a listed package.
func (p *Package) parse(listed *listing, output string) error {
	var errs []error
	empty := len(listed.GoFiles)+len(listed.InvalidFiles)+len(listed.IgnoredFiles) == 0 && !hasTests(p.Dir)
	if err := listed.failure(); empty && err != nil && !strings.HasPrefix(err.Error(), "no Go files in ") {
		errs = append(errs, err)
	}
	for _, name := range listed.all() {
		if filepath.Clean(name) == output {
			continue
		}
		file, err := parser.ParseFile(p.fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err == nil {
			p.files = append(p.files, file)
		} else if !isGenerated(name) {
			errs = append(errs, errors.New(relative(name)+strings.TrimPrefix(err.Error(), name)))
		}
	}
	if len(errs) == 0 && len(p.files) == 0 && len(listed.IgnoredFiles) == 0 && !hasTests(p.Dir) {
		errs = append(errs, nothingThere{p.Dir, "no Go files; run poolgen in the folder of the connection type"})
	}
	return joined(errs)
}

// hasTests reports whether there are tests in a folder.
func hasTests(dir string) bool {
	tests, _ := filepath.Glob(filepath.Join(dir, "*_test.go"))
	return len(tests) > 0
}

func absolute(dir, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(dir, name)
}

// check type-checks the declarations. Errors don't matter here: what poolgen needs to know of a
// declaration and can't is reported where it is needed.
func (p *Package) check() {
	if len(p.files) > 0 {
		p.Name = p.files[0].Name.Name
	}
	p.imports = p.importer(p.files)
	p.info = &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{
		IgnoreFuncBodies: true,
		FakeImportC:      true,
		Importer:         p.imports,
		Error:            func(error) {},
	}
	p.types, _ = config.Check(p.path, p.fset, p.files, p.info)
}

// position is where an object is declared, if that is in the package itself: an error that begins with the position of
// something else would send its reader to what others wrote.
func (p *Package) position(pos token.Pos) token.Position {
	if p.fileOf(pos) == nil {
		return token.Position{}
	}
	return p.fset.Position(pos)
}

// where is the position of any object for use inside a message.
func (p *Package) where(pos token.Pos) string {
	position := p.fset.Position(pos)
	position.Filename = relative(position.Filename)
	return position.String()
}
