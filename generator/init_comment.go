package generator

import (
	"fmt"
	"go/types"
	"strings"
	"text/tabwriter"
)

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
