package generator

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// find finds the package of a type that is referred to by the name or path of its package: what a file of the package
// imports by that name, or else what the standard library and the modules that are required have.
func (p *Package) find(ref reference) (path string, err error) {
	if strings.Contains(ref.Path, "/") {
		return ref.Path, nil
	}
	if path := p.imported(ref.Path); path != "" {
		return path, nil
	}
	modules := requirements(p.Dir)
	likely := append(slices.DeleteFunc(slices.Clone(modules), func(m string) bool { return guessName(m) != ref.Path }), ref.Path)
	if found, err := p.having(ref, likely...); len(found) == 1 || err != nil {
		return strings.Join(found, ""), err
	}
	patterns := []string{"std"}
	for _, module := range modules {
		patterns = append(patterns, module+"/...")
	}
	listed, err := list(p.ctx, p.Dir, patterns...)
	if err != nil {
		return "", fmt.Errorf("go list failed: %w", err)
	}
	paths, names := named(ref.Path, listed)
	found, err := p.having(ref, paths...)
	switch {
	case err != nil:
		return "", err
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return "", fmt.Errorf("-for=%s: %s all have such a type: give the path of the one, as in -for=%s.%s", ref, strings.Join(found, " and "), found[0], ref.Name)
	case len(paths) > 0:
		return paths[0], nil // which findType will tell not to have the type
	}
	hint := didYouMean(ref.Path, names)
	for _, name := range names {
		if hint == "" && strings.HasPrefix(name, ref.Path) {
			hint = "; did you mean " + name + "?"
		}
	}
	return "", fmt.Errorf("-for=%s: no package %s in the standard library or in the modules that go.mod requires%s; "+
		"go get the module that has it, or give its path, as in -for=example.com/%s.%s", ref, ref.Path, hint, ref.Path, ref.Name)
}

// named are the paths of those of the packages that have a name and that others may import, and the names of all these.
func named(name string, listed []*packages.Package) (paths, names []string) {
	for _, pkg := range listed {
		elements := strings.Split(pkg.PkgPath, "/")
		if pkg.Name == "" || pkg.Name == "main" || slices.Contains(elements, "internal") || slices.Contains(elements, "vendor") {
			continue
		}
		names = append(names, pkg.Name)
		if pkg.Name == name && !slices.Contains(paths, pkg.PkgPath) {
			paths = append(paths, pkg.PkgPath)
		}
	}
	return paths, names
}

// having are those of the packages that have the type.
func (p *Package) having(ref reference, paths ...string) ([]string, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	var found []string
	if err := p.declare(paths...); err != nil {
		return nil, err
	}
	p.check()
	for _, path := range paths {
		if p.lookupType(reference{Path: path, Name: ref.Name}) {
			found = append(found, path)
		}
	}
	return found, nil
}

// lookupType reports whether a package that has been read declares a type, and exports it.
func (p *Package) lookupType(ref reference) bool {
	n := p.declared[ref.Path]
	return n != nil && isExported(ref.Name) && slices.ContainsFunc(n.files, func(file *ast.File) bool { return declaresType(file, ref.Name) })
}
