package generator

import (
	"fmt"
	"go/parser"
	"go/types"
	"path"
	"slices"
	"strconv"
	"strings"
)

// file is the text of the file, and the request that makes the pool.
func (p *proposal) file(request Request, ref reference) ([]byte, Request, error) {
	qualifier := p.imported(p.qualifier())
	if len(p.wrappers) > 0 || qualifier == p.path {
		qualifier = p.qualifier() // the file imports the package itself, or another one does
	} else {
		qualifier = p.path
	}
	request.Type = reference{Path: qualifier, Name: ref.Name, Args: ref.Args}.String()
	request.Hooks = map[Kind]string{}
	for _, kind := range Kinds {
		if name := p.request.Hooks[kind]; name != "" {
			request.Hooks[kind] = name
		}
	}
	for _, c := range p.chosen {
		if p.wrappers[c.kind] == "" && !p.byConvention(c) {
			request.Hooks[c.kind] = p.flag(c, qualifier)
		}
	}
	text := fmt.Sprintf("package %s\n\n%s\n%s//\n//go:generate go tool poolgen %s\n\n%s", p.Name, p.imports(), p.comment(request, qualifier), request.flags(), p.declarations())
	out, err := formattedFile(text)
	return out, request, err
}

// qualifier is how the file for the time being refers to the type's package.
func (p *proposal) qualifier() string { return p.ref.Path }

// byConvention reports whether convention finds a hook.
func (p *proposal) byConvention(c choice) bool {
	return c.kind != Create && p.isMethod(c.kind, c.candidate) && slices.Contains(conventions[c.kind].methods, c.name())
}

// flag is how a flag names a function.
func (p *proposal) flag(c choice, qualifier string) string {
	if p.isMethod(c.kind, c.candidate) {
		return c.name()
	}
	ref := reference{Path: qualifier, Name: c.name()}
	if recv := p.receiver(c.candidate); recv != nil {
		ref.Type = recv.Obj().Name()
	}
	return ref.String()
}

// imports are the imports of what the wrappers refer to.
func (p *proposal) imports() string {
	if len(p.wrappers) == 0 {
		return ""
	}
	paths := map[string]string{"context": "context", "errors": "errors", p.qualifier(): p.path}
	for _, c := range p.chosen {
		for _, tuple := range []*types.Tuple{c.sig.Params(), c.sig.Results()} {
			for v := range tuple.Variables() {
				types.TypeString(v.Type(), func(pkg *types.Package) string {
					paths[pkg.Name()] = pkg.Path()
					return pkg.Name()
				})
			}
		}
	}
	file, err := parser.ParseFile(p.fset, "", "package p\n"+p.declarations(), parser.SkipObjectResolution)
	if err != nil {
		return ""
	}
	var lines []string
	for _, ref := range qualified(file) {
		line := strconv.Quote(paths[ref[0]])
		if ref[0] != path.Base(paths[ref[0]]) {
			line = ref[0] + " " + line
		}
		if paths[ref[0]] != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return importDeclaration(lines)
}

// importDeclaration has the lines in two groups: the standard library, and others.
func importDeclaration(lines []string) string {
	var standard, others []string
	for _, line := range lines {
		if strings.Contains(strings.Split(line, "/")[0], ".") || strings.Contains(line, " ") {
			others = append(others, line)
		} else {
			standard = append(standard, line)
		}
	}
	slices.Sort(standard)
	slices.Sort(others)
	if len(lines) == 1 {
		return "import " + lines[0] + "\n"
	}
	return fmt.Sprintf("import (\n%s\n\n%s\n)\n", strings.Join(standard, "\n"), strings.Join(others, "\n"))
}

// declarations are the wrappers, and what they take.
func (p *proposal) declarations() string {
	var b strings.Builder
	if len(p.config.fields) > 0 {
		_, newPool := p.request.poolNames()
		fmt.Fprintf(&b, "// %s is what new%s creates a connection from: %s takes it.\ntype %s struct {\n", p.config.name, p.stem(), newPool, p.config.name)
		for _, f := range p.config.fields {
			fmt.Fprintf(&b, "\t%s %s\n", f.name, f.typ)
		}
		b.WriteString("}\n\n")
	}
	for _, kind := range Kinds {
		if text := p.wrappers[kind]; text != "" {
			_, name, _ := strings.Cut(text, "func ")
			name, _, _ = strings.Cut(name, "(")
			fmt.Fprintf(&b, "// %s is the %s hook: the pool calls it %s.%s\n%s\n\n", name, kind, occasions[kind], p.remark(kind), text)
		}
	}
	return b.String()
}

// remark is what is to be known of a wrapper, or to be done about it.
func (p *proposal) remark(kind Kind) string {
	if p.chosenFor(kind) == nil {
		return "\n// TODO: poolgen has found nothing that creates one."
	}
	switch c := *p.chosenFor(kind); {
	case strings.Contains(p.wrappers[kind], "/*"):
		return "\n// TODO: give " + p.shownAs(kind, c) + " its arguments."
	case kind == Create && !takesContext(c.sig):
		return "\n// " + p.display(c) + " takes no context, so that the option CreateTimeout can't end it: it had better end by itself."
	}
	return ""
}

// chosenFor is the function that has been chosen for a kind of hooks, or nil.
func (p *proposal) chosenFor(kind Kind) *candidate {
	for _, c := range p.chosen {
		if c.kind == kind {
			return &c.candidate
		}
	}
	return nil
}
