package generator

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// resolver finds the hooks of one connection type.
type resolver struct {
	*Package
	request Request
	conn    *types.Named
	context types.Type // the pool context, once a hook has shown it
	shown   *candidate // the hook that did
}

// candidate is a function or method that may be a hook.
type candidate struct {
	fn   *types.Func
	decl *ast.FuncDecl
	file *ast.File
}

// resolve finds out what the request's type offers to a pool.
func resolve(pkg *Package, request Request) (*Connection, error) {
	r := &resolver{Package: pkg, request: request}
	if err := r.findType(); err != nil {
		return nil, err
	}
	c := &Connection{
		Package: pkg.Name,
		Type:    request.Type,
		Hooks:   map[Kind]*Hook{},
		Taken:   map[string]token.Position{},
		Pos:     pkg.position(r.conn.Obj().Pos()),
	}
	var errs []error
	for _, kind := range Kinds {
		hook, err := r.hook(kind)
		if err != nil {
			errs = append(errs, err)
		} else if hook != nil {
			c.Hooks[kind] = hook
		}
	}
	if len(errs) > 0 {
		return nil, joined(errs)
	}
	if c.Hooks[NeedsCheck] != nil && c.Hooks[Check] == nil {
		need := c.Hooks[NeedsCheck]
		return nil, at(need.Pos, "%s has %s but no health check: looked for %s; name one with -check=F, or switch this one off with -needs-check=none",
			request.Type, need.Name, strings.Join(conventions[Check].methods, ", "))
	}
	if farewell := c.Hooks[BeforeClose]; farewell != nil && c.Hooks[Close] == nil {
		return nil, at(farewell.Pos, "%s has %s but no close hook: looked for %s; name one with -close=F, or switch this one off with -before-close=none",
			request.Type, farewell.Name, strings.Join(conventions[Close].methods, ", "))
	}
	r.describeContext(c)
	if err := r.observer(c); err != nil {
		return nil, err
	}
	if err := r.keys(c); err != nil {
		return nil, err
	}
	c.Absent = r.absent(c)
	for _, name := range pkg.types.Scope().Names() {
		c.Taken[name] = pkg.position(pkg.types.Scope().Lookup(name).Pos())
	}
	return c, nil
}

// findType finds the connection type.
func (r *resolver) findType() error {
	name := r.request.Type
	obj := r.types.Scope().Lookup(name)
	typ, ok := obj.(*types.TypeName)
	if !ok && obj != nil {
		return at(r.position(obj.Pos()), "%s is not a type: give -type the name of the connection type; %s", name, r.typesLike(name))
	} else if !ok {
		return fmt.Errorf("%s: no type %s in package %s: %s", relative(r.Dir), name, r.Name, r.typesLike(name))
	}
	named, ok := types.Unalias(typ.Type()).(*types.Named)
	if !ok || named.Obj() != typ {
		return at(r.position(typ.Pos()), "%s is an alias: give -type the name of a type that this package defines", name)
	}
	if named.TypeParams().Len() > 0 {
		return at(r.position(typ.Pos()), "%s is generic: define a type for the instance that is to be pooled, and name that", name)
	}
	switch named.Underlying().(type) {
	case *types.Interface, *types.Pointer:
		return at(r.position(typ.Pos()), "%s is neither a struct nor another concrete type: name the type of the connection itself", name)
	}
	r.conn = named
	return nil
}

