package generator

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// Package is the user's package as far as poolgen reads it: its declarations, without the bodies of its
// functions, and with types of other packages known by name only. So it does not matter whether the
// package compiles, or whether anything that it imports does.
type Package struct {
	Name  string
	Dir   string
	fset  *token.FileSet
	files []*ast.File
	types *types.Package
	info  *types.Info
}

// list runs the go command for the packages that match the patterns: names and files only, which takes
// neither a build nor the imports. It runs no cgo, no packages driver and no download of a toolchain.
func list(ctx context.Context, dir string, patterns ...string) ([]*packages.Package, error) {
	return packages.Load(&packages.Config{
		Mode:    packages.NeedName | packages.NeedFiles,
		Context: ctx,
		Dir:     dir,
		Env:     append(os.Environ(), "CGO_ENABLED=0", "GOPACKAGESDRIVER=off", "GOTOOLCHAIN=local"),
	}, patterns...)
}

// load reads the package in dir, without the file at output, which is what poolgen is going to replace.
func load(ctx context.Context, dir, output string) (*Package, error) {
	pkgs, err := list(ctx, dir, ".")
	if err != nil {
		return nil, fmt.Errorf("%s: go list failed: %w", relative(dir), err)
	}
	if len(pkgs) != 1 {
		return nil, fmt.Errorf("%s: %d packages, want one; run poolgen in the folder of the connection type", relative(dir), len(pkgs))
	}
	return parse(pkgs[0], dir, output)
}

// parse reads the files of a listed package.
func parse(listed *packages.Package, dir, output string) (*Package, error) {
	p := &Package{Name: listed.Name, Dir: dir, fset: token.NewFileSet()}
	names := slices.Clone(listed.GoFiles)
	var errs []error
	for _, err := range listed.Errors {
		// A file that does not parse is not listed; to say why, parse it here.
		if name, _, ok := strings.Cut(err.Pos, ".go:"); ok && err.Kind == packages.ParseError {
			if name = absolute(dir, name+".go"); !slices.Contains(names, name) {
				names = append(names, name)
			}
		} else if len(listed.GoFiles) == 0 {
			errs = append(errs, errors.New(err.Msg))
		}
	}
	for _, name := range names {
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
	if len(errs) == 0 && len(p.files) == 0 {
		errs = append(errs, fmt.Errorf("%s: no Go files; run poolgen in the folder of the connection type", relative(dir)))
	}
	if len(errs) > 0 {
		return nil, joined(errs)
	}
	p.Name = p.files[0].Name.Name
	p.check()
	return p, nil
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
	p.info = &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{
		IgnoreFuncBodies: true,
		FakeImportC:      true,
		Importer:         newStubs(p.files),
		Error:            func(error) {},
	}
	p.types, _ = config.Check(p.Name, p.fset, p.files, p.info)
}

// position is where an object is declared.
func (p *Package) position(pos token.Pos) token.Position { return p.fset.Position(pos) }

// where is position for use inside a message.
func (p *Package) where(pos token.Pos) string {
	position := p.fset.Position(pos)
	position.Filename = relative(position.Filename)
	return position.String()
}
