package generator

import (
	"fmt"
	"go/types"
	"strings"
)

// keys finds the type of the keys of a set of pools.
func (r *resolver) keys(c *Connection) error {
	name := r.request.Keyed
	if name == "" {
		return nil
	}
	if c.Context == "" {
		return at(c.Pos, "-keyed=%s: no hook of %s takes a pool context, which is what would tell the connections of one key from another's; "+
			"give create a parameter for it", name, c.Type)
	}
	c.Key = name
	pkg, _, qualified := strings.Cut(name, ".")
	if !qualified {
		obj := r.types.Scope().Lookup(name)
		if obj == nil {
			obj = types.Universe.Lookup(name)
		}
		if typ, ok := obj.(*types.TypeName); !ok || !types.Comparable(typ.Type()) {
			return fmt.Errorf("-keyed=%s: no type %s that can be a key: it is neither one of package %s nor Go's own, or can't be compared", name, name, r.Name)
		}
		return nil
	}
	for _, file := range r.files {
		if path, ok := importNames(file)[pkg]; ok {
			c.addImport(Import{Name: explicitName(file, path), Path: path, refer: pkg, pos: r.importPosition(file, path)})
			return nil
		}
	}
	return fmt.Errorf("-keyed=%s: no file of package %s imports %s; import it in the file that declares %s", name, r.Name, pkg, c.Type)
}
