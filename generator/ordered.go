package generator

import (
	"slices"
	"strings"
)

// orderedMark is what a generated file says of itself if a //go:generate line of its package makes it: so check can tell that
// the line is gone from that there has never been one, as with a Makefile.
const orderedMark = "A //go:generate line makes it."

// ordered reports whether a //go:generate line makes pools of the type, as far as its words tell. It depends on the package
// alone, not on who runs poolgen, so that everybody makes the same file.
func (p *Package) ordered(typ string) bool {
	for _, file := range p.files {
		for _, group := range file.Comments {
			for _, comment := range group.List {
				line, ok := strings.CutPrefix(comment.Text, "//go:generate ")
				if words, err := splitWords(line); ok && err == nil && p.fset.Position(comment.Pos()).Column == 1 && orders(words, typ) {
					return true
				}
			}
		}
	}
	return false
}

// orders reports whether a command makes pools of the type.
func orders(words []string, typ string) bool {
	plain := func(s string) string { return strings.ReplaceAll(s, " ", "") }
	for i, word := range words {
		name, value, ok := strings.Cut(strings.TrimLeft(word, "-"), "=")
		if !ok && i+1 < len(words) {
			value = words[i+1]
		}
		if strings.HasPrefix(word, "-") && name == "type" && slices.ContainsFunc(append(SplitNames(value), value), func(s string) bool { return plain(s) == plain(typ) }) {
			return slices.ContainsFunc(words[:i], isPoolgen)
		}
	}
	return false
}
