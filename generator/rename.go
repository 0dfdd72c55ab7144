package generator

import (
	"cmp"
	"go/ast"
	"go/token"
	"iter"
	"strings"
)

// names maps the package-level names of the template to those of the output.
type names map[string]string

// The names of the types behind the guards, and of those that have the missing methods in their stead. They are not the
// template's: no word of that can be like them.
const (
	again       = "go generate again"
	againEvents = "go generate again for events"
	absent      = "absent methods"
	absentEvent = "absent events"
)

// outputNames are the names of a pool. Those that the template exports stay exported, unless the connection type is not.
func outputNames(declared map[string]bool, s stem, typ string) names {
	n := names{
		again: "goGenerate" + s.upper + "PoolAgain", againEvents: "goGenerate" + s.upper + "PoolAgainForEvents",
		absent: s.lower + "Absent", absentEvent: s.lower + "AbsentEvents",
	}
	for name := range declared {
		switch {
		case name == "Conn":
			n[name] = typ
		case name == "Context", name == "none", name == "Key", name == "Observer", standIns[name] != "":
		case strings.HasPrefix(name, "err") && len(name) > 3 && token.IsExported(name[3:]):
			n[name] = "err" + s.upper + name[3:]
		case !token.IsExported(name):
			n[name] = s.lower + upperFirst(name)
		case strings.HasPrefix(name, "New"), strings.HasPrefix(name, "Err"):
			n[name] = name[:3] + s.upper + name[3:]
			if !token.IsExported(s.as) {
				n[name] = lowerFirst(n[name][:3]) + n[name][3:]
			}
		default:
			n[name] = s.as + name
		}
	}
	return n
}

// rename renames the identifiers that refer to package-level names, and the words in comments and strings
// that do.
// The types that stand for the user's others are replaced by those.
func (s *source) rename(n names, ids *identifiers, others map[string]string) {
	var shadow *ast.BlockStmt // where a variable has the name of the connection type, which has an alias
	for _, node := range s.nodes() {
		switch node := node.(type) {
		case *ast.Ident:
			if !ids.global[node] {
				continue
			}
			to := cmp.Or(n[node.Name], others[node.Name])
			if shadow != nil && shadow.Pos() < node.Pos() && node.Pos() < shadow.End() {
				switch {
				case to == n["Conn"]:
					to = n["leased"]
				case to == noneOf(n["Conn"]):
					to = noneOf(n["leased"])
				}
			}
			if to != "" {
				s.replace(node.Pos(), node.End(), to)
			}
		case *ast.BasicLit:
			if node.Kind == token.STRING {
				s.replace(node.Pos(), node.End(), n.inText(node.Value))
			}
		case *ast.FuncDecl:
			if shadow = nil; mentioned(n["Conn"], ids.locals[node]) != "" {
				shadow = node.Body
			}
			s.renameDoc(n, node.Doc, node.Name, node.Recv == nil)
		case *ast.GenDecl:
			for _, spec := range node.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					s.renameDoc(n, node.Doc, spec.Name, true)
				case *ast.ValueSpec:
					s.renameDoc(n, node.Doc, spec.Names[0], spec.Names[0].Name == "_" || ids.global[spec.Names[0]])
				}
			}
		}
	}
	for _, group := range s.file.Comments {
		for _, c := range group.List {
			if !strings.HasPrefix(c.Text, "//poolgen:") || strings.HasPrefix(c.Text, onceMark) {
				s.replaceText(c, n.inText(c.Text))
			}
		}
	}
}

// replaceText replaces the text of a comment. If it has been already, that stays: of two edits of a range the first is
// made.
func (s *source) replaceText(c *ast.Comment, text string) {
	if feature, _ := remark(c.Text); feature == "" && text != c.Text {
		s.replace(c.Pos(), c.End(), text)
	}
}

// renameDoc renames the unexported name with which a doc comment begins; exported ones are renamed wherever
// they stand, unless it is that of a method.
func (s *source) renameDoc(n names, doc *ast.CommentGroup, name *ast.Ident, packageLevel bool) {
	if doc == nil || n[name.Name] == "" || packageLevel && token.IsExported(name.Name) {
		return
	}
	if rest, ok := strings.CutPrefix(doc.List[0].Text, "// "+name.Name+" "); ok {
		if !packageLevel { // a method keeps its name, even if a type has it, too: an edit that changes nothing keeps others out
			s.replace(doc.List[0].Pos(), doc.List[0].End(), "// "+name.Name+" "+n.inText(rest))
			return
		}
		s.replaceText(doc.List[0], "// "+n[name.Name]+" "+n.inText(rest))
	}
}

// fit makes a name that is of no use to users of a pool with these features one that they don't see.
func (n names) fit(f features, s stem) names {
	if !f["hasStats"] {
		n["PoolStats"] = s.lower + "Stats"
	}
	return n
}

// inText renames the exported names in the text of a comment or string. Conn is also a method, so it is
// renamed only where a link shows that the type is meant.
func (n names) inText(text string) string {
	var b strings.Builder
	at := 0
	for from, to := range exportedWords(text) {
		word, before := text[from:to], text[at:from]
		if n[word] == "" || word == "Conn" && !strings.HasSuffix(before, "[") && !strings.HasSuffix(before, "[*") {
			continue
		}
		b.WriteString(before)
		b.WriteString(n[word])
		at = to
	}
	if at == 0 {
		return text
	}
	b.WriteString(text[at:])
	return b.String()
}

// exportedWords are the ranges of the words in a text that begin with a capital letter.
func exportedWords(text string) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		for from := 0; from < len(text); from++ {
			to := from
			for to < len(text) && isWord(text[to]) {
				to++
			}
			if from < to && 'A' <= text[from] && text[from] <= 'Z' && !yield(from, to) {
				return
			}
			from = to
		}
	}
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}
