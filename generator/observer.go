package generator

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// event is what an observer may be told: the name of the method, and the types of its parameters.
type event struct {
	name   string
	params []string
}

// events are all events. Each has a function in the template's conn.go, and a constant in features.go.
var events = []event{
	{"Created", []string{"time.Duration"}},
	{"CreateFailed", []string{"error"}},
	{"Acquired", []string{"time.Duration"}},
	{"AcquireFailed", []string{"error"}},
	{"Released", nil},
	{"Retired", []string{"string"}},
	{"CheckFailed", []string{"error"}},
}

func (e event) String() string { return fmt.Sprintf("%s(%s)", e.name, strings.Join(e.params, ", ")) }

// observer finds the methods of the type that is told what happens.
func (r *resolver) observer(c *Connection) error {
	name := r.request.Observer
	if name == "" {
		return nil
	}
	typ, err := r.observerType(name)
	if err != nil {
		return err
	}
	c.Observer, c.Observes = name, map[string]bool{}
	var wanted []string
	for _, e := range events {
		wanted = append(wanted, e.String())
		obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(typ), true, r.types, e.name)
		method, ok := obj.(*types.Func)
		if !ok {
			if obj == nil { // a field is in the way of a method
				c.Unobserved = append(c.Unobserved, e.name)
			}
			continue
		}
		if got := r.event(method); got != e.String() {
			return at(r.position(method.Pos()), "%s.%s can't be told what happens: it is %s, not %s; change it, or give it another name", name, e.name, got, e)
		}
		c.Observes[e.name] = true
		if _, pointer := types.Unalias(method.Signature().Recv().Type()).(*types.Pointer); pointer {
			c.Observer = "*" + name
		}
	}
	_, function := typ.Underlying().(*types.Signature)
	c.Nilable = function || c.Observer != name
	if len(c.Observes) == 0 {
		return at(r.position(r.types.Scope().Lookup(name).Pos()), "-observer=%s: it has none of the methods that a pool would call: %s", name, strings.Join(wanted, ", "))
	}
	return nil
}

// observerType finds the type that is told what happens. It has to be one whose methods can be called directly.
func (r *resolver) observerType(name string) (*types.Named, error) {
	obj := r.types.Scope().Lookup(name)
	if obj == nil {
		return nil, fmt.Errorf("-observer=%s: no type %s in package %s: %s", name, name, r.Name, r.typesLike(reference{Name: name}))
	}
	pos := r.position(obj.Pos())
	if _, ok := obj.(*types.TypeName); !ok {
		return nil, at(pos, "-observer=%s: it is not a type; %s", name, r.typesLike(reference{Name: name}))
	}
	named, _ := types.Unalias(obj.Type()).(*types.Named)
	switch {
	case named == nil, types.IsInterface(named):
		return nil, at(pos, "-observer=%s: it is neither a struct nor another concrete type; name the type that has the methods", name)
	case named.TypeParams().Len() > named.TypeArgs().Len():
		return nil, at(pos, "-observer=%s: it is generic; define a type for the instance that is to be told, and name that", name)
	}
	return named, nil
}

// event prints a method as an event is printed, with the paths of packages rather than what a file calls them.
func (r *resolver) event(method *types.Func) string {
	anonymous := func(vars *types.Tuple) *types.Tuple {
		var list []*types.Var
		for v := range vars.Variables() {
			list = append(list, types.NewParam(v.Pos(), v.Pkg(), "", v.Type()))
		}
		return types.NewTuple(list...)
	}
	sig := method.Signature()
	plain := types.NewSignatureType(nil, nil, nil, anonymous(sig.Params()), anonymous(sig.Results()), sig.Variadic())
	text := types.TypeString(plain, func(pkg *types.Package) string {
		if pkg == r.types {
			return ""
		}
		return pkg.Path()
	})
	return method.Name() + strings.TrimPrefix(text, "func")
}

// observation is the event of a call by which the template tells the observer, or "".
func observation(call *ast.CallExpr) string {
	if id, ok := call.Fun.(*ast.Ident); ok {
		if event, ok := strings.CutPrefix(id.Name, "observe"); ok {
			return event
		}
	}
	return ""
}
