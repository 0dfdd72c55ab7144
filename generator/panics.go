package generator

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
)

// The pool asks on the requester's goroutine whether a connection needs a health check, and must not lose a
// place to an answer that never comes. What guards against that takes longer than most answers do. So this
// file looks for a proof that a hook always returns: that it can't panic, end its goroutine, or block.
//
// A proof is a walk over the hook's body that meets nothing but what is listed here. What is not listed, and
// what has a type that is not known, may do anything. Types are known as far as the package declares them
// itself; of the standard library there is only what always returns.

// returning is what a hook may call, as the declarations of the packages that have it. Methods that look up
// a time zone are missing: the first one reads files.
var returning = map[string]string{
	"time": `package time

type Duration int64

const (
	Nanosecond  Duration = 1
	Microsecond          = 1000 * Nanosecond
	Millisecond          = 1000 * Microsecond
	Second               = 1000 * Millisecond
	Minute               = 60 * Second
	Hour                 = 60 * Minute
)

func (Duration) Abs() Duration
func (Duration) Hours() float64
func (Duration) Microseconds() int64
func (Duration) Milliseconds() int64
func (Duration) Minutes() float64
func (Duration) Nanoseconds() int64
func (Duration) Seconds() float64

type Time struct{}

func Now() Time
func Since(Time) Duration
func Unix(sec, nsec int64) Time
func UnixMicro(int64) Time
func UnixMilli(int64) Time
func Until(Time) Duration

func (Time) Add(Duration) Time
func (Time) After(Time) bool
func (Time) Before(Time) bool
func (Time) Compare(Time) int
func (Time) Equal(Time) bool
func (Time) IsZero() bool
func (Time) Sub(Time) Duration
func (Time) Unix() int64
func (Time) UnixMicro() int64
func (Time) UnixMilli() int64
func (Time) UnixNano() int64
`,
	"sync/atomic": `package atomic

type (
	Bool           struct{}
	Int32          struct{}
	Int64          struct{}
	Pointer[T any] struct{}
	Uint32         struct{}
	Uint64         struct{}
)

func (*Bool) Load() bool
func (*Int32) Load() int32
func (*Int64) Load() int64
func (*Pointer[T]) Load() *T
func (*Uint32) Load() uint32
func (*Uint64) Load() uint64
`,
}

// proof is what the walk needs to know.
type proof struct {
	info  *types.Info
	std   map[*types.Package]bool // the packages of returning
	conn  types.Type              // the pointer to the connection
	given []*types.Var            // the parameters and the receiver
}

// returns reports whether a hook is proven to return.
func (r *resolver) returns(h *Hook, c candidate) bool {
	if c.decl == nil || c.decl.Body == nil || r.conn.Obj().Pkg() != r.types || r.conn.TypeArgs().Len() > 0 || h.Method && r.receiver(c) != r.conn || slices.ContainsFunc(r.files, r.isConstrained) {
		return false // an embedded pointer may lie on the way to a promoted method
	}
	p := &proof{std: map[*types.Package]bool{}, info: &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Defs:       map[*ast.Ident]types.Object{},
		Uses:       map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}}
	imports := newStubs(r.files)
	for path, text := range returning {
		imports[path] = declare(path, text)
		p.std[imports[path]] = true
	}
	config := types.Config{FakeImportC: true, Importer: imports, Error: func(error) {}}
	pkg, _ := config.Check(r.Name, r.fset, withBody(r.files, c.decl), p.info)
	p.conn = types.NewPointer(pkg.Scope().Lookup(r.conn.Obj().Name()).Type())
	sig := p.info.Defs[c.decl.Name].(*types.Func).Signature()
	p.given = append(slices.Collect(sig.Params().Variables()), sig.Recv())
	return p.block(c.decl.Body.List)
}

// isConstrained reports whether there are builds without a file. In those, other declarations may have taken
// the place of the file's, and turned a field on the way of a proof into a pointer, say.
func (p *Package) isConstrained(file *ast.File) bool { return p.condition(file) != "" }

// declare makes the package that a text declares.
func declare(path, text string) *types.Package {
	fset := token.NewFileSet()
	file, _ := parser.ParseFile(fset, path, text, parser.SkipObjectResolution)
	config := types.Config{IgnoreFuncBodies: true, Error: func(error) {}}
	pkg, _ := config.Check(path, fset, []*ast.File{file}, nil)
	return pkg
}

// withBody are the files without the bodies of all functions but one, so that no other is checked.
func withBody(files []*ast.File, kept *ast.FuncDecl) []*ast.File {
	var bare []*ast.File
	for _, file := range files {
		file := *file
		file.Decls = slices.Clone(file.Decls)
		for i, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn != kept {
				file.Decls[i] = &ast.FuncDecl{Doc: fn.Doc, Recv: fn.Recv, Name: fn.Name, Type: fn.Type}
			}
		}
		bare = append(bare, &file)
	}
	return bare
}

