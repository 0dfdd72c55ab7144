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
		s.dropParameters(1, "queue", "acquire", "obtain")
	}
	if !o.features["hasReasons"] {
		s.dropParameters(1, "reason", "retire", "drop")
	}
	if !o.features["hasStats"] {
		s.dropParameters(2, "begun", "canceled")
		s.dropParameters(1, "begun", "await")
	}
	if !o.features["hasServed"] {
		s.dropResult("deliver")
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

// dropParameters drops the last n parameters, of which the first has that name, of methods, and the arguments for them in their calls.
func (s *source) dropParameters(n int, name string, methods ...string) {
	for _, node := range s.nodes() {
		switch node := node.(type) {
		case *ast.FuncDecl:
			if params := node.Type.Params.List; slices.Contains(methods, node.Name.Name) && len(params) > n && params[len(params)-n].Names[0].Name == name {
				s.replace(params[len(params)-n-1].End(), params[len(params)-1].End(), "")
			}
		case *ast.CallExpr:
			if method, ok := node.Fun.(*ast.SelectorExpr); ok && slices.Contains(methods, method.Sel.Name) {
				s.replace(node.Args[len(node.Args)-n-1].End(), node.Args[len(node.Args)-1].End(), "")
			}
		}
	}
}

// dropResult drops the only result of a method.
func (s *source) dropResult(method string) {
	for _, n := range s.nodes() {
		fn, ok := n.(*ast.FuncDecl)
		if !ok || fn.Name.Name != method {
			continue
		}
		s.replace(fn.Type.Params.End(), fn.Body.Pos(), " ")
		for n := range ast.Preorder(fn.Body) {
			if ret, ok := n.(*ast.ReturnStmt); ok {
				s.replace(ret.Results[0].Pos(), ret.End(), "")
			}
		}
		last := fn.Body.List[len(fn.Body.List)-1]
		s.cut(s.offset(last.Pos()), s.offset(last.End()))
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