// typesLike says which types there are, where there is none with the given name.
func (r *resolver) typesLike(name string) string {
	var names []string
	for _, other := range r.types.Scope().Names() {
		if _, ok := r.types.Scope().Lookup(other).(*types.TypeName); ok {
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

// convention is how the hooks of a kind are called, in order of precedence, and what they may look like. A method
// and a function at the same index are of the same rank.
type convention struct {
	methods   []string // of the connection type
	functions []string // and of the pool context; T stands for the connection type
	context   bool     // they may take a context.Context: somebody waits for them, or bounds their time
	results   []Result // one of which they return; create has its own
}

var conventions = map[Kind]convention{
	Create:     {[]string{"Create"}, []string{"NewT", "DialT", "OpenT", "ConnectT", "CreateT"}, true, nil},
	NeedsCheck: {[]string{"NeedsHealthCheck"}, []string{"NeedsHealthCheckT"}, false, []Result{Bool}},
	Check:      {[]string{"HealthCheck", "Ping"}, []string{"HealthCheckT", "PingT"}, true, []Result{Err, Bool}},
	Close:      {[]string{"Close"}, []string{"CloseT"}, true, []Result{Err, Nothing}},
	Reset:      {[]string{"Reset"}, []string{"ResetT"}, true, []Result{Err, Nothing}},
	Broken:     {[]string{"Broken", "IsClosed"}, []string{"BrokenT", "IsClosedT"}, false, []Result{Bool}},

	AfterCreate:   {[]string{"AfterCreate"}, []string{"AfterCreateT"}, true, []Result{Err, Bool, Nothing}},
	BeforeAcquire: {[]string{"BeforeAcquire"}, []string{"BeforeAcquireT"}, true, []Result{Err, Bool, Nothing}},
	AfterRelease:  {[]string{"AfterRelease"}, []string{"AfterReleaseT"}, false, []Result{Err, Bool, Nothing}},
	BeforeClose:   {[]string{"BeforeClose"}, []string{"BeforeCloseT"}, false, []Result{Nothing}},
	IsFatal:       {[]string{"IsFatal"}, []string{"IsFatalT"}, false, []Result{Bool}},
}

// asks reports whether hooks of the kind are asked a question, so that a call of one is an expression.
func (k Kind) asks() bool { return slices.Equal(conventions[k].results, []Result{Bool}) }

// hook finds the hook of a kind: the one that is named by flag, else the one with a directive, else the
// one that is called by convention. It returns nil if there is none.
func (r *resolver) hook(kind Kind) (*Hook, error) {
	if name := r.request.Hooks[kind]; name == none {
		if kind == Create {
			return nil, fmt.Errorf("-create=none: a pool can't do without create")
		}
		return nil, nil
	} else if name != "" {
		return r.named(kind, name)
	}
	if marked := r.marked(kind); len(marked) > 0 {
		return r.only(kind, marked, fmt.Sprintf("both have the directive //poolgen:%s", kind))
	}
	for _, found := range r.ranks(kind) {
		if len(found) > 0 {
			return r.only(kind, found, fmt.Sprintf("both are called as the %s hook is", kind))
		}
	}
	if kind == Create {
		return nil, r.noCreate()
	}
	return nil, nil
}

// named finds the hook that a flag names.
func (r *resolver) named(kind Kind, name string) (*Hook, error) {
	var found []candidate
	for _, c := range r.candidates() {
		if c.fn.Name() == name && r.concerns(kind, c) {
			found = append(found, c)
		}
	}
	if len(found) == 0 {
		for _, c := range r.candidates() {
			if c.fn.Name() == name {
				h, err := r.signature(kind, c)
				if err != nil {
					return nil, err
				}
				return r.use(h, c) // which says what is wrong
			}
		}
		var names []string
		for _, c := range r.candidates() {
			names = append(names, c.fn.Name())
		}
		hint := ""
		if near := nearest(name, names); near != "" {
			hint = "; did you mean " + near + "?"
		}
		return nil, at(r.position(r.conn.Obj().Pos()), "-%s=%s: no function or method %s that has to do with %s%s", kind, name, name, r.request.Type, hint)
	}
	return r.only(kind, found, "both have the name that the flag gives")
}

// marked are the functions with the directive for a kind that concern the connection type.
func (r *resolver) marked(kind Kind) []candidate {
	var found []candidate
	for _, c := range r.candidates() {
		if hasDirective(c.decl.Doc, kind) && r.concerns(kind, c) {
			found = append(found, c)
		}
	}
	return found
}

func hasDirective(doc *ast.CommentGroup, kind Kind) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool {
		return strings.TrimSpace(c.Text) == "//poolgen:"+string(kind)
	})
}

// ranks are the functions that are called as a hook of the kind is by convention, the first choice first.
func (r *resolver) ranks(kind Kind) [][]candidate {
	names := conventions[kind]
	var ranks [][]candidate
	if kind == Create {
		// All names of create have the same rank, and one whose signature is another is none.
		all := append(slices.Clone(names.functions), "Create")
		return append(ranks, slices.DeleteFunc(r.called(kind, all...), func(c candidate) bool {
			_, err := r.signature(kind, c)
			return err != nil
		}))
	}
	for i := range names.methods {
		ranks = append(ranks, r.called(kind, names.methods[i], names.functions[i]))
	}
	return ranks
}

// called are the functions with one of these names that concern the connection type. A name that ends
// in T is that of a function or of a method of the pool context, in either case of its first letter.
func (r *resolver) called(kind Kind, names ...string) []candidate {
	var found []candidate
	for _, c := range r.candidates() {
		for _, name := range names {
			fits := c.fn.Name() == name && r.isMethod(kind, c)
			if stem, ok := strings.CutSuffix(name, "T"); ok {
				full := stem + upperFirst(r.request.Type)
				fits = !r.isMethod(kind, c) && (c.fn.Name() == full || c.fn.Name() == lowerFirst(full))
			}
			if fits && r.concerns(kind, c) {
				found = append(found, c)
			}
		}
	}
	return found
}

// only returns the hook that the one candidate is.
func (r *resolver) only(kind Kind, found []candidate, what string) (*Hook, error) {
	if len(found) > 1 {
		var list []string
		for _, c := range found {
			list = append(list, fmt.Sprintf("%s (%s)", r.display(c), r.where(c.fn.Pos())))
		}
		return nil, at(r.position(found[0].fn.Pos()), "%s %s: name the one for %s with -%s=F or //poolgen:%s",
			strings.Join(list, " and "), what, r.request.Type, kind, kind)
	}
	h, err := r.signature(kind, found[0])
	if err != nil {
		return nil, err
	}
	h.Returns = kind == NeedsCheck && r.returns(h, found[0])
	return r.use(h, found[0])
}

// candidates are all functions and methods that the package declares.
func (r *resolver) candidates() []candidate {
	var all []candidate
	for _, file := range r.files {
		for _, decl := range file.Decls {
			if decl, ok := decl.(*ast.FuncDecl); ok {
				if fn, ok := r.info.Defs[decl.Name].(*types.Func); ok {
					all = append(all, candidate{fn, decl, file})
				}
			}
		}
	}
	return all
}

// receiver is the type that a method belongs to, or nil.
func (r *resolver) receiver(c candidate) *types.Named {
	recv := c.fn.Signature().Recv()
	if recv == nil {
		return nil
	}
	named, _ := types.Unalias(deref(recv.Type())).(*types.Named)
	return named
}

// isMethod reports whether a function is a method of the connection type. One of a type that it embeds is
// too, but does not create more than that.
func (r *resolver) isMethod(kind Kind, c candidate) bool {
	if r.receiver(c) == r.conn {
		return true
	}
	obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(r.conn), true, r.types, c.fn.Name())
	return kind != Create && obj == c.fn
}