// block reports whether a list of statements is proven to end.
func (p *proof) block(list []ast.Stmt) bool {
	return !slices.ContainsFunc(list, func(s ast.Stmt) bool { return !p.statement(s) })
}

func (p *proof) statement(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ReturnStmt:
		return len(s.Results) == 1 && p.value(s.Results[0])
	case *ast.AssignStmt:
		// One variable is a new one. Among several may be the receiver, which then gets another value.
		return s.Tok == token.DEFINE && len(s.Lhs) == 1 && len(s.Rhs) == 1 && p.value(s.Rhs[0])
	case *ast.IfStmt:
		return (s.Init == nil || p.statement(s.Init)) && p.value(s.Cond) && p.block(s.Body.List) &&
			(s.Else == nil || p.statement(s.Else))
	case *ast.BlockStmt:
		return p.block(s.List)
	}
	return false
}

// value reports whether an expression is proven to have a value.
func (p *proof) value(e ast.Expr) bool {
	tv := p.info.Types[e]
	if tv.Value != nil || tv.IsNil() {
		return true
	}
	if tv.Type == nil || tv.Type == types.Typ[types.Invalid] {
		return false
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return p.value(e.X)
	case *ast.Ident:
		return true
	case *ast.SelectorExpr:
		return p.field(e)
	case *ast.UnaryExpr:
		return e.Op != token.ARROW && p.value(e.X)
	case *ast.BinaryExpr:
		return p.value(e.X) && p.value(e.Y) && p.operation(e)
	case *ast.CallExpr:
		return !slices.ContainsFunc(e.Args, func(arg ast.Expr) bool { return !p.value(arg) }) && p.call(e)
	}
	return false
}

// field reports whether a field can be read. That goes through no pointer but the connection itself, which
// is there. Nor does it go through more than one embedded field: that would need to be known in full, as
// what it embeds itself may hide the field that seems to be meant.
func (p *proof) field(e *ast.SelectorExpr) bool {
	s := p.info.Selections[e]
	if s == nil || s.Kind() != types.FieldVal || len(s.Index()) > 2 || !p.value(e.X) {
		return false
	}
	t := s.Recv()
	if isPointer(t) {
		if !p.isConn(e.X) {
			return false
		}
		t = deref(t)
	}
	return len(s.Index()) == 1 || !isPointer(t.Underlying().(*types.Struct).Field(s.Index()[0]).Type())
}

// isConn reports whether an expression is the pointer to the connection that the pool has passed.
func (p *proof) isConn(e ast.Expr) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return false
	}
	v, ok := p.info.Uses[id].(*types.Var)
	return ok && slices.Contains(p.given, v) && types.Identical(v.Type(), p.conn)
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

// operation reports whether an operator can be applied to its operands, whatever these are. A divisor must
// not be zero, a shift not negative: the compiler sees to constants. Interfaces can't be compared if what
// they hold can't.
func (p *proof) operation(e *ast.BinaryExpr) bool {
	x, y := p.info.Types[e.X], p.info.Types[e.Y]
	switch e.Op {
	case token.QUO, token.REM, token.SHL, token.SHR:
		return y.Value != nil
	case token.EQL, token.NEQ:
		return x.IsNil() || y.IsNil() || isPointer(x.Type) && isPointer(y.Type) || isBasic(x.Type) && isBasic(y.Type)
	}
	return true
}

// isBasic reports whether a type is that of truth values, numbers or strings.
func isBasic(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&(types.IsBoolean|types.IsNumeric|types.IsString) != 0
}

// call reports whether a call, with arguments that have values, returns: that is a conversion, or a call of
// what is in returning.
func (p *proof) call(e *ast.CallExpr) bool {
	if to := p.info.Types[e.Fun]; to.IsType() {
		return isBasic(to.Type) // a slice may be too short for an array
	}
	switch f := ast.Unparen(e.Fun).(type) {
	case *ast.Ident: // imported by a dot
		return p.isReturning(p.info.Uses[f])
	case *ast.SelectorExpr:
		if s := p.info.Selections[f]; s != nil {
			return s.Kind() == types.MethodVal && len(s.Index()) == 1 && !isPointer(s.Recv()) && p.isReturning(s.Obj()) && p.value(f.X)
		}
		return p.isReturning(p.info.Uses[f.Sel])
	}
	return false
}

func (p *proof) isReturning(obj types.Object) bool {
	f, ok := obj.(*types.Func)
	return ok && p.std[f.Pkg()]
}
