package generator

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
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

// byValue reports whether connections are values: create returns one, and no hook or method asks for a pointer. What has a
// cleanup or is looked at after its create is told apart by its pointer.
func (r *resolver) byValue(c *Connection) bool {
	create := c.Hooks[Create]
	if !create.Value || create.Cleanup || c.Hooks[AfterCreate] != nil || types.NewMethodSet(r.conn).Len() != types.NewMethodSet(types.NewPointer(r.conn)).Len() {
		return false
	}
	for _, h := range c.Hooks {
		if h.takes(ConnPointer) {
			return false
		}
	}
	return true
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

// findType finds the connection type.
func (r *resolver) findType() error {
	obj := r.lookup(r.ref)
	typ, ok := obj.(*types.TypeName)
	switch {
	case !r.ref.local() && !r.mayImport(r.importPath(r.ref.Path)):
		return r.unknown("type", r.request.Type, r.ref)
	case !ok && obj != nil:
		return at(r.position(obj.Pos()), "%s is not a type: give -type the name of the connection type; %s", r.request.Type, r.typesLike(r.ref))
	case !ok && !r.ref.local():
		return r.unknown("type", r.request.Type, r.ref)
	case !ok:
		return nothingThere{r.Dir, fmt.Sprintf("no type %s in package %s: %s", r.ref.Name, r.Name, r.typesLike(r.ref))}
	}
	pos := r.position(typ.Pos())
	r.typ = typ.Type()
	if r.ref.Args != "" || openParams(r.typ).Len() > 0 {
		instance, err := r.instance(typ)
		if err != nil {
			return err
		}
		r.typ = instance
	}
	r.conn, ok = types.Unalias(r.typ).(*types.Named)
	if !ok || r.conn.Obj().Pkg() == nil {
		return at(pos, "%s is an alias of %s, which has no name of its own: define a type for the connection, and name that", r.request.Type, r.typeString(types.Unalias(r.typ)))
	}
	if err := r.satisfied(pos); err != nil {
		return err
	}
	switch under := r.conn.Underlying().(type) {
	case *types.Pointer:
		return at(pos, "%s is neither a struct nor another concrete type: name the type of the connection itself", r.request.Type)
	case *types.Interface:
		if !under.IsMethodSet() {
			return at(pos, "%s is a constraint, not the type of a connection", r.request.Type)
		}
	}
	if pkg := r.conn.Obj().Pkg(); pkg != r.types && r.declared[pkg.Path()].err != nil && r.neighbour(pkg.Path()) == nil {
		return at(pos, "%s is a type of %s, which can't be read: %w", r.request.Type, pkg.Path(), r.declared[pkg.Path()].err)
	}
	return nil
}

// openParams are those of a type that is generic and not instantiated.
func openParams(t types.Type) *types.TypeParamList {
	switch t := t.(type) {
	case *types.Alias:
		if t.TypeArgs().Len() == 0 {
			return t.TypeParams()
		}
	case *types.Named:
		if t.TypeArgs().Len() == 0 {
			return t.TypeParams()
		}
	}
	return nil
}

// instance is the instance of a generic type that the request names. Its arguments are types that this package
// declares or that a file of it can name.
func (r *resolver) instance(typ *types.TypeName) (types.Type, error) {
	pos := r.position(typ.Pos())
	params := openParams(typ.Type())
	switch {
	case params.Len() == 0:
		return nil, at(pos, "%s is not generic: give -type=%s", r.ref.Name, typ.Name())
	case r.ref.Args == "":
		return nil, at(pos, "%s is generic: give its type arguments, as in -type='%s[%s]', or define a type for the instance that is to be pooled, and name that",
			r.request.Type, r.request.Type, strings.Repeat("string,", params.Len()-1)+"string")
	}
	var args []types.Type
	for _, arg := range SplitNames(r.ref.Args) {
		t := r.typeOf(arg)
		if t == nil {
			return nil, at(pos, "-type=%s: no file of package %s can name the type %s; declare it, or use its package in the file that declares %s", r.request.Type, r.Name, arg, r.ref.Name)
		}
		args = append(args, t)
	}
	if len(args) != params.Len() {
		return nil, at(pos, "-type=%s: %s takes %d type arguments, not %d", r.request.Type, r.ref.Name, params.Len(), len(args))
	}
	instance, err := types.Instantiate(nil, typ.Type(), args, false)
	if err != nil {
		return nil, at(pos, "-type=%s: %w", r.request.Type, err)
	}
	return instance, nil
}

// unknown is the error for something of another package that is not there.
func (r *resolver) unknown(flag, value string, ref reference) error {
	path := r.importPath(ref.Path)
	n := r.declared[path]
	what := ref.Name
	if ref.Type != "" {
		what = ref.Type
	}
	switch {
	case !r.mayImport(path):
		return fmt.Errorf("-%s=%s: package %s is internal to another module or folder, so that this package can't use it", flag, value, path)
	case n != nil && n.err != nil && len(n.files) == 0 && path == ref.Path && !strings.Contains(path, "/"):
		whole := ref
		whole.Path = r.required(ref.Path)
		return fmt.Errorf("-%s=%s: no file of package %s imports %s, and there is no package of that path: give the whole path, as in -%s=%s",
			flag, value, r.Name, ref.Path, flag, whole)
	case n != nil && n.err != nil && len(n.files) == 0:
		why, _, _ := strings.Cut(n.err.Error(), "; to add it:") // which go list says of some
		return fmt.Errorf("-%s=%s: package %s can't be read: %s; to add it to the module: go get %s", flag, value, path, why, path)
	case !token.IsExported(what):
		return fmt.Errorf("-%s=%s: %s is not exported by package %s, so that this package can't use it", flag, value, what, path)
	}
	return fmt.Errorf("-%s=%s: package %s declares no %s%s", flag, value, path, what, didYouMean(what, r.exported(path)))
}

// mayImport reports whether the package may import another one: what is below a folder called internal, only those may
// that are below the folder of that.
func (p *Package) mayImport(path string) bool {
	parent, _, internal := strings.Cut("/"+path+"/", "/internal/")
	return !internal || strings.HasPrefix("/"+p.path+"/", parent+"/")
}

// required is the path of a package that the module requires and that may be called so, or else an example of one.
func (r *resolver) required(name string) string {
	for _, module := range requirements(r.Dir) {
		if guessName(module) == name {
			return module
		}
	}
	return "example.com/" + name
}

// requirements are the paths of the modules that the module with a folder requires.
func requirements(dir string) []string {
	var paths []string
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		for _, match := range requirement.FindAllSubmatch(text, -1) {
			paths = append(paths, string(match[1]))
		}
		if err == nil {
			break
		}
	}
	return paths
}