// concerns reports whether a function has to do with the connection type: it is a method of it, takes it
// or, being a create, returns it. One that tells fatal errors may look at nothing but those, if it is nobody
// else's method than the pool context's.
func (r *resolver) concerns(kind Kind, c candidate) bool {
	if r.isMethod(kind, c) {
		return true
	}
	if recv := c.fn.Signature().Recv(); kind == IsFatal && (recv == nil || r.context == nil || types.Identical(recv.Type(), r.context)) {
		return true
	}
	tuple := c.fn.Signature().Params()
	if kind == Create {
		tuple = c.fn.Signature().Results()
	}
	for v := range tuple.Variables() {
		if r.isConn(v.Type()) {
			return true
		}
	}
	return false
}

func (r *resolver) isConn(t types.Type) bool { return types.Identical(deref(t), r.conn) }

func deref(t types.Type) types.Type {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}

// display is how a function is called in a message.
func (r *resolver) display(c candidate) string {
	if recv := r.receiver(c); recv != nil {
		return recv.Obj().Name() + "." + c.fn.Name()
	}
	return c.fn.Name()
}

// noCreate is the error if there is no create, with what comes near.
func (r *resolver) noCreate() error {
	t := upperFirst(r.request.Type)
	var looked, near []string
	for _, name := range conventions[Create].functions {
		looked = append(looked, strings.TrimSuffix(name, "T")+t)
	}
	for _, c := range r.candidates() {
		_, err := r.signature(Create, c)
		alike := slices.ContainsFunc(looked, func(name string) bool {
			return distance(strings.ToLower(name), strings.ToLower(c.fn.Name())) <= 2
		})
		switch {
		case err == nil && r.concerns(Create, c):
			near = append(near, fmt.Sprintf("%s (%s), to be named with -create=%s", r.display(c), r.where(c.fn.Pos()), c.fn.Name()))
		case alike:
			near = append(near, fmt.Sprintf("%s (%s), which is func%s", r.display(c), r.where(c.fn.Pos()), r.printed(c)))
		}
	}
	hint := fmt.Sprintf("; write one, such as func New%s(ctx context.Context) (*%s, error)", t, r.request.Type)
	if len(near) > 0 {
		hint = "; found " + strings.Join(near, " and ")
	}
	return at(r.position(r.conn.Obj().Pos()), "%s has no create function: looked for %s in either case of the first letter, and for a method Create%s",
		r.request.Type, strings.Join(looked, ", "), hint)
}
