package generator

import (
	"fmt"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// findType finds the connection type.
func (r *resolver) findType() error {
	obj := r.lookup(r.ref)
	typ, ok := obj.(*types.TypeName)
	switch {
	case !r.ref.local() && r.ref.Path == r.path && r.types.Scope().Lookup(r.ref.Name) != nil:
		return fmt.Errorf("-type=%s: this is package %s itself: give -type=%s", r.request.Type, r.path, strings.TrimPrefix(r.request.Type, r.path+"."))
	case !r.ref.local() && !r.mayImport(r.importPath(r.ref.Path)):
		return r.unknown("type", r.request.Type, r.ref)
	case !ok && obj != nil:
		return at(r.position(obj.Pos()), "%s is not a type: give -type the name of the connection type; %s", r.request.Type, r.typesLike(r.ref))
	case !ok && !r.ref.local():
		return r.unknown("type", r.request.Type, r.ref)
	case !ok && r.dotted(r.ref.Name) != "":
		return fmt.Errorf("-type=%[1]s: a file imports %[1]s with a dot, from %[2]s: give -type=%[2]s.%[1]s", r.request.Type, r.dotted(r.ref.Name))
	case !ok:
		return nothingThere{r.Dir, fmt.Sprintf("no type %s in package %s: %s", r.ref.Name, r.Name, r.typesLike(r.ref))}
	}
	pos := r.position(typ.Pos())
	r.typ = typ.Type()
	if r.ref.Args != "" || openParams(r.typ).Len() > 0 {
		instance, err := r.instance(typ)
		if err != nil {
			return err
		}
		r.typ = instance
	}
	if pointer, ok := r.typ.Underlying().(*types.Pointer); ok {
		if target, ok := types.Unalias(pointer.Elem()).(*types.Named); ok {
			return at(pos, "%s is a pointer: give the type that it points to, as in -type=%s", r.request.Type, strings.ReplaceAll(r.readable(target), " ", ""))
		}
	}
	r.conn, ok = types.Unalias(r.typ).(*types.Named)
	if !ok || r.conn.Obj().Pkg() == nil {
		return at(pos, "%s is an alias of %s, which has no name of its own: define a type for the connection, and name that", r.request.Type, r.typeString(types.Unalias(r.typ)))
	}
	if err := r.satisfied(pos); err != nil {
		return err
	}
	switch under := r.conn.Underlying().(type) {
	case *types.Pointer:
		return at(pos, "%s is neither a struct nor another concrete type: name the type of the connection itself", r.request.Type)
	case *types.Interface:
		if !under.IsMethodSet() {
			return at(pos, "%s is a constraint, not the type of a connection", r.request.Type)
		}
	}
	if pkg := r.conn.Obj().Pkg(); pkg != r.types && r.declared[pkg.Path()].err != nil && r.neighbour(pkg.Path()) == nil {
		return at(pos, "%s is a type of %s, which can't be read: %w", r.request.Type, pkg.Path(), r.declared[pkg.Path()].err)
	}
	return nil
}

// openParams are those of a type that is generic and not instantiated.
func openParams(t types.Type) *types.TypeParamList {
	switch t := t.(type) {
	case *types.Alias:
		if t.TypeArgs().Len() == 0 {
			return t.TypeParams()
		}
	case *types.Named:
		if t.TypeArgs().Len() == 0 {
			return t.TypeParams()
		}
	}
	return nil
}

// instance is the instance of a generic type that the request names. Its arguments are types that this package
// declares or that a file of it can name.
func (r *resolver) instance(typ *types.TypeName) (types.Type, error) {
	pos := r.position(typ.Pos())
	params := openParams(typ.Type())
	switch {
	case params.Len() == 0:
		return nil, at(pos, "%s is not generic: give -type=%s", r.ref.Name, typ.Name())
	case r.ref.Args == "":
		return nil, at(pos, "%s is generic: give its type arguments, as in -type='%s[%s]', or define a type for the instance that is to be pooled, and name that",
			r.request.Type, r.request.Type, strings.Repeat("string,", params.Len()-1)+"string")
	}
	var args []types.Type
	for _, arg := range SplitNames(r.ref.Args) {
		t := r.typeOf(arg)
		if t == nil {
			return nil, at(pos, "-type=%s: no file of package %s can name the type %s; declare it, or use its package in the file that declares %s", r.request.Type, r.Name, arg, r.ref.Name)
		}
		args = append(args, t)
	}
	if len(args) != params.Len() {
		return nil, at(pos, "-type=%s: %s takes %d type arguments, not %d", r.request.Type, r.ref.Name, params.Len(), len(args))
	}
	instance, err := types.Instantiate(nil, typ.Type(), args, false)
	if err != nil {
		return nil, at(pos, "-type=%s: %w", r.request.Type, err)
	}
	return instance, nil
}

// unknown is the error for something of another package that is not there.
func (r *resolver) unknown(flag, value string, ref reference) error {
	path := r.importPath(ref.Path)
	n := r.declared[path]
	what := ref.Name
	if ref.Type != "" {
		what = ref.Type
	}
	switch {
	case !r.mayImport(path):
		return fmt.Errorf("-%s=%s: package %s is internal to another module or folder, so that this package can't use it", flag, value, path)
	case n != nil && n.err != nil && len(n.files) == 0 && path == ref.Path && !strings.Contains(path, "/"):
		whole := ref
		whole.Path = r.required(ref.Path)
		return fmt.Errorf("-%s=%s: no file of package %s imports %s, and there is no package of that path: give the whole path, as in -%s=%s",
			flag, value, r.Name, ref.Path, flag, whole)
	case n != nil && n.err != nil && len(n.files) == 0:
		why, _, _ := strings.Cut(n.err.Error(), "; to add it:") // which go list says of some
		return fmt.Errorf("-%s=%s: package %s can't be read: %s; to add it to the module: go get %s", flag, value, path, why, path)
	case !token.IsExported(what):
		return fmt.Errorf("-%s=%s: %s is not exported by package %s, so that this package can't use it", flag, value, what, path)
	}
	return fmt.Errorf("-%s=%s: package %s declares no %s%s", flag, value, path, what, didYouMean(what, r.exported(path)))
}

// mayImport reports whether the package may import another one: what is below a folder called internal, only those may
// that are below the folder of that.
func (p *Package) mayImport(path string) bool {
	parent, _, internal := strings.Cut("/"+path+"/", "/internal/")
	return !internal || strings.HasPrefix("/"+p.path+"/", parent+"/")
}

// required is the path of a package that the module requires and that may be called so, or else an example of one.
func (r *resolver) required(name string) string {
	for _, module := range requirements(r.Dir) {
		if guessName(module) == name {
			return module
		}
	}
	return "example.com/" + name
}

// requirements are the paths of the modules that the module with a folder requires.
func requirements(dir string) []string {
	var paths []string
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		for _, match := range requirement.FindAllSubmatch(text, -1) {
			paths = append(paths, string(match[1]))
		}
		if err == nil {
			break
		}
	}
	return paths
}

var requirement = regexp.MustCompile(`(?m)^\s*(?:require\s+)?([^\s/]+\.[^\s/]+/\S+) v\d`)

// exported are the exported names of another package.
func (r *resolver) exported(path string) []string {
	var names []string
	if pkg := r.neighbour(path); pkg != nil {
		names = slices.DeleteFunc(pkg.Scope().Names(), func(name string) bool { return !token.IsExported(name) })
	}
	return names
}

// typesLike says which types there are, where there is none with the given name.
func (r *resolver) typesLike(ref reference) string {
	name := ref.Name
	var names []string
	for _, other := range r.types.Scope().Names() {
		if obj, ok := r.types.Scope().Lookup(other).(*types.TypeName); ok && !r.generated(obj) {
			names = append(names, other)
		}
	}
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf("did you mean %s (%s)?", near, r.where(r.types.Scope().Lookup(near).Pos()))
	} else if len(names) > 0 {
		return "it has " + strings.Join(names, ", ")
	}
	return "the package declares no type"
}
