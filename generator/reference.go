package generator

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"unicode"
	"unicode/utf8"
)

// reference is how a flag names something: MyConn, Conn[Request,*Reply], pgx.Conn, pgx.ConnectConfig,
// github.com/jackc/pgx/v5.Conn, Server.Dial or amqp.Connection.Channel.
type reference struct {
	Path string // the import path of another package, or the name by which a file imports it, or the name of a type here
	Type string // the type of which Name is a method, if there is more than that in front of it
	Name string
	Args string // the type arguments, without brackets and spaces
}

// parseReference is the inverse of String.
func parseReference(s string) (ref reference, ok bool) {
	s, args, generic := strings.Cut(s, "[")
	if generic {
		if ref.Args, ok = typeList(strings.TrimSuffix(args, "]")); !ok || !strings.HasSuffix(args, "]") {
			return reference{}, false
		}
	}
	dir, base := "", s
	if i := strings.LastIndexByte(s, '/'); i >= 0 {
		dir, base = s[:i+1], s[i+1:]
	}
	parts := strings.Split(base, ".")
	ref.Name, parts = parts[len(parts)-1], parts[:len(parts)-1]
	if n := len(parts); n > 1 && isExported(parts[n-1]) {
		ref.Type, parts = parts[n-1], parts[:n-1]
	}
	ref.Path = dir + strings.Join(parts, ".")
	switch {
	case !isName(ref.Name), ref.Type != "" && !isName(ref.Type), dir != "" && len(parts) == 0:
		return reference{}, false
	case dir == "" && len(parts) > 0 && !isName(ref.Path), dir != "" && !isImportPath(ref.Path):
		return reference{}, false
	}
	return ref, true
}

func (r reference) String() string {
	s := r.Name
	for _, qualifier := range []string{r.Type, r.Path} {
		if qualifier != "" {
			s = qualifier + "." + s
		}
	}
	if r.Args != "" {
		s += "[" + r.Args + "]"
	}
	return s
}

// local reports whether the reference is to something that the package itself declares.
func (r reference) local() bool { return r.Path == "" }

func isExported(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	return unicode.IsUpper(first)
}

// isImportPath reports whether s may be an import path, in letters, digits and what else the go command allows. None
// of its elements may be taken for a flag.
func isImportPath(s string) bool {
	for element := range strings.SplitSeq(s, "/") {
		if strings.Trim(element, ".") == "" || element[0] == '-' || strings.ContainsFunc(element, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-._~+", r)
		}) {
			return false
		}
	}
	return true
}

// typeList parses type arguments, and prints them again without spaces. Types that can't be written so, and those
// that are not a matter of names, had better have a name.
func typeList(s string) (canonical string, ok bool) {
	expr, err := parser.ParseExpr("T[" + s + "]")
	if err != nil || strings.ContainsFunc(s, unicode.IsControl) {
		return "", false
	}
	ok = true
	ast.Inspect(expr, func(n ast.Node) bool {
		switch n := n.(type) {
		case nil, *ast.Ident, *ast.SelectorExpr, *ast.StarExpr, *ast.IndexExpr, *ast.IndexListExpr, *ast.MapType, *ast.ArrayType:
		case *ast.BasicLit:
			ok = ok && n.Kind == token.INT
		default:
			ok = false
		}
		return ok
	})
	printed := strings.ReplaceAll(types.ExprString(expr), ", ", ",")
	return strings.TrimSuffix(strings.TrimPrefix(printed, "T["), "]"), ok && !strings.Contains(printed, " ")
}

// SplitNames splits a list at its commas, save those between brackets.
func SplitNames(list string) []string {
	var names []string
	depth, start := 0, 0
	for i, r := range list {
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		case ',':
			if depth == 0 {
				names = append(names, strings.TrimSpace(list[start:i]))
				start = i + 1
			}
		}
	}
	return append(names, strings.TrimSpace(list[start:]))
}

// ParseType parses the name of a connection type, and returns it as the header has it.
func ParseType(s string) (string, error) {
	ref, ok := parseReference(strings.TrimPrefix(s, "*"))
	if !ok || ref.Type != "" {
		return "", fmt.Errorf("-type=%q: not the name of a type; give one such as MyConn, pgx.Conn, github.com/jackc/pgx/v5.Conn or Conn[Request,*Reply]", s)
	}
	return ref.String(), nil
}
