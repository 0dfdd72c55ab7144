package generator

import (
	"fmt"
	"go/ast"
	"strings"
	"unicode"

	"github.com/dave/jennifer/jen"
)

// standIns are the functions by which the template calls the hooks.
var standIns = map[string]Kind{
	"createConn":       Create,
	"needsHealthCheck": NeedsCheck,
	"healthCheck":      Check,
	"closeConn":        Close,
	"resetConn":        Reset,
	"isBroken":         Broken,
	"afterCreate":      AfterCreate,
	"beforeAcquire":    BeforeAcquire,
	"afterRelease":     AfterRelease,
	"beforeClose":      BeforeClose,
	"isFatal":          IsFatal,
}

// reachable checks that no function has the name of a variable where the pool calls it, and no type where it names that.
func (t *template) reachable(c *Connection) error {
	for _, kind := range Kinds {
		h := c.Hooks[kind]
		if h == nil || h.Method || h.OfContext || mentioned(h.Call, t.ids.variables) == "" {
			continue
		}
		for _, fn := range t.functions() {
			if name := mentioned(h.Call, t.ids.locals[fn]); name != "" && calls(fn, kind) {
				return at(h.Pos, "%s is also the name of a variable in the generated code where that would call %s; rename it, or name another function with -%s=F", name, h.Call, h.Kind)
			}
		}
	}
	types := map[string]string{"Context": c.Context, "Key": c.Key, "Observer": c.Observer}
	for of, typ := range types {
		if mentioned(typ, t.ids.variables) == "" {
			delete(types, of)
		}
	}
	if len(types) == 0 {
		return nil
	}
	for _, fn := range t.functions() {
		if name := t.hides(fn, types); name != "" {
			return at(c.Taken[name], "%s is also the name of a variable in the generated code where that would need the type; rename this one", name)
		}
	}
	return nil
}

// hides returns a name in one of the types that a variable has where the function names the type.
func (t *template) hides(fn *ast.FuncDecl, types map[string]string) string {
	locals := map[string]bool{} // so far
	for n := range ast.Preorder(fn) {
		id, ok := n.(*ast.Ident)
		switch {
		case !ok:
		case !t.ids.global[id]:
			locals[id.Name] = locals[id.Name] || t.ids.locals[fn][id.Name]
		case fn.Body.Pos() < id.Pos():
			if name := mentioned(types[id.Name], locals); name != "" {
				return name
			}
		}
	}
	return ""
}

