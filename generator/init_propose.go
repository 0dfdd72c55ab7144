package generator

import (
	"cmp"
	"errors"
	"fmt"
	"go/parser"
	"go/types"
	"path"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// proposal is what it takes to pool connections of another package's type.
type proposal struct {
	*resolver
	path     string // of that package
	chosen   []choice
	others   []choice        // that would do, or nearly
	config   config          // what create takes, if it needs a wrapper
	wrappers map[Kind]string // their texts
}

// choice is a function for a hook.
type choice struct {
	kind Kind
	candidate
}

// propose is a file that makes a pool of another package's type, with the request that makes the pool.
func (p *Package) propose(request Request, ref reference) ([]byte, Request, error) {
	pp, err := p.proposal(request, ref)
	if err != nil {
		return nil, request, err
	}
	for _, kind := range Kinds {
		if err := pp.choose(kind); err != nil {
			return nil, request, err
		}
	}
	p.files = p.files[:len(p.files)-1]
	return pp.file(request, ref)
}

// proposal finds the type, with a file that imports its package for the time being.
func (p *Package) proposal(request Request, ref reference) (*proposal, error) {
	found, err := p.find(ref)
	if err != nil {
		return nil, err
	}
	if found == p.path {
		return nil, fmt.Errorf("-for=%s: a type of this package: poolgen -type=%s makes its pool", ref, ref.Name)
	}
	if p.declared[found] == nil {
		if err := p.declare(found); err != nil {
			return nil, err
		}
	}
	if n := p.declared[found]; len(n.files) == 0 {
		return nil, unreadable(ref, found, n.err)
	}
	name := p.declared[found].name
	if !isName(name) {
		name = guessName(found)
	}
	request.Type = reference{Path: name, Name: ref.Name, Args: ref.Args}.String()
	text := fmt.Sprintf("package %s\n\nimport %s %q\n\nvar _ %s.%s\n", p.Name, name, found, name, ref.Name)
	file, err := parser.ParseFile(p.fset, "init.go", text, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("-for=%s: %w", ref, err)
	}
	p.files = append(p.files, file)
	p.check()
	if err := p.complete(request); err != nil {
		return nil, err
	}
	r, err := newResolver(p, request)
	if err != nil {
		return nil, errors.New(strings.Replace(err.Error(), "-type=", "-for=", 1))
	}
	return &proposal{resolver: r, path: found, wrappers: map[Kind]string{}, config: config{name: r.stem() + "Config"}}, nil
}

// unreadable is the error for a package whose declarations can't be read.
func unreadable(ref reference, path string, err error) error {
	why, _, _ := strings.Cut(fmt.Sprint(err), "; to add it")
	advice := "go get " + path
	if !strings.Contains(strings.Split(path, "/")[0], ".") {
		advice = "see go list std for the packages of the standard library, and go list ./... for those of this module"
	}
	return fmt.Errorf("-for=%s: package %s can't be read: %s; %s", ref, path, why, advice)
}

// stem is what a wrapper's name calls a connection, by which convention finds it: the type's name and its package's, which
// tell it from others of the same name.
func (r *resolver) stem() string { return upperFirst(r.request.ownPrefix()) }

// choose decides on the hook of a kind: what the user has named, or convention finds, or else the best of what may do.
func (p *proposal) choose(kind Kind) error {
	named := p.request.Hooks[kind]
	take, mention := p.proposals(kind)
	if kind == Create && named == "" {
		if take = p.makers(); len(take) == 0 {
			p.wrappers[Create] = p.unknownCreate()
		}
	} else {
		hook, err := p.hook(kind)
		var wrong misfit
		switch {
		case err != nil && (named != "" || !errors.As(err, &wrong)):
			return err
		case named == none:
			return nil
		case hook != nil:
			take = slices.Concat([]candidate{hook.candidate}, take)
		case kind == Close && len(take) == 0 && len(mention) > 0:
			take, mention = mention[:1], mention[1:] // by a wrapper: what is not closed stays open
		}
	}
	if len(take) > 0 {
		if err := p.take(kind, take[0]); err != nil {
			return err
		}
		mention = append(take[1:], mention...)
	}
	for _, c := range mention {
		p.others = append(p.others, choice{kind, c})
	}
	return nil
}

// take makes a function the hook, by a wrapper if it needs one.
func (p *proposal) take(kind Kind, c candidate) error {
	h, err := p.signature(kind, c)
	var wrong misfit
	if errors.As(err, &wrong) {
		cfg := &p.config
		if kind != Create {
			cfg = nil
		}
		p.wrappers[kind] = p.wrapperFor(kind, c, p.stem(), cfg)
	} else if err != nil {
		return err
	} else if _, err := p.use(h, c); err != nil {
		return nil // another pool context than that of create
	} else if kind == Create && guessName(p.path) != p.qualifier() {
		// Its path does not tell the name of the package, so that the file had better import it.
		p.wrappers[kind] = p.wrapperFor(kind, c, p.stem(), nil)
	}
	p.chosen = append(p.chosen, choice{kind, c})
	return nil
}

// unknownCreate is a create for a type that nothing in its package creates.
func (p *proposal) unknownCreate() string {
	return fmt.Sprintf("func new%s(ctx context.Context) (%s, error) {\n\treturn nil, errors.New(%q)\n}", p.stem(), p.pointer(), "TODO: create a "+p.request.Type)
}

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
	outside := func(line string) int {
		return map[bool]int{true: 1}[strings.Contains(strings.Split(line, "/")[0], ".") || strings.Contains(line, " ")]
	}
	slices.SortFunc(lines, func(a, b string) int { return cmp.Or(outside(a)-outside(b), cmp.Compare(a, b)) })
	for i := range lines {
		if i > 0 && outside(lines[i]) != outside(lines[i-1]) {
			lines[i] = "\n" + lines[i]
		}
	}
	if len(lines) == 1 {
		return "import " + lines[0] + "\n"
	}
	return "import (\n" + strings.Join(lines, "\n") + "\n)\n"
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

// occasions are when the pool calls the hooks.
var occasions = map[Kind]string{
	Create:        "when a connection is needed and none is idle",
	NeedsCheck:    "before it leases an idle connection, to know whether to check that",
	Check:         "before it leases an idle connection",
	Close:         "when it has no more use for a connection",
	Reset:         "on release",
	Broken:        "on release; a connection that is broken is not used again",
	AfterCreate:   "for each new connection",
	BeforeAcquire: "before it leases a connection",
	AfterRelease:  "on release",
	BeforeClose:   "before it closes a connection",
	IsFatal:       "with the error that ReleaseErr is given",
}

// comment says what the pool does with the connection, and what else might do.
func (p *proposal) comment(request Request, qualifier string) string {
	var b strings.Builder
	pool, newPool := request.poolNames()
	fmt.Fprintf(&b, "%s, which go generate makes, is a pool of connections of type %s, from %s.\nIt calls\n\n%s\n", pool, p.request.Type, p.path, p.calls())
	switch create := p.chosenFor(Create); {
	case len(p.config.fields) > 0:
		fmt.Fprintf(&b, "%s takes a *%s.\n", newPool, p.config.name)
	case p.context != nil && create != nil:
		fmt.Fprintf(&b, "%s takes the %s.\n", newPool, p.contextName(*create))
	}
	for _, kind := range []Kind{Check, Close} {
		if p.chosenFor(kind) == nil && p.request.Hooks[kind] == "" {
			fmt.Fprintf(&b, "No method looks like a %s hook; -%s=F names one, which may be a function of yours.\n", kind, kind)
		}
	}
	if p.chosenFor(Check) != nil && p.chosenFor(NeedsCheck) == nil {
		fmt.Fprintf(&b, "To check less often, declare func NeedsHealthCheck%s(c %s) bool.\n", p.stem(), p.pointer())
	}
	if others := p.alternatives(qualifier); others != "" {
		b.WriteString("\nOthers that may do, by a flag or called by a function of yours:\n\n" + others)
	}
	var commented strings.Builder
	for line := range strings.Lines(b.String()) {
		commented.WriteString(strings.TrimRight("// "+strings.TrimRight(line, "\n"), " ") + "\n")
	}
	return commented.String()
}

// calls is a table of the hooks.
func (p *proposal) calls() string {
	var rows [][]string
	if p.chosenFor(Create) == nil {
		rows = append(rows, []string{string(Create), "new" + p.stem(), occasions[Create]})
	}
	for _, c := range p.chosen {
		rows = append(rows, []string{string(c.kind), p.shownAs(c.kind, c.candidate), occasions[c.kind]})
	}
	return indented(rows)
}

// shownAs is how a function is called in a comment; a method, whatever declares it, is the connection's.
func (p *proposal) shownAs(kind Kind, c candidate) string {
	if p.isMethod(kind, c) {
		return p.request.Type + "." + c.name()
	}
	return p.display(c)
}

// contextName is what create takes of the pool context.
func (p *proposal) contextName(create candidate) string {
	for v := range create.sig.Params().Variables() {
		if types.Identical(v.Type(), p.context) && v.Name() != "" && v.Name() != "_" {
			return v.Name() + " of " + p.display(create) + ", a " + p.typeString(p.context)
		}
	}
	return p.typeString(p.context) + " for " + p.display(create)
}

// alternatives is a table of what else might do: with a flag, or, if the pool can't call it, with the kind of the hook.
func (p *proposal) alternatives(qualifier string) string {
	const most = 8
	var rows [][]string
	for _, c := range p.others {
		if chosen := p.chosenFor(c.kind); chosen != nil && chosen.obj == c.obj || p.deprecated(c.candidate) {
			continue
		}
		how := "-" + string(c.kind) + "=" + p.flag(c, qualifier)
		if _, err := p.signature(c.kind, c.candidate); err != nil {
			how = string(c.kind) + ":"
		}
		rows = append(rows, []string{how, p.shownAs(c.kind, c.candidate) + p.printed(c.candidate)})
	}
	switch {
	case len(rows) == 0:
		return ""
	case len(rows) > most:
		return indented(rows[:most]) + fmt.Sprintf("\nand %d more.\n", len(rows)-most)
	}
	return indented(rows)
}

// indented are rows as a comment has code.
func indented(rows [][]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush() // to memory
	return "   " + strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "\n", "\n   ") + "\n"
}