var requirement = regexp.MustCompile(`(?m)^\s*(?:require\s+)?([^\s/]+\.[^\s/]+/\S+) v\d`)

// exported are the exported names of another package.
func (r *resolver) exported(path string) []string {
	var names []string
	if pkg := r.neighbour(path); pkg != nil {
		names = slices.DeleteFunc(pkg.Scope().Names(), func(name string) bool { return !token.IsExported(name) })
	}
	return names
}

// didYouMean ends a message with the name that is most like the given one, if any is.
func didYouMean(name string, names []string) string {
	if near := nearest(name, names); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// typesLike says which types there are, where there is none with the given name.
func (r *resolver) typesLike(ref reference) string {
	name := ref.Name
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
		return r.only(kind, marked, fmt.Sprintf("both have the directive //poolgen:%s", kind), "directive //poolgen:"+string(kind))
	}
	for _, found := range r.ranks(kind) {
		if len(found) > 0 {
			return r.only(kind, found, fmt.Sprintf("both are called as the %s hook is", kind), "convention")
		}
	}
	if kind == Create {
		return nil, r.noCreate()
	}
	return nil, nil
}

// named finds the hook that a flag names.
func (r *resolver) named(kind Kind, name string) (*Hook, error) {
	ref, _ := parseReference(name)
	all, err := r.referred(kind, name, ref)
	if err != nil {
		return nil, err
	}
	var found []candidate
	for _, c := range all {
		if r.concerns(kind, c) {
			found = append(found, c)
		}
	}
	if len(found) == 0 && len(all) > 0 {
		h, err := r.signature(kind, all[0])
		if err != nil {
			return nil, err
		}
		return r.use(h, all[0]) // which says what is wrong
	}
	if len(found) == 0 {
		var names []string
		for _, c := range r.candidates() {
			names = append(names, c.name())
		}
		return nil, at(r.position(r.conn.Obj().Pos()), "-%s=%s: no function or method %s that has to do with %s%s", kind, name, name, r.request.Type, didYouMean(name, names))
	}
	return r.only(kind, found, "both have the name that the flag gives", "named by -"+string(kind))
}

// referred are the functions and methods that a reference may mean.
func (r *resolver) referred(kind Kind, name string, ref reference) ([]candidate, error) {
	if ref.Type == "" && (ref.local() || r.declaresType(ref.Path)) {
		return slices.DeleteFunc(slices.Clone(r.candidates()), func(c candidate) bool {
			return c.name() != ref.Name || !ref.local() && (r.receiver(c) == nil || r.receiver(c).Obj().Name() != ref.Path)
		}), nil
	}
	obj := r.lookup(reference{Path: ref.Path, Name: cmp.Or(ref.Type, ref.Name)})
	if typ, ok := obj.(*types.TypeName); ok && ref.Type != "" {
		method, _, _ := types.LookupFieldOrMethod(handleOf(typ.Type()), true, nil, ref.Name)
		if fn, ok := method.(*types.Func); ok && fn.Exported() {
			return []candidate{{obj: fn, sig: fn.Signature(), owner: typ.Type()}}, nil
		}
		return nil, fmt.Errorf("-%s=%s: %s has no exported method %s%s", kind, name, typ.Name(), ref.Name, didYouMean(ref.Name, methodNames(typ.Type())))
	}
	if c, ok := function(obj); ok && ref.Type == "" {
		return []candidate{c}, nil
	}
	if obj != nil {
		return nil, fmt.Errorf("-%s=%s: %s is not a function of package %s", kind, name, cmp.Or(ref.Type, ref.Name), obj.Pkg().Path())
	}
	return nil, r.unknown(string(kind), name, ref)
}

