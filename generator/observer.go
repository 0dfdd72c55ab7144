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
	typ, ok := r.types.Scope().Lookup(name).(*types.TypeName)
	if !ok {
		return fmt.Errorf("-observer=%s: no type %s in package %s", name, name, r.Name)
	}
	c.Observer, c.Observes = name, map[string]bool{}
	var wanted []string
	for _, e := range events {
		wanted = append(wanted, e.String())
		obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(typ.Type()), true, r.types, e.name)
		method, ok := obj.(*types.Func)
		if !ok {
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
	if len(c.Observes) == 0 {
		return at(r.position(typ.Pos()), "-observer=%s: it has none of the methods that a pool would call: %s", name, strings.Join(wanted, ", "))
	}
	return nil
}

// event prints a method as an event is printed.
func (r *resolver) event(method *types.Func) string {
	var params []string
	for v := range method.Signature().Params().Variables() {
		params = append(params, r.typeString(v.Type()))
	}
	text := event{method.Name(), params}.String()
	if results := method.Signature().Results(); results.Len() > 0 {
		text += " " + r.results(results)
	}
	return text
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
