package generator

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"strings"
	"sync"
	"sync/atomic"
)

// draft is the output, save for its frame, for all pools of one outline.
type draft struct {
	passages []*passage
	err      error
}

// passage is a part of the output: a few declarations, with blank lines before and after them and none between. gofmt
// formats it as it would within the whole. What it says of names has their marks.
type passage struct {
	raw      string   // not formatted yet
	marks    []int    // the indexes of its marks
	declares []string // the names that it declares
	builtins []string // the names of Go's own that it uses
	paths    []string // of the template's imports that it uses
	err      error

	sized   memo[formatted]  // it formatted, for names of these lengths,
	lengths atomic.Int32     // of which there have been so many
	regular func() formatted // it formatted, if that does not depend on how long the names are
}

type formatted struct {
	text string
	err  error
}

// memo is what has been made already, by what it was made of.
type memo[T any] struct{ made sync.Map }

func (m *memo[T]) get(key string, make func() T) T {
	once, _ := m.made.LoadOrStore(key, sync.OnceValue(make))
	return once.(func() T)()
}

// draft makes the draft of an outline.
func (t *template) draft(o *outline) *draft {
	return t.drafts.get(o.key, func() *draft {
		texts, err := t.texts(o)
		if err != nil {
			return &draft{err: err}
		}
		d := &draft{}
		for _, part := range parallel(append(texts, o.guards(o.names)), func(text string) draft { return t.read(text, o) }) {
			d.passages = append(d.passages, part.passages...)
			if d.err == nil {
				d.err = part.err
			}
		}
		return d
	})
}

// texts are what the files of the template declare for an outline.
func (t *template) texts(o *outline) ([]string, error) {
	type result struct {
		text string
		err  error
	}
	var texts []string
	for _, r := range parallel(t.sources, func(s *source) result {
		text, err := t.specialised(s, o)
		return result{text, err}
	}) {
		if r.err != nil {
			return nil, r.err
		}
		texts = append(texts, r.text)
	}
	return unite(texts)
}

// read reads the passages of a text, and checks that they declare nothing but what they are meant to.
func (t *template) read(text string, o *outline) draft {
	d := draft{}
	for _, raw := range paragraphs(text) {
		p := t.passages.get(raw, func() *passage { return t.passage(raw) })
		d.passages = append(d.passages, p)
		if d.err == nil {
			d.err = p.err
		}
		for _, name := range p.declares {
			if !o.allowed[name] && d.err == nil {
				d.err = fmt.Errorf("poolgen is broken: its output declares %s", name)
			}
		}
	}
	return d
}

// paragraphs divides declarations where lines are blank, but not within a declaration: there the next line is indented.
func paragraphs(text string) []string {
	var list []string
	begun, at, blank := 0, 0, false
	text = strings.TrimLeft(text, "\n")
	for line := range strings.Lines(text) {
		if blank && strings.TrimLeft(line[:1], "\t )}\n") != "" {
			list, begun = append(list, text[begun:at]), at
		}
		blank = strings.TrimSpace(line) == ""
		at += len(line)
	}
	if strings.TrimSpace(text[begun:]) != "" {
		list = append(list, text[begun:])
	}
	return list
}

// passage reads a passage.
func (t *template) passage(raw string) *passage {
	file, err := parse(token.NewFileSet(), raw)
	if err != nil {
		return &passage{err: err}
	}
	p := &passage{raw: raw, paths: t.used(file), builtins: t.needed(file), err: verifyDirectives(file)}
	p.regular = sync.OnceValue(p.anyLength)
	for _, decl := range file.Decls {
		p.declares = append(p.declares, declared(decl)...)
	}
	for i := range marks {
		if strings.Contains(raw, string(firstMark+rune(2*i))) || strings.Contains(raw, string(firstMark+rune(2*i+1))) {
			p.marks = append(p.marks, i)
		}
	}
	return p
}

// formatted is the passage as gofmt lays it out for these names, still with marks. Of names, gofmt sees how long they are, so
// it need not be run again for names as long as others have been.
func (p *passage) formatted(v values) (string, error) {
	like, lengths := v.like(p.marks)
	if like == nil || strings.Contains(p.raw, standsFor) {
		_, text, err := gofmt(dropBlankLines(v.fill(p.raw)))
		return text, err
	}
	f := p.sized.get(lengths, func() formatted {
		if p.lengths.Add(1) > 2 {
			if f := p.regular(); f.text != "" {
				return f
			}
		}
		_, text, err := gofmt(dropBlankLines(like.fill(p.raw)))
		return formatted{like.unfill(text), err}
	})
	return f.text, f.err
}

// anyLength formats the passage with names as short as a mark, and with very long ones, each of another length: if gofmt
// makes the same of both, it does so whatever they are.
func (p *passage) anyLength() formatted {
	long := make(values, marks)
	for i := range long {
		long[i] = standFor(i, 50+i*i)
	}
	_, short, err := gofmt(dropBlankLines(p.raw))
	_, other, otherErr := gofmt(dropBlankLines(long.fill(p.raw)))
	if err != nil || otherErr != nil || other != long.fill(short) {
		return formatted{}
	}
	return formatted{text: short}
}

// parse parses declarations.
func parse(fset *token.FileSet, text string) (*ast.File, error) {
	file, err := parser.ParseFile(fset, "", clause+"\n"+text, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("poolgen is broken: its output does not parse: %w", err)
	}
	return file, nil
}

const clause = "package p\n"

// gofmt formats declarations.
func gofmt(text string) (file *ast.File, formatted string, err error) {
	fset := token.NewFileSet()
	if file, err = parse(fset, text); err != nil {
		return nil, "", err
	}
	var out strings.Builder
	err = format.Node(&out, fset, file)
	return file, strings.TrimLeft(strings.TrimPrefix(out.String(), clause), "\n"), err
}
