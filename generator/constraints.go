package generator

import (
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// bounds are the constraints of the parameters of a generic type, and the arguments for them. Those for any are left out.
func bounds(params *types.TypeParamList, args []types.Type) []types.Type {
	var list []types.Type
	for i := range min(params.Len(), len(args)) {
		constraint := params.At(i).Constraint()
		if under, ok := constraint.Underlying().(*types.Interface); !ok || !under.Empty() {
			list = append(list, constraint, args[i])
		}
	}
	return list
}

// boundsOf are the bounds of the type that a reference refers to.
func (p *Package) boundsOf(ref reference, typ types.Type) []types.Type {
	if named, ok := types.Unalias(typ).(*types.Named); ok && named.TypeArgs().Len() > 0 {
		return bounds(named.TypeParams(), slices.Collect(named.TypeArgs().Types()))
	}
	var args []types.Type
	for _, arg := range SplitNames(ref.Args) {
		if t := p.typeOf(arg); t != nil {
			args = append(args, t)
		}
	}
	return bounds(openParams(typ), args)
}

// satisfied checks that the type arguments of the connection type satisfy their constraints. Where a constraint or an
// argument is a type of a package that can't be read, they may.
func (r *resolver) satisfied(pos token.Position) error {
	if r.conn.TypeArgs().Len() == 0 {
		return nil
	}
	args := slices.Collect(r.conn.TypeArgs().Types())
	_, err := types.Instantiate(nil, r.conn.Origin(), args, true)
	if err == nil {
		return nil
	}
	known := true
	for _, t := range bounds(r.conn.TypeParams(), args) {
		r.parts(t, func(path string) {
			known = known && (path == "" || path == r.path || r.neighbour(path) != nil)
		}, map[types.Type]bool{})
	}
	if !known {
		return nil
	}
	return at(pos, "-type=%s: %s: give type arguments that satisfy the constraints", r.request.Type, strings.ReplaceAll(err.Error(), r.path+".", ""))
}

// typeOf is the type that an expression means in one of the package's files, or nil.
func (p *Package) typeOf(expr string) types.Type {
	for _, file := range p.files {
		tv, err := types.Eval(p.fset, p.types, file.FileEnd-1, expr)
		if err == nil && tv.IsType() {
			return tv.Type
		}
	}
	return nil
}
