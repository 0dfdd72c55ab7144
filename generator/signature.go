package generator

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// signature matches a function's parameters and results, by type, with what a hook of the kind may have.
func (r *resolver) signature(kind Kind, c candidate) (*Hook, error) {
	if r.context != nil {
		c = c.of(r.context)
	}
	h := &Hook{Kind: kind, Name: c.name(), Pos: r.position(c.obj.Pos()), Method: r.isMethod(kind, c)}
	_, h.Variable = c.obj.(*types.Var)
	if c.sig.TypeParams().Len()+r.openTypeParams(c) > 0 {
		return nil, r.unfit(h, c, "it is generic")
	}
	if !r.concerns(kind, c) && kind == Create {
		return nil, r.unfit(h, c, "it returns "+r.printedResults(c.sig.Results())+", not "+r.wanted(kind, h))
	}
	if recv := c.sig.Recv(); recv != nil {
		_, h.Pointer = types.Unalias(recv.Type()).(*types.Pointer)
		if !h.Method {
			h.OfContext, h.context = true, r.contextOf(c)
		}
	}
	for i := range c.sig.Params().Len() {
		if c.sig.Variadic() && i == c.sig.Params().Len()-1 {
			h.Variadic = true // called with none
			break
		}
		t := c.sig.Params().At(i).Type()
		if problem := r.param(kind, c, h, t); problem != "" {
			if role, unknown := r.role(kind, t); role == PoolContext && unknown == "" {
				return nil, r.unfillable(h, c, problem)
			}
			return nil, r.unfit(h, c, problem)
		}
	}
	if h.takes(ContextContext) && !conventions[kind].context {
		return nil, r.unfit(h, c, "it takes a context.Context, but the pool has none to give it")
	}
	if kind == IsFatal && !h.takes(UseErr) {
		return nil, r.unfit(h, c, "it does not take an error")
	}
	if kind != Create && kind != IsFatal && !h.Method && !h.takes(ConnPointer) && !h.takes(ConnValue) {
		return nil, r.unfit(h, c, "it does not take a "+r.pointer())
	}
	if !r.results(kind, h, c.sig.Results()) {
		return nil, r.unfit(h, c, "it returns "+r.printedResults(c.sig.Results())+", not "+r.wanted(kind, h))
	}
	h.candidate = c
	return h, nil
}

// openTypeParams is how many type parameters of a method's receiver have no argument.
func (r *resolver) openTypeParams(c candidate) int {
	if fn, ok := c.obj.(*types.Func); ok && fn.Origin() != fn {
		return 0
	}
	return c.sig.RecvTypeParams().Len()
}

// contextOf is the pool context of which a function is a method.
func (r *resolver) contextOf(c candidate) types.Type {
	if c.owner == nil {
		return c.sig.Recv().Type()
	}
	_, pointer := types.Unalias(c.sig.Recv().Type()).(*types.Pointer)
	if pointer && !types.IsInterface(c.owner) {
		return types.NewPointer(c.owner)
	}
	return c.owner
}

// param finds out what the next parameter of a hook gets, or else why it can't be filled.
func (r *resolver) param(kind Kind, c candidate, h *Hook, t types.Type) (problem string) {
	role, problem := r.role(kind, t)
	if problem != "" {
		return problem
	}
	if role == PoolContext {
		known := h.context
		if known == nil {
			known = r.context
		}
		switch {
		case (h.OfContext || h.takes(PoolContext)) && types.Identical(h.context, t):
			return fmt.Sprintf("it takes %s more than once, but the pool has one to give", r.typeString(t))
		case h.context != nil && !types.Identical(h.context, t):
			return fmt.Sprintf("it takes both %s and %s, of which only one can be the pool context", r.typeString(h.context), r.typeString(t))
		case r.foreign(c) && h.Method && (known == nil || !types.Identical(known, t)):
			return fmt.Sprintf("the pool has nothing to give it for %s", r.typeString(t))
		case r.hidden(t) != "":
			return fmt.Sprintf("it takes %s, which this package can't name", r.hidden(t))
		}
		h.context = t
	}
	if role != ContextContext && role != PoolContext && h.takes(role) {
		return fmt.Sprintf("it takes %s more than once, but the pool has one to give", r.typeString(t))
	}
	h.Params = append(h.Params, role)
	return ""
}

