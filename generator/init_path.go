package generator

import (
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
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
	for _, module := range append(modules, ownModule(p.Dir)...) {
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
	// Short names are like many others, but hardly one gets the first letter wrong.
	similar := slices.DeleteFunc(names, func(name string) bool { return name[0] != ref.Path[0] })
	hint := didYouMean(ref.Path, similar)
	if i := slices.IndexFunc(similar, func(name string) bool { return strings.HasPrefix(name, ref.Path) }); i >= 0 {
		hint = "; did you mean " + similar[i] + "?"
	}
	return "", fmt.Errorf("-for=%s: no package %s in the standard library, in this module or in those that it requires%s; "+
		"go get the module that has it, or give its path, as in -for=example.com/%s.%s", ref, ref.Path, hint, ref.Path, ref.Name)
}

var moduleClause = regexp.MustCompile(`(?m)^\s*module\s+"?([^\s"]+)`)

// ownModule is the path of the module that a folder belongs to.
func ownModule(dir string) []string {
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil {
			if match := moduleClause.FindSubmatch(text); match != nil {
				return []string{string(match[1])}
			}
			break
		}
	}
	return nil
}

// named are the paths of those of the packages that have a name and that others may import, and the names of all these.
func named(name string, listed []*listing) (paths, names []string) {
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
