package generator

import (
	"go/ast"
	"go/token"
	"go/types"
)

// ExplainedCall is a call of a hook in the generated file.
type ExplainedCall struct {
	Code    string `json:"code"`
	In      string `json:"in"`      // the function around it
	Line    int    `json:"line"`    // of the file
	Fast    bool   `json:"fast"`    // on the goroutine of those who acquire and release, rather than on one of the pool
	Inlined *bool  `json:"inlined"` // nil if that is not known
	Why     string `json:"why"`     // it is not inlined, as far as the compiler tells
	paren   token.Pos
}

// calls finds the calls of the hooks in the output. That is type-checked with the package's declarations, so what is called
// is known by where it is declared, whatever it is called.
func (r *resolver) calls(c *Connection, file *File, out *ast.File) map[Kind][]ExplainedCall {
	files := append(r.files[:len(r.files):len(r.files)], out)
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{FakeImportC: true, Importer: r.importer(files), Error: func(error) {}}
	_, _ = config.Check(r.path, r.fset, files, info)

	hooks := map[token.Pos]Kind{}
	for kind, h := range c.Hooks {
		hooks[h.candidate.obj.Pos()] = kind
	}
	fast := requesters(out, info)
	found := map[Kind][]ExplainedCall{}
	for _, decl := range out.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		eachCall(fn, func(call *ast.CallExpr, detached bool) {
			kind, ok := hooks[callee(call, info)]
			if !ok {
				return
			}
			text := string(file.Text[r.fset.Position(call.Pos()).Offset:r.fset.Position(call.End()).Offset])
			found[kind] = append(found[kind], ExplainedCall{
				Code:  text,
				In:    funcName(fn),
				Line:  r.fset.Position(call.Pos()).Line,
				Fast:  fast[fn.Name.Pos()] && !detached,
				paren: call.Lparen,
			})
		})
	}
	return found
}

// requesters are the functions that run on the goroutines of those who acquire and release: what the exported ones call,
// and what these do.
func requesters(file *ast.File, info *types.Info) map[token.Pos]bool {
	byPos := map[token.Pos]*ast.FuncDecl{}
	reached := map[token.Pos]bool{}
	var queue []*ast.FuncDecl
	reach := func(fn *ast.FuncDecl) {
		if fn != nil && !reached[fn.Name.Pos()] {
			reached[fn.Name.Pos()] = true
			queue = append(queue, fn)
		}
	}
	for _, decl := range file.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok {
			byPos[fn.Name.Pos()] = fn
		}
	}
	for _, fn := range byPos {
		if fn.Recv != nil && fn.Name.IsExported() {
			reach(fn)
		}
	}
	for i := 0; i < len(queue); i++ { // which grows
		eachCall(queue[i], func(call *ast.CallExpr, detached bool) {
			if !detached {
				reach(byPos[callee(call, info)])
			}
		})
	}
	return reached
}

// eachCall calls f for all calls in a function; those that another goroutine makes are detached.
func eachCall(fn *ast.FuncDecl, f func(call *ast.CallExpr, detached bool)) {
	var walk func(n ast.Node, detached bool)
	walk = func(n ast.Node, detached bool) {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				if !detached {
					walk(n, true)
					return false
				}
			case *ast.CallExpr:
				f(n, detached)
			}
			return true
		})
	}
	if fn.Body != nil {
		walk(fn.Body, false)
	}
}

// callee is where the function that a call calls is declared.
func callee(call *ast.CallExpr, info *types.Info) token.Pos {
	fun := ast.Unparen(call.Fun)
	switch f := fun.(type) {
	case *ast.IndexExpr:
		fun = f.X
	case *ast.IndexListExpr:
		fun = f.X
	}
	var obj types.Object
	switch f := fun.(type) {
	case *ast.Ident:
		obj = info.Uses[f]
	case *ast.SelectorExpr:
		obj = info.Uses[f.Sel]
	}
	if obj == nil {
		return token.NoPos
	}
	return obj.Pos()
}

// funcName is how a function of the output is called in a text.
func funcName(fn *ast.FuncDecl) string {
	if of := receiverName(fn); of != "" {
		return of + "." + fn.Name.Name
	}
	return fn.Name.Name
}