// role is what a parameter of type t gets, or why it can't be filled.
func (r *resolver) role(kind Kind, t types.Type) (role Role, problem string) {
	switch {
	case strings.Contains(r.typeString(t), types.Typ[types.Invalid].String()): // as a whole or in part
		if r.imported("C") != "" {
			return 0, "the type of a parameter is not known: if it is one of C's, declare a type of Go's for it, as in type Handle C.handle_t"
		}
		return 0, "the type of a parameter is not known: it does not compile"
	case isNamed(t, "context", "Context"):
		return ContextContext, ""
	case kind == IsFatal && types.Identical(t, types.Universe.Lookup("error").Type()):
		return UseErr, ""
	case !r.isConn(t):
		return PoolContext, ""
	case kind == Create:
		return 0, "it takes a " + r.typeString(t) + ", which is what it is to create"
	case types.Identical(t, r.conn) && !types.IsInterface(r.conn):
		return ConnValue, ""
	}
	return ConnPointer, ""
}

// isNamed reports whether t is the type of another package with that name.
func isNamed(t types.Type, path, name string) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == path && named.Obj().Name() == name
}

// use checks that the hook agrees with those before it on the pool context.
func (r *resolver) use(h *Hook, c candidate) (*Hook, error) {
	switch {
	case h.context == nil:
	case r.context == nil:
		r.context, r.shown = h.context, &c
	case !types.Identical(r.context, h.context):
		advice := "make them take the same"
		if h.Kind != Create {
			advice += fmt.Sprintf(", or switch this one off with -%s=none", h.Kind)
		}
		return nil, at(h.Pos, "%s takes %s as the pool context, but %s (%s) takes %s: %s", r.display(c), r.typeString(h.context),
			r.display(*r.shown), r.where(r.shown.obj.Pos()), r.typeString(r.context), advice)
	}
	return h, nil
}

// results tells what the results of a hook mean, and whether they are fit for the kind.
func (r *resolver) results(kind Kind, h *Hook, results *types.Tuple) bool {
	var list []types.Type
	for v := range results.Variables() {
		list = append(list, v.Type())
	}
	next := func(want func(types.Type) bool) bool {
		fits := len(list) > 0 && want(list[0])
		if fits {
			list = list[1:]
		}
		return fits
	}
	isErr := func(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }
	isBool := func(t types.Type) bool { return types.Identical(t, types.Typ[types.Bool]) }
	switch {
	case kind == Create && h.Method:
		h.Fails = next(isErr)
		return h.Pointer && len(list) == 0
	case kind == Create:
		h.Value = !types.IsInterface(r.conn) && next(func(t types.Type) bool { return types.Identical(t, r.conn) })
		made := h.Value || next(func(t types.Type) bool { return types.Identical(t, r.handle()) })
		plain := types.NewSignatureType(nil, nil, nil, nil, nil, false)
		h.Cleanup = next(func(t types.Type) bool { return types.Identical(t, plain) })
		h.Named = !h.Cleanup && next(func(t types.Type) bool {
			return isNamed(t, "context", "CancelFunc") || types.Identical(t.Underlying(), plain)
		})
		h.Cleanup = h.Cleanup || h.Named
		h.Fails = next(isErr)
		return made && len(list) == 0
	case next(isErr):
		h.Result = Err
	case next(isBool):
		h.Result = Bool
	}
	return len(list) == 0 && slices.Contains(conventions[kind].results, h.Result)
}

