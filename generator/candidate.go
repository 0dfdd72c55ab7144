package generator

import (
	"go/ast"
	"go/types"
	"slices"
)

// candidate is a function, a method or a variable that may be a hook.
type candidate struct {
	obj   types.Object     // the function or, if the package has it in a variable, that
	sig   *types.Signature // with the connection's type arguments, if the method or function has any
	args  []types.Type     // type arguments that the function is called with
	owner types.Type       // the type whose method a flag names
	doc   *ast.CommentGroup
	decl  *ast.FuncDecl // nil unless this package declares the function
}

func (c candidate) name() string { return c.obj.Name() }

// receiverType is the type of the receiver; of a function it is an invalid one.
func (c candidate) receiverType() types.Type {
	if recv := c.sig.Recv(); recv != nil {
		return recv.Type()
	}
	return types.Typ[types.Invalid]
}

// candidates are all functions and methods that the package declares, its variables that hold functions, and all
// other methods of the connection type.
func (r *resolver) candidates() []candidate {
	if r.all != nil {
		return r.all
	}
	for _, file := range r.files {
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				fn, ok := r.info.Defs[decl.Name].(*types.Func)
				if !ok {
					continue
				}
				c := candidate{obj: fn, sig: fn.Signature(), doc: decl.Doc, decl: decl}
				if decl.Recv == nil || r.receiver(c) != nil { // else it is a method of what does not exist
					r.all = append(r.all, r.instantiated(c))
				}
			case *ast.GenDecl:
				r.all = append(r.all, r.variables(decl)...)
			}
		}
	}
	r.all = append(r.all, r.methods()...)
	return r.all
}

// variables are those of a declaration that hold functions.
func (r *resolver) variables(decl *ast.GenDecl) []candidate {
	var found []candidate
	for _, spec := range decl.Specs {
		spec, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		doc := spec.Doc
		if doc == nil {
			doc = decl.Doc
		}
		for _, id := range spec.Names {
			if c, ok := function(r.info.Defs[id]); ok {
				c.doc = doc
				found = append(found, c)
			}
		}
	}
	return found
}

// function is the candidate that an object of a package is, if it is a function or a variable that holds one.
func function(obj types.Object) (candidate, bool) {
	switch obj := obj.(type) {
	case *types.Func:
		return candidate{obj: obj, sig: obj.Signature()}, true
	case *types.Var:
		if sig, ok := obj.Type().Underlying().(*types.Signature); ok {
			return candidate{obj: obj, sig: sig}, true
		}
	}
	return candidate{}, false
}

// methods are those of the connection type that the package does not declare: of an interface, of another package's
// type, and of what that or the package's own type embeds.
func (r *resolver) methods() []candidate {
	var found []candidate
	for method := range types.NewMethodSet(r.handle()).Methods() {
		fn, ok := method.Obj().(*types.Func)
		if !ok || fn.Pkg() == r.types && !types.IsInterface(fn.Signature().Recv().Type()) || fn.Pkg() != r.types && !fn.Exported() {
			continue
		}
		found = append(found, candidate{obj: fn, sig: fn.Signature()})
	}
	return found
}

// methodNames are the names of a type's exported methods.
func methodNames(t types.Type) []string {
	var names []string
	for method := range types.NewMethodSet(handleOf(t)).Methods() {
		if method.Obj().Exported() {
			names = append(names, method.Obj().Name())
		}
	}
	return names
}

// constructors are the functions with which the package of a foreign connection type creates one, and the methods of
// its other types.
func (r *resolver) constructors() []candidate {
	pkg := r.conn.Obj().Pkg()
	if pkg == r.types {
		return nil
	}
	var found []candidate
	for _, name := range pkg.Scope().Names() {
		switch obj := pkg.Scope().Lookup(name).(type) {
		case *types.Func:
			found = append(found, r.instantiated(candidate{obj: obj, sig: obj.Signature()}))
		case *types.TypeName:
			for method := range types.NewMethodSet(handleOf(obj.Type())).Methods() {
				if fn, ok := method.Obj().(*types.Func); ok && obj.Exported() && !obj.IsAlias() && !types.Identical(obj.Type(), r.conn) {
					found = append(found, candidate{obj: fn, sig: fn.Signature(), owner: obj.Type()})
				}
			}
		}
	}
	return slices.DeleteFunc(found, func(c candidate) bool { return !c.obj.Exported() || c.sig.TypeParams().Len() > 0 })
}

// instantiated is a candidate with the type arguments that make it one for the connection type, if it is generic.
func (r *resolver) instantiated(c candidate) candidate {
	c = c.of(r.handle())
	params := c.sig.TypeParams()
	if params.Len() == 0 || r.conn.TypeArgs().Len() == 0 {
		return c
	}
	inferred := map[*types.TypeParam]types.Type{}
	for _, tuple := range []*types.Tuple{c.sig.Results(), c.sig.Params()} {
		for v := range tuple.Variables() {
			unify(deref(v.Type()), r.conn, inferred)
		}
	}
	var args []types.Type
	for param := range params.TypeParams() {
		if inferred[param] == nil {
			return c
		}
		args = append(args, inferred[param])
	}
	if t, err := types.Instantiate(nil, c.sig, args, false); err == nil {
		c.sig, c.args = t.(*types.Signature), args
	}
	return c
}

