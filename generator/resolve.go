package generator

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// resolver finds the hooks of one connection type.
type resolver struct {
	*Package
	request Request
	ref     reference  // to the connection type
	typ     types.Type // the connection type as it is named: the same as conn, or an alias of it
	conn    *types.Named
	context types.Type  // the pool context, once a hook has shown it
	shown   *candidate  // the hook that did
	all     []candidate // see candidates
	result  *Connection
}

// resolve finds out what the request's type offers to a pool.
func resolve(pkg *Package, request Request) (*Connection, error) {
	r, err := newResolver(pkg, request)
	if err != nil {
		return nil, err
	}
	return r.resolve()
}

// newResolver is a resolver that has found the request's type.
func newResolver(pkg *Package, request Request) (*resolver, error) {
	r := &resolver{Package: pkg, request: request}
	r.ref, _ = parseReference(request.Type)
	return r, r.findType()
}

// resolve finds out what the type offers to a pool.
func (r *resolver) resolve() (*Connection, error) {
	pkg, request := r.Package, r.request
	c := &Connection{
		Package:   pkg.Name,
		Tests:     pkg.tests,
		Interface: types.IsInterface(r.conn),
		Hooks:     map[Kind]*Hook{},
		Taken:     map[string]token.Position{},
		Pos:       pkg.position(r.conn.Obj().Pos()),
	}
	for _, name := range pkg.types.Scope().Names() {
		c.Taken[name] = pkg.position(pkg.types.Scope().Lookup(name).Pos())
	}
	r.result = c
	c.Type = r.source(r.typ)
	if r.ref.local() {
		c.Condition = pkg.conditionOf(r.ref.Name, pkg.ignored)
	}
	if err := pkg.misspelt(); err != nil {
		return nil, err
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
	if farewell := c.Hooks[BeforeClose]; farewell != nil && c.Hooks[Close] == nil && !c.Hooks[Create].Cleanup {
		return nil, at(farewell.Pos, "%s has %s but no close hook: looked for %s; name one with -close=F, or switch this one off with -before-close=none",
			request.Type, farewell.Name, strings.Join(conventions[Close].methods, ", "))
	}
	for _, kind := range Kinds {
		if h := c.Hooks[kind]; h != nil && !h.Method && !h.OfContext {
			h.Call = r.call(h.candidate)
		}
	}
	c.ByValue = r.byValue(c)
	r.describeContext(c)
	if err := r.observer(c); err != nil {
		return nil, err
	}
	if err := r.keys(c); err != nil {
		return nil, err
	}
	c.Absent = r.absent(c)
	c.Notes = r.notes(c)
	return c, nil
}

// byValue reports whether connections are values: create returns one that may be copied, and no hook or method asks for a
// pointer. What has a cleanup or is looked at after its create is told apart by its pointer.
func (r *resolver) byValue(c *Connection) bool {
	create := c.Hooks[Create]
	if !create.Value || create.Cleanup || c.Hooks[AfterCreate] != nil || hasPointerMethods(r.conn) || holdsLock(r.conn) {
		return false
	}
	for _, h := range c.Hooks {
		if h.takes(ConnPointer) {
			return false
		}
	}
	return true
}

func hasPointerMethods(t types.Type) bool {
	return types.NewMethodSet(t).Len() != types.NewMethodSet(types.NewPointer(t)).Len()
}

// holdsLock reports whether go vet would not have values of the type copied. Of other packages, it knows sync and sync/atomic.
func holdsLock(t types.Type) bool {
	if named, ok := types.Unalias(t).(*types.Named); ok && named.Obj().Pkg() != nil {
		switch named.Obj().Pkg().Path() {
		case "sync", "sync/atomic":
			return named.Obj().Name() != "Locker"
		}
		lock, _, _ := types.LookupFieldOrMethod(types.NewPointer(t), true, named.Obj().Pkg(), "Lock")
		if _, ok := lock.(*types.Func); ok && hasPointerMethods(t) {
			return true
		}
	}
	switch under := t.Underlying().(type) {
	case *types.Array:
		return holdsLock(under.Elem())
	case *types.Struct:
		for field := range under.Fields() {
			if holdsLock(field.Type()) {
				return true
			}
		}
	}
	return false
}

// notes are what the user should know of a pool that is fine otherwise.
func (r *resolver) notes(c *Connection) []error {
	var notes []error
	if c.Interface {
		notes = append(notes, at(c.Pos, "note: %s is an interface: calls of its methods stay dynamic", r.request.Type))
	}
	for _, kind := range Kinds[1:] {
		if c.Hooks[kind] == nil && r.request.Hooks[kind] == "" {
			notes = append(notes, r.misnamed(kind)...)
		}
	}
	for _, kind := range Kinds {
		if h := c.Hooks[kind]; h != nil && h.Variable {
			notes = append(notes, at(h.Pos, "note: %s is a variable: the pool calls whatever function it holds at the time, and the call can't be inlined", h.Name))
		}
	}
	return notes
}

// misnamed are the methods of a foreign type that are called as a hook of the kind is, and can't be it.
func (r *resolver) misnamed(kind Kind) []error {
	var notes []error
	for _, c := range r.candidates() {
		if slices.Contains(conventions[kind].methods, c.name()) && r.foreign(c) && r.isMethod(kind, c) {
			if _, err := r.signature(kind, c); err != nil {
				notes = append(notes, fmt.Errorf("note: %w", err))
			}
		}
	}
	return notes
}
