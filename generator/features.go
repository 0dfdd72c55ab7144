package generator

import (
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strings"
)

// features are the values of the template's feature constants.
type features map[string]bool

// key tells sets of features apart.
func (f features) key() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if f[name] {
			b.WriteString(name + " ")
		}
	}
	return b.String()
}

// constant is one of the template's feature constants.
type constant struct {
	name  string
	value ast.Expr
}

// featureConstants are the constants in the file of the template that declares the features.
func featureConstants(file *ast.File) []constant {
	var list []constant
	for n := range ast.Preorder(file) {
		if spec, ok := n.(*ast.ValueSpec); ok {
			list = append(list, constant{spec.Names[0].Name, spec.Values[0]})
		}
	}
	return list
}

// features of a connection's pool: those of the chosen groups, those that follow from what the type has, and
// those that follow from these.
func (t *template) features(c *Connection, r Request) features {
	f := Groups.features(r.Groups, c.Hooks)
	maps.Copy(f, c.features(r))
	for _, constant := range t.constants {
		if value, known := f.eval(constant.value); known {
			f[constant.name] = value
		}
	}
	closer := c.Hooks[Close]
	f["hidesClose"] = closer != nil && closer.Method && token.IsExported(closer.Name) && !t.leaseMethods(f)[closer.Name]
	return f
}

// features that follow from what the type has, and from the size. Whether a lease hides the method that closes
// depends on what else is left of the lease.
func (c *Connection) features(r Request) features {
	has := func(kind Kind) bool { return c.Hooks[kind] != nil }
	create, reset := c.Hooks[Create], c.Hooks[Reset]
	f := features{
		"hasContext": c.Context != "",
		"hasCheck":   has(Check),
		"hasNeeds":   has(NeedsCheck),
		"mayPanic":   has(NeedsCheck) && !c.Hooks[NeedsCheck].Returns,
		"byValue":    c.ByValue,
		"hasCleanup": create != nil && create.Cleanup,
		"hasCloser":  has(Close),
		"hasClose":   has(Close) || create != nil && create.Cleanup,
		"hidesClose": has(Close),
		"hasBroken":  has(Broken),
		"resetsHere": reset != nil && !reset.takes(ContextContext),
		"resetsAway": reset != nil && reset.takes(ContextContext),
		"fixedSize":  r.Size > 0,

		"hasAfterCreate":   has(AfterCreate),
		"hasBeforeAcquire": has(BeforeAcquire),
		"hasAfterRelease":  has(AfterRelease),
		"hasBeforeClose":   has(BeforeClose),
		"hasFatal":         has(IsFatal),
		"hasKeyed":         c.Key != "",
		"nilObserver":      c.Nilable,
	}
	if r.Size > 0 {
		f["hasResize"] = false
	}
	if f["resetsAway"] { // nobody could take what is not even idle
		f["hasBarging"] = false
	}
	for _, e := range events {
		f["observes"+e.name] = c.Observes[e.name]
	}
	return f
}

// leaseMethods are the methods of the lease that the features leave. They hide the connection's by themselves.
func (t *template) leaseMethods(f features) map[string]bool {
	methods := map[string]bool{}
	for _, fn := range t.functions() {
		if receives(fn, "Lease") {
			methods[fn.Name.Name] = true
		}
	}
	for _, s := range t.sources {
		marks, _ := s.marks() // folding reports the errors
		for _, m := range marks {
			if fn, ok := m.node.(*ast.FuncDecl); ok && receives(fn, "Lease") {
				if stays, _ := f.hold(m); !stays {
					delete(methods, fn.Name.Name)
				}
			}
		}
	}
	return methods
}

// receives reports whether a function is a method of the type with that name.
func receives(fn *ast.FuncDecl, typ string) bool {
	if fn.Recv == nil {
		return false
	}
	of := fn.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	id, ok := of.(*ast.Ident)
	return ok && id.Name == typ
}

// eval returns the value of a condition as far as the features decide it.
func (f features) eval(e ast.Expr) (value, known bool) {
	switch e := e.(type) {
	case *ast.Ident:
		value, known = f[e.Name]
	case *ast.ParenExpr:
		return f.eval(e.X)
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			value, known = f.eval(e.X)
			return !value, known
		}
	case *ast.BinaryExpr:
		if e.Op != token.LAND && e.Op != token.LOR {
			return false, false
		}
		x, xKnown := f.eval(e.X)
		y, yKnown := f.eval(e.Y)
		decides := e.Op == token.LOR // the value that decides whatever the other operand is
		switch {
		case xKnown && x == decides, yKnown && y == decides:
			return decides, true
		case xKnown && yKnown:
			return !decides, true
		}
	}
	return value, known
}
