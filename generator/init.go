package generator

import (
	"context"
	"fmt"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Init makes a file to start from: the declaration of a connection type with its hooks or, for the type of another package,
// what it takes to pool that. It writes nothing.
func Init(ctx context.Context, request Request) (*File, error) {
	if err := request.Validate(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(request.Dir)
	if err != nil {
		return nil, err
	}
	file := &File{Path: filepath.Join(dir, strings.ReplaceAll(strings.ToLower(request.prefix()), "_", "")+".go")}
	if err := file.isNew(); err != nil {
		return nil, err
	}
	p, err := openFolder(ctx, request, dir)
	if err != nil {
		return nil, err
	}
	ref, _ := parseReference(request.Type)
	if ref.local() {
		file.Text, err = p.start(request, ref)
	} else {
		file.Text, request, err = p.propose(request, ref)
	}
	if err != nil {
		return nil, err
	}
	return file, p.begins(request, file)
}

// openFolder is load for a folder that may have no package yet.
func openFolder(ctx context.Context, request Request, dir string) (*Package, error) {
	if !inModule(dir) {
		return nil, fmt.Errorf("%s: neither this folder nor one above it has a go.mod; make a module with go mod init", relative(dir))
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	if len(names) > 0 {
		p, err := load(ctx, request, dir, request.output(dir))
		if err == nil && len(p.files) == 0 {
			p.Name = packageName(dir, names)
		}
		return p, err
	}
	p := &Package{Name: packageName(dir, nil), Dir: dir, path: "example.com/" + filepath.Base(dir), fset: token.NewFileSet()}
	p.surroundings = newSurroundings(ctx, p.fset, dir)
	p.check()
	return p, nil
}

func inModule(dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return true
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}

// packageName is the name of the package in a folder, by its files or else by its own name.
func packageName(dir string, files []string) string {
	for _, name := range files {
		if file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.PackageClauseOnly); err == nil {
			return strings.TrimSuffix(file.Name.Name, "_test")
		}
	}
	name := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' {
			return unicode.ToLower(r)
		}
		return -1
	}, guessName(strings.ReplaceAll(filepath.Base(dir), "-", "")))
	if name = strings.TrimLeft(name, "0123456789_"); !isName(name) {
		return "main"
	}
	return name
}

// begins checks that a file fits into the package, and that the pool can be made then.
func (p *Package) begins(request Request, file *File) error {
	parsed, err := parser.ParseFile(p.fset, file.Path, file.Text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("poolgen is broken: its output does not parse: %w", err)
	}
	var names []string
	for _, decl := range parsed.Decls {
		names = append(names, declared(decl)...)
	}
	scope := p.types.Scope()
	for _, name := range append(slices.Clone(names), importedAs(file.Text)...) {
		if obj := scope.Lookup(name); obj != nil {
			return at(p.position(obj.Pos()), "%s is declared here, but %s would declare or import it; rename this one, or declare %s by hand", name, filepath.Base(file.Path), request.Type)
		}
	}
	for _, name := range names {
		if types.Universe.Lookup(name) != nil || slices.Contains(importedAs(file.Text), name) {
			return fmt.Errorf("-type=%s: %s is the name of something else that the file needs; give the type another one", request.Type, name)
		}
	}
	p.files = append(p.files, parsed)
	p.check()
	if err := p.complete(request); err != nil {
		return err
	}
	_, err = generate(p, request, request.output(p.Dir))
	return err
}

// importedAs are the names by which the text of a file refers to its imports.
func importedAs(text []byte) []string {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ImportsOnly)
	if err != nil {
		return nil
	}
	var names []string
	for _, spec := range file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		if spec.Name != nil {
			names = append(names, spec.Name.Name)
		} else {
			names = append(names, guessName(p))
		}
	}
	return names
}

// formattedFile is go/format for the text of a file.
func formattedFile(text string) ([]byte, error) {
	out, err := format.Source([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("poolgen is broken: its output does not parse: %w\n%s", err, text)
	}
	return out, nil
}
