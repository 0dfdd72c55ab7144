package generator

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"
)

// makers are the functions and methods by which the package of a foreign connection type makes one, the best first.
// Those that only make one by the way don't count if there are others.
func (r *resolver) makers() []candidate {
	list := slices.DeleteFunc(r.constructors(), func(c candidate) bool {
		return !r.concerns(Create, c) || r.isMethod(Create, c) || r.unspeakable(c)
	})
	slices.SortStableFunc(list, func(a, b candidate) int { return slices.Compare(r.merits(a), r.merits(b)) })
	if proper := slices.DeleteFunc(slices.Clone(list), r.byTheWay); len(proper) > 0 {
		return proper
	}
	return list
}

// byTheWay reports whether a function is not meant to make connections: its name does not say so, or it only hands out
// the connection that something else has.
func (r *resolver) byTheWay(c candidate) bool {
	return r.verb(c) == otherVerb || c.sig.Recv() != nil && !returnsError(c.sig)
}

// unspeakable reports whether a function takes what this package can't name.
func (r *resolver) unspeakable(c candidate) bool {
	for v := range c.sig.Params().Variables() {
		if r.hidden(v.Type()) != "" {
			return true
		}
	}
	return false
}

// merits order makers: what is deprecated comes last, and what hands out a connection by the way. Then it matters whether it connects to a server rather than making a connection of something, whether the pool can call it as
// it is, whether it can be canceled, whether it is a function, and how little it wants to know.
func (r *resolver) merits(c candidate) []int {
	_, err := r.signature(Create, c)
	unless := func(good bool) int {
		if good {
			return 0
		}
		return 1
	}
	return []int{
		unless(!r.deprecated(c)),
		unless(!r.byTheWay(c)),
		r.verb(c),
		unless(err == nil),
		unless(takesContext(c.sig)),
		unless(c.sig.Recv() == nil),
		c.sig.Params().Len(),
		len(c.name()),
	}
}

// verb tells functions that connect from those that make a connection of something, and both from others.
func (r *resolver) verb(c candidate) int {
	begins := func(verbs ...string) bool {
		return slices.ContainsFunc(verbs, func(verb string) bool { return strings.HasPrefix(c.name(), verb) })
	}
	switch {
	case begins("Connect", "Dial", "Open"):
		return 0
	case begins("New", "Create"), c.name() == r.conn.Obj().Name():
		return 1
	}
	return otherVerb
}

const otherVerb = 2

// deprecated reports whether the documentation of another package's function says that.
func (r *resolver) deprecated(c candidate) bool {
	neighbour := r.declared[c.obj.Pkg().Path()]
	if neighbour == nil {
		return false
	}
	for _, file := range neighbour.files {
		if c.obj.Pos() < file.FileStart || file.FileEnd <= c.obj.Pos() {
			continue
		}
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Name.Pos() == c.obj.Pos() {
				return strings.Contains(fn.Doc.Text(), "Deprecated:")
			}
		}
	}
	return false
}

func returnsError(sig *types.Signature) bool {
	n := sig.Results().Len()
	return n > 0 && types.Identical(sig.Results().At(n-1).Type(), types.Universe.Lookup("error").Type())
}

// takesContext reports whether a function takes a context.Context.
func takesContext(sig *types.Signature) bool {
	for v := range sig.Params().Variables() {
		if types.TypeString(v.Type(), nil) == "context.Context" {
			return true
		}
	}
	return false
}
