package generator

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// wrapper is the text of a function that makes a hook of one that can't be any, to be pasted into the package. What
// the pool can't know has its zero value there.
func (r *resolver) wrapper(kind Kind, c candidate) string {
	return strings.ReplaceAll("\t"+r.wrapperFor(kind, c, r.stems()[0], nil), "\n", "\n\t")
}

// config is a type made up for the pool context: its fields are what a wrapper's callee takes and the pool can't know.
type config struct {
	name   string
	fields []field
}

type field struct{ name, typ string }

// add adds a field, and returns it as an expression.
func (c *config) add(name, typ string) string {
	name = upperFirst(name)
	for slices.ContainsFunc(c.fields, func(f field) bool { return f.name == name }) {
		name += "2"
	}
	c.fields = append(c.fields, field{name, typ})
	return "cfg." + name
}

// wrapperFor is a wrapper for connections that its name calls by stem. A create may get what the pool can't know
// from a configuration.
func (r *resolver) wrapperFor(kind Kind, c candidate, stem string, cfg *config) string {
	var params, args []string
	if conventions[kind].context && (cfg == nil && r.foreign(c) || takesContext(c.sig)) {
		params = append(params, "ctx context.Context")
	}
	if kind != Create {
		params = append(params, "c "+r.pointer())
	}
	callee := r.callable(c)
	if recv := c.sig.Recv(); recv != nil {
		callee = "c." + c.name()
		if !r.isMethod(kind, c) {
			owner, typ := lowerFirst(r.receiver(c).Obj().Name()), r.readable(r.contextOf(c))
			if cfg != nil {
				// Dialers are of use as they are, most other types are not.
				owner = cfg.add(owner, strings.TrimPrefix(typ, map[bool]string{true: "*"}[strings.HasSuffix(typ, "Dialer")]))
			} else {
				params = append(params, owner+" "+typ)
			}
			callee = owner + "." + c.name()
		}
	}
	pooled := slices.ContainsFunc(params, func(p string) bool { return !strings.HasPrefix(p, "ctx ") }) // the pool context is taken
	for i := range c.sig.Params().Len() {
		v := c.sig.Params().At(i)
		name, typ := v.Name(), r.readable(v.Type())
		if name == "" || name == "_" || name == "c" || name == "ctx" {
			name = fmt.Sprintf("arg%d", i)
		}
		role, problem := r.role(kind, v.Type())
		switch {
		case c.sig.Variadic() && i == c.sig.Params().Len()-1:
		case problem == "" && role == ContextContext && conventions[kind].context:
			args = append(args, "ctx")
		case problem == "" && role == ConnPointer && kind != Create:
			args = append(args, "c")
		case kind == Create && cfg != nil:
			args = append(args, cfg.add(name, typ))
		case problem == "" && role == PoolContext && kind == Create && !pooled && r.hidden(v.Type()) == "":
			pooled, params, args = true, append(params, name+" "+typ), append(args, name)
		default:
			args = append(args, fmt.Sprintf("%s /* %s %s */", r.zero(v.Type(), typ), name, typ))
		}
	}
	if cfg != nil && len(cfg.fields) > 0 {
		params = append(params, "cfg *"+cfg.name)
	}
	body, result := r.wrapped(kind, c, fmt.Sprintf("%s(%s)", callee, strings.Join(args, ", ")))
	name := lowerFirst(strings.TrimSuffix(conventions[kind].functions[0], "T")) + stem
	if cfg == nil && r.types.Scope().Lookup(name) != nil {
		name += "ForPool"
	}
	text := fmt.Sprintf("func %s(%s) %s{\n\t%s\n}", name, strings.Join(params, ", "), result, body)
	if kind != Create || cfg == nil && !r.foreign(c) {
		text = fmt.Sprintf("//poolgen:%s\n%s", kind, text) // or it would be one of two that have the name
	}
	return text
}

// readable is a type as a file of the package would write it.
func (r *resolver) readable(t types.Type) string { return types.TypeString(t, r.qualifier) }

// qualifier is the name by which the files of the package refer to another one.
func (r *resolver) qualifier(pkg *types.Package) string {
	if pkg == r.types {
		return ""
	}
	for _, file := range r.files {
		if name := nameOf(file, pkg.Path()); name != "" {
			return name
		}
	}
	if n := r.declared[pkg.Path()]; n != nil && n.name != "" {
		return n.name
	}
	return pkg.Name()
}

// callable is a function as a file of the package would write it.
func (r *resolver) callable(c candidate) string {
	if qualifier := r.qualifier(c.obj.Pkg()); qualifier != "" {
		return qualifier + "." + c.name()
	}
	return c.name()
}

