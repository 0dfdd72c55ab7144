package generator

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// source is a file of the template with the edits that are to be made to it. Edits are made to the text, by
// offset, as that leaves every comment where the author put it.
type source struct {
	name  string
	text  string
	file  *ast.File
	base  int                    // of positions
	marks func() ([]mark, error) // in the comments
	nodes func() []ast.Node      // all nodes, in the order of ast.Preorder, which would walk them for each pass again
	edits []edit

	renames *memo[[]edit] // the edits that rename, by what the names depend on
}

// edit replaces the text from one offset up to another. An edit within the range of another is dropped.
type edit struct {
	from, to int
	text     string
}

// unedited is a file without edits, for those of another pool: the file itself is nobody's to change.
func (s *source) unedited() *source {
	return &source{name: s.name, text: s.text, file: s.file, base: s.base, marks: s.marks, nodes: s.nodes, renames: s.renames}
}

func (s *source) offset(pos token.Pos) int { return int(pos) - s.base }

// replace replaces the text of a range.
func (s *source) replace(from, to token.Pos, text string) {
	s.edits = append(s.edits, edit{from: s.offset(from), to: s.offset(to), text: text})
}

// cut removes a range and, if nothing else is left on its lines, these.
func (s *source) cut(from, to int) {
	start := strings.LastIndexByte(s.text[:from], '\n') + 1
	end := to
	if i := strings.IndexByte(s.text[to:], '\n'); i >= 0 {
		end = to + i + 1
	}
	if strings.TrimSpace(s.text[start:from]) == "" && strings.TrimSpace(s.text[to:end]) == "" {
		from, to = start, end
	}
	s.edits = append(s.edits, edit{from: from, to: to})
}

// slice returns the text of a range with the edits made. Of two edits of which one lies within the other,
// the outer one is made; the outer one has the inner one in its text if it wants it.
func (s *source) slice(from, to int) (string, error) {
	edits := slices.DeleteFunc(slices.Clone(s.edits), func(e edit) bool { return e.from < from || e.to > to || e.from == from && e.to == to })
	slices.SortStableFunc(edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to))
	})
	var b strings.Builder
	at := from
	for _, e := range edits {
		switch {
		case e.from >= at:
			b.WriteString(s.text[at:e.from])
			b.WriteString(e.text)
			at = e.to
		case e.to > at:
			return "", fmt.Errorf("%s: edits overlap at %q", s.name, s.text[e.from:e.to])
		}
	}
	b.WriteString(s.text[at:to])
	return b.String(), nil
}