// of is a method with the type arguments that it has as one of an instance, if it is.
func (c candidate) of(instance types.Type) candidate {
	if c.sig.RecvTypeParams().Len() > 0 {
		obj, _, _ := types.LookupFieldOrMethod(instance, true, c.obj.Pkg(), c.name())
		if method, ok := obj.(*types.Func); ok && method.Origin() == c.obj {
			c.obj, c.sig = method, method.Signature()
		}
	}
	return c
}

// unify finds out what the type parameters in a pattern have to be for it to be the type t.
func unify(pattern, t types.Type, inferred map[*types.TypeParam]types.Type) {
	switch p := types.Unalias(pattern).(type) {
	case *types.TypeParam:
		if inferred[p] == nil {
			inferred[p] = t
		}
	case *types.Pointer:
		if t, ok := types.Unalias(t).(*types.Pointer); ok {
			unify(p.Elem(), t.Elem(), inferred)
		}
	case *types.Slice:
		if t, ok := types.Unalias(t).(*types.Slice); ok {
			unify(p.Elem(), t.Elem(), inferred)
		}
	case *types.Map:
		if t, ok := types.Unalias(t).(*types.Map); ok {
			unify(p.Key(), t.Key(), inferred)
			unify(p.Elem(), t.Elem(), inferred)
		}
	case *types.Named:
		t, ok := types.Unalias(t).(*types.Named)
		if !ok || p.Origin() != t.Origin() || p.TypeArgs().Len() != t.TypeArgs().Len() { // as in what does not compile
			return
		}
		for i := range p.TypeArgs().Len() {
			unify(p.TypeArgs().At(i), t.TypeArgs().At(i), inferred)
		}
	}
}

// foreign reports whether another package declares a method of the connection.
func (r *resolver) foreign(c candidate) bool {
	_, function := c.obj.(*types.Func)
	return function && c.obj.Pkg() != r.types
}

// receiver is the type that a method belongs to, or nil.
func (r *resolver) receiver(c candidate) *types.Named {
	named, _ := types.Unalias(deref(c.receiverType())).(*types.Named)
	return named
}

// isMethod reports whether a function is a method of the connection type. One of a type that it embeds is
// too, but does not create more than that.
func (r *resolver) isMethod(kind Kind, c candidate) bool {
	if recv := r.receiver(c); recv != nil && types.Identical(recv, r.conn) {
		return true
	}
	if kind == Create || c.sig.Recv() == nil {
		return false
	}
	obj, _, _ := types.LookupFieldOrMethod(r.handle(), true, r.types, c.name())
	return obj == c.obj
}

// concerns reports whether a function has to do with the connection type: it is a method of it, takes it
// or, being a create, returns it. One that tells fatal errors may look at nothing but those, if it is nobody
// else's method than the pool context's.
func (r *resolver) concerns(kind Kind, c candidate) bool {
	if r.isMethod(kind, c) {
		return true
	}
	if recv := c.sig.Recv(); kind == IsFatal && (recv == nil || r.context == nil || types.Identical(recv.Type(), r.context)) {
		return true
	}
	tuple := c.sig.Params()
	if kind == Create {
		tuple = c.sig.Results()
	}
	for v := range tuple.Variables() {
		if r.isConn(v.Type()) {
			return true
		}
	}
	return false
}

// isConn reports whether t is the connection type or a pointer to it; of an interface there are no pointers.
func (r *resolver) isConn(t types.Type) bool {
	if types.IsInterface(r.conn) {
		return types.Identical(t, r.conn)
	}
	return types.Identical(deref(t), r.conn)
}

// handle is the type by which the pool knows a connection.
func (r *resolver) handle() types.Type { return handleOf(r.conn) }

// handleOf is the type that has all methods of t: a pointer to it, unless it is an interface.
func handleOf(t types.Type) types.Type {
	if types.IsInterface(t) {
		return t
	}
	return types.NewPointer(t)
}

// pointer is handle as the user writes it.
func (r *resolver) pointer() string {
	if types.IsInterface(r.conn) {
		return r.readable(r.typ)
	}
	return "*" + r.readable(r.typ)
}

func deref(t types.Type) types.Type {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}

// display is how a function is called in a message.
func (r *resolver) display(c candidate) string {
	name := c.name()
	recv := r.receiver(c)
	if recv != nil {
		name = recv.Obj().Name() + "." + name
	}
	if pkg := c.obj.Pkg(); pkg != nil && pkg != r.types {
		name = pkg.Name() + "." + name
	}
	return name
}

// flagName is how a flag names a function.
func (r *resolver) flagName(c candidate) string {
	pkg := c.obj.Pkg()
	if pkg == r.types {
		return c.name()
	}
	ref := reference{Path: pkg.Path(), Name: c.name()}
	if recv := r.receiver(c); recv != nil {
		ref.Type = recv.Obj().Name()
	}
	if name := r.qualifier(pkg); r.importPath(name) == pkg.Path() {
		ref.Path = name
	}
	return ref.String()
}
