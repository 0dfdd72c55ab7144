package generator

import (
	"go/token"
	"go/types"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// source is a type as the output writes it, in which each import has the name that the package's files give it.
func (r *resolver) source(t types.Type) string {
	return types.TypeString(t, func(pkg *types.Package) string {
		if pkg == r.types {
			return ""
		}
		return r.refer(pkg)
	})
}

// call is the expression by which the output calls a function.
func (r *resolver) call(c candidate) string {
	call := c.name()
	if pkg := c.obj.Pkg(); pkg != r.types {
		call = r.refer(pkg) + "." + call
	}
	var args []string
	for _, arg := range c.args {
		args = append(args, r.source(arg))
	}
	if len(args) > 0 {
		call += "[" + strings.Join(args, ", ") + "]"
	}
	return call
}

// refer returns the name by which the output refers to a package, and makes it import that. It is the one by which
// the package's files import it, or else its own, unless the output has another use for it.
func (r *resolver) refer(pkg *types.Package) string {
	p := pkg.Path()
	i := slices.IndexFunc(r.result.Imports, func(i Import) bool { return i.Path == p })
	if i >= 0 {
		return r.result.Imports[i].refer
	}
	wanted := Import{Path: p, refer: pkg.Name()}
	if n := r.declared[p]; n != nil && n.name != "" {
		wanted.refer = n.name
	}
	for _, file := range r.files {
		if name := nameOf(file, p); name != "" {
			wanted.refer, wanted.Name = name, explicitName(file, p)
		}
	}
	if used, err := templateNames(); err == nil && used[path.Base(p)] == p {
		wanted.refer, wanted.Name = path.Base(p), "" // as the output imports it anyway
	}
	if name := r.vacantName(wanted); name != wanted.refer {
		wanted.refer, wanted.Name = name, name
	}
	if wanted.refer != path.Base(p) && wanted.refer != guessName(p) {
		wanted.Name = wanted.refer
	}
	r.result.Imports = append(r.result.Imports, wanted)
	return wanted.refer
}

// vacantName is the name that an import is to have, or one like it if the output or the package uses that for something else.
func (r *resolver) vacantName(i Import) string {
	name, parent := i.refer, path.Base(path.Dir(i.Path))
	for n := 1; !r.vacant(name, i.Path); n++ {
		name = i.refer + strconv.Itoa(n+1)
		if n == 1 && isName(guessName(parent)+i.refer) {
			name = guessName(parent) + i.refer
		}
	}
	return name
}

func (r *resolver) vacant(name, path string) bool {
	_, taken := r.result.Taken[name]
	used, err := templateNames()
	if err != nil || taken || token.IsKeyword(name) || types.Universe.Lookup(name) != nil || used[name] != "" && used[name] != path {
		return false
	}
	return !slices.ContainsFunc(r.result.Imports, func(i Import) bool { return i.refer == name })
}

// templateNames are the names that the template uses within functions, and of its imports: these have paths.
var templateNames = sync.OnceValues(func() (map[string]string, error) {
	t, err := parsedTemplate()
	if err != nil {
		return nil, err
	}
	used := map[string]string{}
	for name := range t.ids.variables {
		used[name] = "a variable"
	}
	for name, p := range t.imports {
		used[name] = p
	}
	return used, nil
})

// hidden is a type in t that another package does not export, or "".
func (r *resolver) hidden(t types.Type) string {
	hidden := ""
	var walk func(t types.Type)
	walk = func(t types.Type) {
		switch t := types.Unalias(t).(type) {
		case *types.Named:
			if pkg := t.Obj().Pkg(); pkg != nil && pkg != r.types && !t.Obj().Exported() {
				hidden = r.typeString(t)
			}
			for arg := range t.TypeArgs().Types() {
				walk(arg)
			}
		case interface{ Elem() types.Type }:
			walk(t.Elem())
		}
	}
	walk(t)
	return hidden
}