// mentioned is the first of the names that an expression refers to, or "".
func mentioned(expr string, names map[string]bool) string {
	apart := func(r rune) bool { return r != '.' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	for word := range strings.FieldsFuncSeq(expr, apart) {
		if name, _, _ := strings.Cut(word, "."); names[name] {
			return name
		}
	}
	return ""
}

// calls reports whether a function of the template calls the hooks of a kind.
func calls(fn *ast.FuncDecl, kind Kind) bool {
	for n := range ast.Preorder(fn) {
		if call, ok := n.(*ast.CallExpr); ok {
			if _, k := standIn(call); k == kind {
				return true
			}
		}
	}
	return false
}

// inline replaces each call of a stand-in by a call of the hook.
func (s *source) inline(c *Connection, names names, ids *identifiers) {
	var locals map[string]bool // the names of the variables of the function around
	for _, n := range s.nodes() {
		switch n := n.(type) {
		case *ast.FuncDecl:
			locals = ids.locals[n]
		case *ast.AssignStmt:
			if call, kind := standIn(n.Rhs[0]); call != nil && !kind.asks() && c.Hooks[kind] != nil {
				typ := c.Type
				if mentioned(typ, locals) != "" {
					typ = names["leased"]
				}
				s.replace(n.Pos(), n.End(), c.statement(c.Hooks[kind], typ, c.arguments(s, call)))
			}
		case *ast.CallExpr:
			if event := observation(n); event != "" && c.Observes[event] {
				s.replace(n.Pos(), n.Args[0].Pos(), "")
				end := n.Args[0].End()
				if len(n.Args) > 1 {
					end = n.Args[1].Pos()
				}
				s.replace(n.Args[0].End(), end, "."+event+"(")
			}
			if call, kind := standIn(n); call != nil && c.Hooks[kind] != nil {
				s.replace(n.Pos(), n.End(), print(c.call(c.Hooks[kind], c.arguments(s, call))))
			}
		}
	}
}

func standIn(e ast.Expr) (*ast.CallExpr, Kind) {
	if call, ok := e.(*ast.CallExpr); ok {
		if id, ok := call.Fun.(*ast.Ident); ok && standIns[id.Name] != "" {
			return call, standIns[id.Name]
		}
	}
	return nil, ""
}

// arguments maps the roles of parameters to what a call of a stand-in passes for them. Stand-ins take the
// context, the connection and the pool context in this order, and may lack the first or the second one.
func (c *Connection) arguments(s *source, call *ast.CallExpr) map[Role]string {
	args := map[Role]string{}
	for _, arg := range call.Args {
		text := s.text[s.offset(arg.Pos()):s.offset(arg.End())]
		switch {
		case strings.HasSuffix(text, "ctx"), text == "context.Background()":
			args[ContextContext] = text
		case strings.HasSuffix(text, ".context"):
			args[PoolContext] = text
		case text == "err":
			args[UseErr] = text
		default:
			args[ConnPointer], args[ConnValue] = text, "*"+text
			if c.ByValue {
				args[ConnValue] = text
			}
		}
	}
	return args
}

// call is the call of a hook with the arguments that it takes.
func (c *Connection) call(h *Hook, args map[Role]string) *jen.Statement {
	var list []jen.Code
	for _, role := range h.Params {
		list = append(list, jen.Op(args[role]))
	}
	switch {
	case h.Method:
		return jen.Op(args[ConnPointer]).Dot(h.Name).Call(list...)
	case h.OfContext:
		return jen.Op(args[PoolContext]).Dot(h.Name).Call(list...)
	}
	return jen.Op(h.Call).Call(list...)
}

// statement is what stands for the assignment of a stand-in's results to conn and err; typ is the connection
// type.
func (c *Connection) statement(h *Hook, typ string, args map[Role]string) string {
	if h.Kind == Create {
		return c.creation(h, typ, args)
	}
	switch h.Result {
	case Bool:
		return print(jen.If(jen.Op("!").Add(c.call(h, args))).Block(
			jen.Id("err").Op("=").Qual("errors", "New").Call(jen.Lit(refusals[h.Kind]))))
	case Nothing:
		return print(c.call(h, args))
	}
	return print(jen.Id("err").Op("=").Add(c.call(h, args)))
}

// none is the expression for no connection.
func (c *Connection) none() string {
	if c.ByValue {
		return noneOf(c.Type)
	}
	return "nil"
}

// noneOf is the expression for no connection of a type of values.
func noneOf(typ string) string { return "*new(" + typ + ")" }

// creation is statement for create.
func (c *Connection) creation(h *Hook, typ string, args map[Role]string) string {
	made, pointer := jen.Id("made"), jen.Id("made")
	if !h.Method {
		pointer = jen.Op("&").Id("made")
	}
	before, assigned := jen.Var().Id("made").Op(typ), []jen.Code{made}
	switch {
	case h.Method:
		args[ConnPointer], args[ConnValue] = "made", "*made"
		before, assigned = jen.Id("made").Op(":=").New(jen.Op(typ)), nil
	case !h.Value || c.ByValue:
		before, assigned = jen.Null(), []jen.Code{jen.Id("conn")}
	}
	call := c.call(h, args)
	if h.Cleanup {
		assigned = append(assigned, jen.Id("cleanup"))
	}
	if h.Fails {
		assigned = append(assigned, jen.Id("err"))
	}
	if len(assigned) > 0 {
		call = jen.List(assigned...).Op("=").Add(call)
	}
	keep := jen.Id("conn").Op("=").Add(pointer)
	switch {
	case !h.Method && !h.Value, c.ByValue:
		return print(call)
	case h.Fails:
		return print(before) + "\n" + print(jen.If(call, jen.Id("err").Op("==").Nil()).Block(keep))
	}
	return print(before) + "\n" + print(call) + "\n" + print(keep)
}

// refusals are the errors that stand for a hook's returning false.
var refusals = map[Kind]string{
	Check:         "the connection is not healthy",
	AfterCreate:   "the connection was refused",
	BeforeAcquire: "the connection was refused",
	AfterRelease:  "the connection was refused",
}

func print(s *jen.Statement) string { return fmt.Sprintf("%#v", s) }
