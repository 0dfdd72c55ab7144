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
	var params, args []string
	if conventions[kind].context {
		params = append(params, "ctx context.Context")
	}
	if kind != Create {
		params = append(params, "c "+r.pointer())
	}
	for i := range c.sig.Params().Len() {
		v := c.sig.Params().At(i)
		name, typ := v.Name(), r.typeString(v.Type())
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
		case problem == "" && role == PoolContext && kind == Create && len(params) < 2:
			params, args = append(params, name+" "+typ), append(args, name)
		default:
			args = append(args, fmt.Sprintf("%s /* %s %s */", zero(v.Type(), typ), name, typ))
		}
	}
	callee := r.flagName(c)
	if recv := c.sig.Recv(); recv != nil {
		callee = "c." + c.name()
	}
	body, result := r.wrapped(kind, c, fmt.Sprintf("%s(%s)", callee, strings.Join(args, ", ")))
	name := lowerFirst(strings.TrimSuffix(conventions[kind].functions[0], "T")) + r.stems()[0]
	return fmt.Sprintf("\tfunc %s(%s) %s{\n\t\t%s\n\t}", name, strings.Join(params, ", "), result, body)
}

// wrapped is the body of a wrapper around a call, and what the wrapper returns.
func (r *resolver) wrapped(kind Kind, c candidate, call string) (body, result string) {
	var left []string
	made, failed, answered := "nil", "nil", "true"
	for v := range c.sig.Results().Variables() {
		name := "_"
		switch {
		case types.Identical(v.Type(), types.Universe.Lookup("error").Type()):
			name, failed = "err", "err"
		case kind == Create && r.isConn(v.Type()):
			name, made = "conn", "conn"
		case types.Identical(v.Type(), types.Typ[types.Bool]):
			name, answered = "ok", "ok"
		}
		left = append(left, name)
	}
	if len(left) > 0 {
		assign := " = "
		if slices.ContainsFunc(left, func(name string) bool { return name != "_" }) {
			assign = " := "
		}
		call = strings.Join(left, ", ") + assign + call
	}
	switch {
	case kind == Create:
		return call + "\n\t\treturn " + made + ", " + failed, fmt.Sprintf("(%s, error) ", r.pointer())
	case slices.Contains(conventions[kind].results, Err):
		if answered == "ok" {
			call = strings.Replace(call, "ok", "_", 1)
		}
		return call + "\n\t\treturn " + failed, "error "
	case slices.Contains(conventions[kind].results, Bool):
		if failed == "err" && answered != "ok" {
			answered = "err == nil"
		}
		return call + "\n\t\treturn " + answered, "bool "
	}
	return call, ""
}

// zero is the zero value of a type.
func zero(t types.Type, name string) string {
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
