package generator

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"

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

// inline replaces each call of a stand-in by a call of the hook.
func (s *source) inline(c *Connection, names names, info *types.Info) (err error) {
	var locals map[string]bool // the names of the variables of the function around
	reachable := func(h *Hook) {
		if !h.Method && !h.OfContext && locals[h.Name] {
			err = at(h.Pos, "%s is also the name of a variable in the generated code where that would call it; rename it, or name another function with -%s=F", h.Name, h.Kind)
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			locals = variables(n, info)
		case *ast.AssignStmt:
			if call, kind := standIn(n.Rhs[0]); call != nil && !kind.asks() && c.Hooks[kind] != nil {
				reachable(c.Hooks[kind])
				typ := c.Type
				if locals[typ] {
					typ = names["leased"]
				}
				s.replace(n.Pos(), n.End(), c.statement(c.Hooks[kind], typ, s.arguments(call)))
				return false
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
				reachable(c.Hooks[kind])
				s.replace(n.Pos(), n.End(), print(c.call(c.Hooks[kind], s.arguments(call))))
			}
		}
		return true
	})
	return err
}

// variables are the names of all that a function declares, and of what an inlined call may.
func variables(fn *ast.FuncDecl, info *types.Info) map[string]bool {
	names := map[string]bool{"made": true}
	ast.Inspect(fn, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && info.Defs[id] != nil && id != fn.Name {
			names[id.Name] = true
		}
		return true
	})
	return names
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
func (s *source) arguments(call *ast.CallExpr) map[Role]string {
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
	return jen.Id(h.Name).Call(list...)
}

// statement is what stands for the assignment of a stand-in's results to conn and err; typ is the connection
// type.
func (c *Connection) statement(h *Hook, typ string, args map[Role]string) string {
	switch {
	case h.Kind == Create && h.Method:
		args[ConnPointer], args[ConnValue] = "made", "*made"
		return print(jen.Id("made").Op(":=").New(jen.Id(typ))) + "\n" +
			print(jen.If(jen.Id("err").Op("=").Add(c.call(h, args)), jen.Id("err").Op("==").Nil()).Block(jen.Id("conn").Op("=").Id("made")))
	case h.Result == ValueAndErr:
		return print(jen.Var().Id("made").Id(typ)) + "\n" +
			print(jen.If(jen.List(jen.Id("made"), jen.Id("err")).Op("=").Add(c.call(h, args)), jen.Id("err").Op("==").Nil()).
				Block(jen.Id("conn").Op("=").Op("&").Id("made")))
	case h.Kind == Create:
		return print(jen.List(jen.Id("conn"), jen.Id("err")).Op("=").Add(c.call(h, args)))
	case h.Result == Bool:
		return print(jen.If(jen.Op("!").Add(c.call(h, args))).Block(
			jen.Id("err").Op("=").Qual("errors", "New").Call(jen.Lit(refusals[h.Kind]))))
	case h.Result == Nothing:
		return print(c.call(h, args))
	}
	return print(jen.Id("err").Op("=").Add(c.call(h, args)))
}

// refusals are the errors that stand for a hook's returning false.
var refusals = map[Kind]string{
	Check:         "the connection is not healthy",
	AfterCreate:   "the connection was refused",
	BeforeAcquire: "the connection was refused",
	AfterRelease:  "the connection was refused",
}

func print(s *jen.Statement) string { return fmt.Sprintf("%#v", s) }
