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
				if words, err := splitWords(line); ok && err == nil && p.fset.Position(comment.Pos()).Column == 1 {
					if args, ok := poolgenArgs(words); ok && wants(args, typ) {
						return true
					}
				}
			}
		}
	}
	return false
}

// wants reports whether the arguments of poolgen name the type.
func wants(args []string, typ string) bool {
	plain := func(s string) string { return strings.ReplaceAll(s, " ", "") }
	for i, arg := range args {
		name, value, ok := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if !ok && i+1 < len(args) {
			value = args[i+1]
		}
		if strings.HasPrefix(arg, "-") && name == "type" && slices.ContainsFunc(SplitNames(value), func(s string) bool { return plain(s) == plain(typ) }) {
			return true
		}
	}
	return false
}