// wanted is what a hook of the kind returns, in words.
func (r *resolver) wanted(kind Kind, h *Hook) string {
	err := "error"
	if r.types.Scope().Lookup(err) != nil {
		err = "Go's own error"
	}
	switch {
	case kind == Create && h.Method:
		return err + " from a method with a pointer receiver, which fills that"
	case kind == Create:
		return fmt.Sprintf("(%s, %s)", r.pointer(), err)
	}
	var words []string
	for _, result := range conventions[kind].results {
		words = append(words, map[Result]string{Err: err, Bool: "bool", Nothing: "nothing"}[result])
	}
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// unfillable is unfit for a function that takes what the pool has nothing to give for.
func (r *resolver) unfillable(h *Hook, c candidate, why string) error {
	if r.foreign(c) {
		return r.unfit(h, c, why)
	}
	advice := "change it, or " + r.wrapping(h.Kind, c)
	if h.Kind != Create {
		advice += fmt.Sprintf("\n\nor switch it off with -%s=none", h.Kind)
	}
	return misfit{at(h.Pos, "%s can't be the %s hook of %s: %s; it is func%s; %s", r.display(c), h.Kind, r.request.Type, why, r.printed(c), advice), why, true}
}

// wrapping is the advice to wrap a function of the package.
func (r *resolver) wrapping(kind Kind, c candidate) string {
	without := ""
	if name := r.request.Hooks[kind]; name != "" {
		without = fmt.Sprintf(", and leave out -%s=%s", kind, name)
	} else if hasDirective(c.doc, kind) {
		without = ", and take the directive away from this one"
	}
	return fmt.Sprintf("wrap it in a function of this package%s:\n\n%s", without, r.wrapper(kind, c))
}

// unfit is the error for a function that can't be the hook that it is named as.
func (r *resolver) unfit(h *Hook, c candidate, why string) error {
	advice := fmt.Sprintf("change it, or name another one with -%s=F or //poolgen:%s", h.Kind, h.Kind)
	switch {
	case c.obj.Pkg() == r.types:
	case c.sig.TypeParams().Len() > 0:
		advice = fmt.Sprintf("call it with its type arguments in a function of this package, and name that with -%s=F", h.Kind)
	case h.Kind == Create && !r.concerns(Create, c):
		advice = fmt.Sprintf("make a %s of that in a function of this package, and name it with -create=F", r.pointer())
	default:
		advice = fmt.Sprintf("%s\n\nor name another one with -%s=F", r.wrapping(h.Kind, c), h.Kind)
	}
	if h.Kind != Create {
		advice += fmt.Sprintf(", or switch it off with -%s=none", h.Kind)
	}
	return misfit{at(h.Pos, "%s can't be the %s hook of %s: %s; %s", r.display(c), h.Kind, r.request.Type, why, advice), why, false}
}

// misfit is the error of unfit with its reason alone.
type misfit struct {
	error
	why   string
	wraps bool // a wrapper of a function of the package would do
}

func (r *resolver) typeString(t types.Type) string {
	return types.TypeString(t, func(pkg *types.Package) string {
		if pkg == r.types {
			return ""
		}
		return pkg.Name()
	})
}

// printed is a signature without the word func.
func (r *resolver) printed(c candidate) string {
	return strings.TrimPrefix(r.typeString(c.sig), "func")
}

// printedResults are results as a message has them.
func (r *resolver) printedResults(results *types.Tuple) string {
	if results.Len() == 0 {
		return "nothing"
	}
	var list []string
	for v := range results.Variables() {
		list = append(list, r.typeString(v.Type()))
	}
	if len(list) == 1 {
		return list[0]
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// describeContext puts the type of the pool context into the connection, as the user writes it.
func (r *resolver) describeContext(c *Connection) {
	if r.context != nil {
		c.Context = r.source(r.context)
	}
}

// absent are the methods that would be hooks by convention if the type had them. Those of kinds that are
// named or switched off don't count, nor do those that tests add: no pool calls them, and the tests are to build.
func (r *resolver) absent(c *Connection) []string {
	if r.conn.Obj().Pkg() != r.types {
		return nil // the user adds no methods to the type of another package
	}
	var names []string
	tested := r.testMethods(r.conn.Obj().Name())
	for _, kind := range Kinds[1:] {
		hook := c.Hooks[kind]
		if r.request.Hooks[kind] != "" || hook != nil && len(r.marked(kind)) > 0 {
			continue
		}
		for _, name := range conventions[kind].methods {
			if hook != nil && hook.Name == name {
				break // the ones after it have a lower rank
			}
			// A field, or a method that comes second to the hook, can be no hook.
			if has, _, _ := types.LookupFieldOrMethod(r.handle(), true, r.types, name); has == nil && !tested[name] {
				names = append(names, name)
			}
		}
	}
	return names
}