// wrapped is the body of a wrapper around a call, and what the wrapper returns.
func (r *resolver) wrapped(kind Kind, c candidate, call string) (body, result string) {
	if result, exact := r.exactResult(kind, c); exact {
		return "return " + call, result
	}
	fails, answers := returnsPredeclared(c, "error"), returnsPredeclared(c, "bool")
	hook := conventions[kind].results
	asked := slices.Contains(hook, Bool) && (answers && !fails || kind.asks())
	var left []string
	made := "nil"
	for v := range c.sig.Results().Variables() {
		name := "_"
		switch {
		case isPredeclared(v.Type(), "error") && (kind == Create || !asked || !answers):
			name = "err"
		case kind == Create && r.isConn(v.Type()):
			if name, made = "conn", "conn"; types.Identical(v.Type(), r.conn) && !types.IsInterface(r.conn) {
				made = "&conn"
			}
		case asked && isPredeclared(v.Type(), "bool"):
			name = "ok"
		}
		left = append(left, name)
	}
	later := failure(c.sig.Results())
	switch {
	case kind == Create:
		failed := "nil"
		if fails {
			failed = "err"
		}
		return assigned(left, call) + "\n\treturn " + made + ", " + failed, fmt.Sprintf("(%s, error) ", r.pointer())
	case asked && answers:
		return assigned(left, call) + "\n\treturn ok", "bool "
	case asked && fails:
		return assigned(left, call) + "\n\treturn err != nil", "bool "
	case asked:
		return assigned(left, call) + fmt.Sprintf("\n\treturn %t", kind == NeedsCheck), "bool "
	case fails:
		return assigned(left, call) + "\n\treturn err", "error "
	case later != "":
		return "return " + call + "." + later + "()", "error "
	case slices.Contains(hook, Err):
		return assigned(left, call) + "\n\treturn nil", "error "
	}
	return assigned(left, call), ""
}

// assigned is a call whose results go to variables.
func assigned(left []string, call string) string {
	assign := " = "
	if slices.ContainsFunc(left, func(name string) bool { return name != "_" }) {
		assign = " := "
	}
	if len(left) == 0 {
		return call
	}
	return strings.Join(left, ", ") + assign + call
}

func isPredeclared(t types.Type, name string) bool {
	return types.Identical(t, types.Universe.Lookup(name).Type())
}

// returnsPredeclared reports whether a result of a function is of the predeclared type.
func returnsPredeclared(c candidate, name string) bool {
	for v := range c.sig.Results().Variables() {
		if isPredeclared(v.Type(), name) {
			return true
		}
	}
	return false
}

// failure is the method of a call's only result that waits for the outcome, or tells the error, as futures and commands
// have it. It is "" if there is none.
func failure(results *types.Tuple) string {
	if results.Len() != 1 || isPredeclared(results.At(0).Type(), "error") {
		return ""
	}
	for _, name := range []string{"Wait", "Err"} {
		obj, _, _ := types.LookupFieldOrMethod(results.At(0).Type(), true, nil, name)
		if method, ok := obj.(*types.Func); ok && method.Signature().Params().Len() == 0 && method.Signature().Results().Len() == 1 &&
			isPredeclared(method.Signature().Results().At(0).Type(), "error") {
			return name
		}
	}
	return ""
}

// exactResult is what a wrapper returns if that is just what its callee does.
func (r *resolver) exactResult(kind Kind, c candidate) (result string, exact bool) {
	var list []string
	for v := range c.sig.Results().Variables() {
		list = append(list, r.readable(v.Type()))
	}
	last := len(list) - 1
	switch {
	case last < 0 || list[last] != "error":
		return "", false
	case kind == Create && last == 1 && r.isConn(c.sig.Results().At(0).Type()):
		return "(" + strings.Join(list, ", ") + ") ", true
	case kind != Create && last == 0 && slices.Contains(conventions[kind].results, Err):
		return "error ", true
	}
	return "", false
}

// zero is the zero value of a type, of which there may be nothing but the name.
func (r *resolver) zero(t types.Type, name string) string {
	if named, ok := types.Unalias(t).(*types.Named); ok {
		if pkg := named.Obj().Pkg(); pkg != nil && pkg != r.types && r.neighbour(pkg.Path()) == nil {
			return "*new(" + name + ")"
		}
	}
	switch under := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case under.Info()&types.IsBoolean != 0:
			return "false"
		case under.Info()&types.IsString != 0:
			return `""`
		case under.Info()&types.IsNumeric != 0:
			return "0"
		}
	case *types.Struct, *types.Array:
		return name + "{}"
	}
	return "nil"
}
