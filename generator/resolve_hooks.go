package generator

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"
)

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
		return []candidate{r.instantiated(c)}, nil
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
		if r.foreign(c) && r.isMethod(Create, c) || r.generated(c.obj) {
			continue // it creates nothing, whatever it returns
		}
		_, err := r.signature(Create, c)
		creates := r.concerns(Create, c)
		alike := slices.ContainsFunc(looked, func(name string) bool {
			return creates && distance(strings.ToLower(name), strings.ToLower(c.name())) <= 2 || strings.EqualFold(name, c.name())
		})
		switch {
		case err == nil && creates:
			near = append(near, fmt.Sprintf("%s (%s), to be named with -create=%s", r.display(c), r.where(c.obj.Pos()), r.flagName(c)))
		case alike:
			what := fmt.Sprintf("%s (%s), which is func%s", r.display(c), r.where(c.obj.Pos()), r.printed(c))
			if wrong := (misfit{}); errors.As(err, &wrong) {
				if what += ": " + wrong.why; wrong.wraps {
					what += "; " + r.wrapping(Create, c) + "\n"
				}
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