// marked are the functions with the directive for a kind that concern the connection type.
func (r *resolver) marked(kind Kind) []candidate {
	var found []candidate
	for _, c := range r.candidates() {
		if hasDirective(c.doc, kind) && r.concerns(kind, c) {
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
	for _, stem := range r.stems() {
		if kind == Create {
			// All names of create have the same rank, and one whose signature is another is none.
			all := append(slices.Clone(names.functions), "Create")
			ranks = append(ranks, slices.DeleteFunc(r.called(kind, stem, all...), func(c candidate) bool {
				_, err := r.signature(kind, c)
				return err != nil
			}))
			continue
		}
		for i := range names.methods {
			ranks = append(ranks, r.called(kind, stem, names.methods[i], names.functions[i]))
		}
	}
	return ranks
}

// stems are what T stands for in the names of functions: the name of the type, or else how the pool's names begin, or
// else the name of the type that it is an alias of.
func (r *resolver) stems() []string {
	var stems []string
	for _, stem := range []string{r.ref.Name, r.request.ownPrefix(), r.conn.Obj().Name()} {
		if stem = upperFirst(stem); !slices.Contains(stems, stem) {
			stems = append(stems, stem)
		}
	}
	return stems
}

// called are the functions with one of these names that concern the connection type. A name that ends
// in T is that of a function or of a method of the pool context, in either case of its first letter. A method of
// another package that can't be the hook only has its name by chance, unless it is Close.
func (r *resolver) called(kind Kind, stem string, names ...string) []candidate {
	var found []candidate
	for _, c := range r.candidates() {
		for _, name := range names {
			fits := r.isCalled(kind, c, stem, name)
			if fits && r.foreign(c) && kind != Close {
				_, err := r.signature(kind, c)
				fits = err == nil
			}
			if fits && r.concerns(kind, c) {
				found = append(found, c)
			}
		}
	}
	return found
}

// isCalled reports whether a function has a name that convention has for hooks of a kind.
func (r *resolver) isCalled(kind Kind, c candidate, stem, name string) bool {
	if verb, ok := strings.CutSuffix(name, "T"); ok {
		full := verb + stem
		return !r.isMethod(kind, c) && (c.name() == full || c.name() == lowerFirst(full))
	}
	return c.name() == name && r.isMethod(kind, c)
}

// only returns the hook that the one candidate is.
func (r *resolver) only(kind Kind, found []candidate, what, rule string) (*Hook, error) {
	if len(found) > 1 {
		var list []string
		for _, c := range found {
			list = append(list, fmt.Sprintf("%s (%s)", r.display(c), r.where(c.obj.Pos())))
		}
		return nil, at(r.position(found[0].obj.Pos()), "%s %s: name the one for %s with -%s=F or //poolgen:%s",
			strings.Join(list, " and "), what, r.request.Type, kind, kind)
	}
	h, err := r.signature(kind, found[0])
	if err != nil {
		return nil, err
	}
	h.Rule = rule
	h.Returns = kind == NeedsCheck && r.returns(h, found[0])
	return r.use(h, found[0])
}

// noCreate is the error if there is no create, with what comes near.
func (r *resolver) noCreate() error {
	t := r.stems()[0]
	var looked, near []string
	for _, name := range conventions[Create].functions {
		looked = append(looked, strings.TrimSuffix(name, "T")+t)
	}
	for _, c := range slices.Concat(r.candidates(), r.constructors()) {
		if r.foreign(c) && r.isMethod(Create, c) {
			continue // it creates nothing, whatever it returns
		}
		_, err := r.signature(Create, c)
		alike := slices.ContainsFunc(looked, func(name string) bool {
			return distance(strings.ToLower(name), strings.ToLower(c.name())) <= 2
		})
		switch {
		case err == nil && r.concerns(Create, c):
			near = append(near, fmt.Sprintf("%s (%s), to be named with -create=%s", r.display(c), r.where(c.obj.Pos()), r.flagName(c)))
		case alike:
			what := fmt.Sprintf("%s (%s), which is func%s", r.display(c), r.where(c.obj.Pos()), r.printed(c))
			if wrong := (misfit{}); errors.As(err, &wrong) && wrong.wraps {
				what += ": " + wrong.why + "; " + r.wrapping(Create, c) + "\n"
			}
			near = append(near, what)
		}
	}
	hint := fmt.Sprintf("; write one, such as func New%s(ctx context.Context) (%s, error)", t, r.pointer())
	if len(near) > 0 {
		hint = "; found " + strings.Join(near, " and ")
	}
	return at(r.position(r.conn.Obj().Pos()), "%s has no create function: looked for %s in either case of the first letter, and for a method Create%s",
		r.request.Type, strings.Join(looked, ", "), hint)
}
