package generator

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// specialise makes the pool of a connection out of the template.
func specialise(c *Connection, r Request) ([]byte, error) {
	t, err := parsedTemplate()
	if err != nil {
		return nil, err
	}
	if err := t.reachable(c); err != nil {
		return nil, err
	}
	o, v := t.outline(c, t.features(c, r), r.prefix())
	d := t.draft(o)
	if d.err != nil {
		return nil, d.err
	}
	pool, size := v.fill(o.names["Pool"]), v.fill(o.names["size"])
	frame, err := c.frame(r, pool, size, d)
	if err != nil {
		return nil, err
	}
	text := append(make([]byte, 0, 48<<10), frame...) // most are shorter
	for _, p := range d.passages {
		passage, err := p.formatted(v)
		if err != nil {
			return nil, err
		}
		text = v.append(append(text, '\n'), passage)
	}
	return text, t.verify(c, frame, d, v, size)
}

// specialised is what a file of the template declares for an outline.
func (t *template) specialised(s *source, o *outline) (string, error) {
	s = s.unedited()
	if err := s.specialise(o, t); err != nil {
		return "", err
	}
	return s.slice(s.bodyStart(), len(s.text))
}

// specialise makes the edits of one file.
func (s *source) specialise(o *outline, t *template) error {
	if err := s.fold(o.features, o.names); err != nil {
		return err
	}
	if !o.features["hasContext"] {
		s.dropContext()
	}
	if o.Interface || o.ByValue {
		s.dropStars()
	}
	if !o.features["hasQueue"] {
		s.dropParameter("queue", "acquire", "obtain")
		s.merge("Acquire", "acquire")
	}
	if !o.features["hasReasons"] {
		s.dropParameter("reason", "retire", "drop")
	}
	s.inline(o.Connection, o.names, t.ids)
	if o.features["hidesClose"] {
		s.hide(o.Hooks[Close])
	}
	others := map[string]string{"Context": o.Context, "Key": o.Key, "Observer": o.Observer, "none": o.none()}
	s.edits = append(s.edits, s.renames.get(fmt.Sprint(o.names["Pool"], o.names["Conn"], o.names["PoolStats"], others), func() []edit {
		renamed := s.unedited()
		renamed.rename(o.names, t.ids, others)
		return renamed.edits
	})...)
	return nil
}

// hide gives the field by which a lease hides the method that closes the name of that.
func (s *source) hide(closer *Hook) {
	for _, n := range s.nodes() {
		if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.Name == "closedByRelease" {
			field := spec.Type.(*ast.StructType).Fields.List[0].Names[0]
			s.replace(field.Pos(), field.End(), closer.Name)
		}
	}
}

// dropContext drops the parameters that are the pool context.
func (s *source) dropContext() {
	for _, n := range s.nodes() {
		fn, ok := n.(*ast.FuncType)
		if !ok {
			continue
		}
		for i, field := range fn.Params.List {
			if id, ok := field.Type.(*ast.Ident); ok && id.Name == "Context" {
				end := fn.Params.Closing
				if i+1 < len(fn.Params.List) {
					end = fn.Params.List[i+1].Pos()
				}
				s.replace(field.Pos(), end, "")
			}
		}
	}
}

// dropParameter drops a parameter, the last, of methods, and the argument for it in their calls.
func (s *source) dropParameter(name string, methods ...string) {
	for _, n := range s.nodes() {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if params := n.Type.Params.List; slices.Contains(methods, n.Name.Name) && len(params) > 1 && params[len(params)-1].Names[0].Name == name {
				s.replace(params[len(params)-2].End(), params[len(params)-1].End(), "")
			}
		case *ast.CallExpr:
			if method, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains(methods, method.Sel.Name) {
				s.replace(n.Args[len(n.Args)-2].End(), n.Args[len(n.Args)-1].End(), "")
			}
		}
	}
}

// merge makes one of a method that does nothing but call another, which nobody else calls, and that one, below it: it has the
// signature and the body of the other with its own name and doc.
func (s *source) merge(name, other string) {
	var from *ast.FuncDecl
	for _, n := range s.nodes() {
		fn, ok := n.(*ast.FuncDecl)
		switch {
		case !ok:
		case fn.Name.Name == name && receives(fn, "Pool"):
			from = fn
		case fn.Name.Name == other && from != nil:
			s.replace(from.Type.Func, fn.Type.Func, "")
			s.replace(fn.Name.Pos(), fn.Name.End(), name)
		}
	}
}

// dropStars makes of pointers to the connection the connection itself.
func (s *source) dropStars() {
	for _, n := range s.nodes() {
		if star, ok := n.(*ast.StarExpr); ok {
			if id, ok := star.X.(*ast.Ident); ok && (id.Name == "Conn" || id.Name == "leased") {
				s.replace(star.Pos(), id.Pos(), "")
			}
		}
	}
}

// bodyStart is where the declarations begin, behind the imports.
func (s *source) bodyStart() int {
	end := s.offset(s.file.Name.End())
	for _, decl := range s.file.Decls {
		if gen, ok := decl.(*ast.GenDecl); ok && gen.Tok == token.IMPORT {
			end = s.offset(gen.End())
		}
	}
	return end
}

// isShort reports whether the lines are a function of which folding has left one line, and that gofmt leaves on one.
func isShort(lines []string) bool {
	return strings.HasPrefix(lines[0], "func ") && strings.HasSuffix(lines[0], " {") && strings.HasPrefix(lines[1], "\treturn ") &&
		len(lines[0])+len(lines[1])+2 <= 90
}

// dropBlankLines drops the blank lines that folding leaves within functions, where the template has none, and at
// the end of types.
func dropBlankLines(text string) string {
	var kept []string
	inside := false
	for line := range strings.SplitSeq(text, "\n") {
		if strings.Trim(line, "\t ") == "" {
			line = ""
		}
		if inside && line == "" {
			continue
		}
		if strings.HasPrefix(line, "func ") && strings.HasSuffix(line, "{") {
			inside = true
		} else if line == "}" {
			inside = false
		}
		n := len(kept)
		for line == "}" && n > 0 && kept[n-1] == "" {
			n--
		}
		if kept = append(kept[:n], line); line == "}" && n > 1 && isShort(kept[n-2:]) {
			kept = append(kept[:n-2], kept[n-2]+" "+strings.TrimSpace(kept[n-1])+" }")
		}
	}
	return strings.Join(kept, "\n")
}
