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
	key := r.typeOf(name)
	pkg, _, qualified := strings.Cut(name, ".")
	switch {
	case qualified && r.imported(pkg) == "":
		return fmt.Errorf("-keyed=%s: no file of package %s imports %s; import it in the file that declares %s", name, r.Name, pkg, c.Type)
	case qualified && key == nil:
		return fmt.Errorf("-keyed=%s: no file of package %s uses %s; use it in the file that declares %s, as the type of what create takes, say", name, r.Name, name, c.Type)
	case key == nil || !types.Comparable(key):
		return fmt.Errorf("-keyed=%s: no type %s that can be a key: it is neither one of package %s nor Go's own, or can't be compared", name, name, r.Name)
	}
	c.Key = r.source(key)
	return nil
}
