package generator

import (
	"bytes"
	"context"
	"go/ast"
	"go/parser"
	"path/filepath"
	"strings"
)

// Explanation tells what a pool is made of, and why. Its JSON form is what poolgen explain -json prints; docs/explain.md
// describes it. Lists are in the order in which poolgen lists such things everywhere, and positions as the compiler's.
type Explanation struct {
	Type     string            `json:"type"`
	Position string            `json:"position"`
	Package  string            `json:"package"`  // its name
	Flags    string            `json:"flags"`    // in their canonical form
	Output   string            `json:"output"`   // the path of the file
	Lines    int               `json:"lines"`    // of the file
	Context  *ExplainedContext `json:"context"`  // nil without one
	Errors   []ExplainedError  `json:"errors"`   // that requesters may get
	Hooks    []ExplainedHook   `json:"hooks"`    // of all kinds
	Observes []string          `json:"observes"` // what the observer is told
	Groups   []ExplainedGroup  `json:"groups"`   // all of them
	API      []ExplainedName   `json:"api"`      // as the file has it from top to bottom
	Build    string            `json:"build"`    // why it is not known what the compiler inlines; "" if it is
	Notes    []string          `json:"notes"`    // what poolgen would tell when it generates
}

// ExplainedContext is the type of the pool context.
type ExplainedContext struct {
	Type     string `json:"type"`
	From     string `json:"from"`     // the hook that has shown it
	Position string `json:"position"` // of that
}

// Explain tells what Generate would make of the request, and why. It writes nothing, but builds the package with the pool
// to see what the compiler inlines.
func Explain(ctx context.Context, request Request) (*Explanation, error) {
	pkg, output, err := prepare(ctx, request)
	if err != nil {
		return nil, err
	}
	r, err := newResolver(pkg, request)
	if err != nil {
		return nil, err
	}
	c, err := r.resolve()
	if err != nil {
		return nil, err
	}
	file, err := c.render(request, output)
	if err != nil {
		return nil, err
	}
	return r.explain(ctx, c, file)
}

// explain is Explain for a pool that is rendered.
func (r *resolver) explain(ctx context.Context, c *Connection, file *File) (*Explanation, error) {
	t, err := parsedTemplate()
	if err != nil {
		return nil, err
	}
	out, err := parser.ParseFile(r.fset, file.Path, file.Text, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, err
	}
	e := &Explanation{
		Type:     r.request.Type,
		Position: r.where(r.conn.Obj().Pos()),
		Package:  c.Package,
		Flags:    r.request.flags(),
		Output:   filepath.ToSlash(relative(file.Path)),
		Lines:    bytes.Count(file.Text, []byte("\n")),
		Hooks:    r.explainHooks(c),
		Groups:   t.explainGroups(c, r.request),
		API:      explainAPI(out, outputNames(t.ids.declared, newStem(r.request.prefix()), c.Type)),
		Observes: []string{},
		Notes:    []string{},
	}
	if r.context != nil {
		e.Context = &ExplainedContext{c.Context, r.display(*r.shown), r.where(r.shown.obj.Pos())}
	}
	for _, event := range events {
		if c.Observes[event.name] {
			e.Observes = append(e.Observes, event.name)
		}
	}
	e.Errors = explainErrors(e.API, out, e.Hooks)
	for _, note := range file.Notes {
		e.Notes = append(e.Notes, note.Error())
	}
	found := r.calls(c, file, out)
	decisions, err := compile(ctx, r.Package, c, file)
	if err != nil {
		e.Build = err.Error()
	}
	for i := range e.Hooks {
		h := &e.Hooks[i]
		for _, call := range found[h.Kind] {
			if decisions != nil {
				call.Inlined, call.Why = decisions.inlined(r.fset.Position(call.paren), c.Hooks[h.Kind], r.fset)
			}
			h.Calls = append(h.Calls, call)
		}
	}
	return e, ctx.Err()
}

// firstSentence is the first sentence of a comment, without the name that it begins with.
func firstSentence(doc *ast.CommentGroup, name string) string {
	text := strings.Join(strings.Fields(doc.Text()), " ")
	if end := strings.Index(text, ". "); end >= 0 {
		text = text[:end]
	}
	text = strings.TrimPrefix(strings.TrimSuffix(text, "."), name+" ")
	return strings.TrimPrefix(text, "is ")
}
