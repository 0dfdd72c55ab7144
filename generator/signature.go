package generator

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// signature matches a function's parameters and results, by type, with what a hook of the kind may have.
func (r *resolver) signature(kind Kind, c candidate) (*Hook, error) {
	sig := c.fn.Signature()
	h := &Hook{Kind: kind, Name: c.fn.Name(), Pos: r.position(c.fn.Pos()), Method: r.isMethod(kind, c)}
	if sig.TypeParams().Len()+sig.RecvTypeParams().Len() > 0 {
		return nil, r.unfit(h, c, "it is generic")
	}
	var context types.Type
	if recv := sig.Recv(); recv != nil {
		_, h.Pointer = types.Unalias(recv.Type()).(*types.Pointer)
		if !h.Method {
			h.OfContext, context = true, recv.Type()
		}
	}
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		if sig.Variadic() && i == sig.Params().Len()-1 {
			h.Variadic = true // called with none
			break
		}
		role, err := r.role(kind, v.Type())
		if err != "" {
			return nil, r.unfit(h, c, err)
		}
		if role == PoolContext {
			if context != nil && !types.Identical(context, v.Type()) {
				return nil, r.unfit(h, c, fmt.Sprintf("it takes both %s and %s, of which only one can be the pool context", r.typeString(context), r.typeString(v.Type())))
			}
			context = v.Type()
		}
		h.Params = append(h.Params, role)
	}
	if h.takes(ContextContext) && !conventions[kind].context {
		return nil, r.unfit(h, c, "it takes a context.Context, but the pool has none to give it")
	}
	if kind == IsFatal && !h.takes(UseErr) {
		return nil, r.unfit(h, c, "it does not take an error")
	}
	if kind != Create && kind != IsFatal && !h.Method && !h.takes(ConnPointer) && !h.takes(ConnValue) {
		return nil, r.unfit(h, c, "it does not take a *"+r.request.Type)
	}
	result, ok := r.result(kind, h, sig.Results())
	if !ok {
		return nil, r.unfit(h, c, "it returns "+r.results(sig.Results())+", not "+r.wanted(kind, h))
	}
	h.Result, h.context = result, context
	return h, nil
}

// role is what a parameter of type t gets, or why it can't be filled.
func (r *resolver) role(kind Kind, t types.Type) (role Role, problem string) {
	switch named, _ := types.Unalias(t).(*types.Named); {
	case t == types.Typ[types.Invalid]:
		return 0, "the type of a parameter is not known: it does not compile"
	case named != nil && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "context" && named.Obj().Name() == "Context":
		return ContextContext, ""
	case kind == IsFatal && types.Identical(t, types.Universe.Lookup("error").Type()):
		return UseErr, ""
	case !r.isConn(t):
		return PoolContext, ""
	case kind == Create:
		return 0, "it takes a " + r.typeString(t) + ", which is what it is to create"
	case types.Identical(t, r.conn):
		return ConnValue, ""
	}
	return ConnPointer, ""
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
			r.display(*r.shown), r.where(r.shown.fn.Pos()), r.typeString(r.context), advice)
	}
	return h, nil
}

// result tells what the results mean, and whether they are fit for the kind.
func (r *resolver) result(kind Kind, h *Hook, results *types.Tuple) (Result, bool) {
	is := func(wanted ...func(types.Type) bool) bool {
		if results.Len() != len(wanted) {
			return false
		}
		for i, want := range wanted {
			if !want(results.At(i).Type()) {
				return false
			}
		}
		return true
	}
	isErr := func(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }
	isBool := func(t types.Type) bool { return types.Identical(t, types.Typ[types.Bool]) }
	isValue := func(t types.Type) bool { return types.Identical(t, r.conn) }
	isPointer := func(t types.Type) bool { return types.Identical(t, types.NewPointer(r.conn)) }
	switch {
	case kind == Create && h.Method:
		return Err, h.Pointer && is(isErr)
	case kind == Create && is(isValue, isErr):
		return ValueAndErr, true
	case kind == Create:
		return PointerAndErr, is(isPointer, isErr)
	}
	returned := Nothing
	switch {
	case is(isErr):
		returned = Err
	case is(isBool):
		returned = Bool
	case results.Len() > 0:
		return 0, false
	}
	return returned, slices.Contains(conventions[kind].results, returned)
}

// wanted is what a hook of the kind returns, in words.
func (r *resolver) wanted(kind Kind, h *Hook) string {
	switch {
	case kind == Create && h.Method:
		return "error from a method with a pointer receiver, which fills that"
	case kind == Create:
		return fmt.Sprintf("(*%s, error)", r.request.Type)
	}
	var words []string
	for _, result := range conventions[kind].results {
		words = append(words, map[Result]string{Err: "error", Bool: "bool", Nothing: "nothing"}[result])
	}
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// unfit is the error for a function that can't be the hook that it is named as.
func (r *resolver) unfit(h *Hook, c candidate, why string) error {
	advice := fmt.Sprintf("change it, or name another one with -%s=F or //poolgen:%s", h.Kind, h.Kind)
	if h.Kind != Create {
		advice += fmt.Sprintf(", or switch it off with -%s=none", h.Kind)
	}
	return at(h.Pos, "%s can't be the %s hook of %s: %s; %s", r.display(c), h.Kind, r.request.Type, why, advice)
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
	return strings.TrimPrefix(r.typeString(c.fn.Signature()), "func")
}

func (r *resolver) results(results *types.Tuple) string {
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
	if r.context == nil {
		return
	}
	refs := importNames(r.shown.file)
	c.Context = types.TypeString(r.context, func(pkg *types.Package) string {
		if pkg == r.types {
			return ""
		}
		for name, path := range refs {
			if path == pkg.Path() {
				c.addImport(Import{Name: explicitName(r.shown.file, path), Path: path, refer: name, pos: r.importPosition(r.shown.file, path)})
				return name
			}
		}
		return pkg.Name()
	})
}

// importPosition is where a file imports a path.
func (r *resolver) importPosition(file *ast.File, path string) token.Position {
	i := slices.IndexFunc(file.Imports, func(spec *ast.ImportSpec) bool { return spec.Path.Value == strconv.Quote(path) })
	return r.position(file.Imports[max(i, 0)].Pos())
}

func (c *Connection) addImport(i Import) {
	if !slices.Contains(c.Imports, i) {
		c.Imports = append(c.Imports, i)
	}
}

// absent are the methods that would be hooks by convention if the type had them. Those of kinds that are
// named or switched off don't count.
func (r *resolver) absent(c *Connection) []string {
	var names []string
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
			if has, _, _ := types.LookupFieldOrMethod(types.NewPointer(r.conn), true, r.types, name); has == nil {
				names = append(names, name)
			}
		}
	}
	return names
}
