package generator

import (
	"cmp"
	"fmt"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Request says which pool to generate. It is what the command line and the header of a generated file
// are parsed into, and what the header is printed from.
type Request struct {
	Dir      string          // the folder of the package, "" for the current one
	Type     string          // the connection type
	Prefix   string          // of the generated names; "" for the type's name
	Output   string          // the file's name or path; "" for the default
	Size     int             // the number of places as a constant; 0 to leave it to the options
	Groups   Choice          // of what the pool may have or not
	Observer string          // the type that is told what happens; "" for none
	Keyed    string          // the type of the keys of a set of pools, as an expression; "" for none
	Hooks    map[Kind]string // the hooks that are named; none switches one off
}

// none is the name that switches a hook off.
const none = "none"

// Kind is what a hook is for; its value is the name of the flag and directive that name the hook.
type Kind string

// The kinds of hooks.
const (
	Create     Kind = "create"
	NeedsCheck Kind = "needs-check"
	Check      Kind = "check"
	Close      Kind = "close"
	Reset      Kind = "reset"
	Broken     Kind = "broken"

	AfterCreate   Kind = "after-create"
	BeforeAcquire Kind = "before-acquire"
	AfterRelease  Kind = "after-release"
	BeforeClose   Kind = "before-close"
	IsFatal       Kind = "is-fatal"
)

// Kinds are all kinds of hooks in the order in which they are listed everywhere.
var Kinds = []Kind{Create, NeedsCheck, Check, Close, Reset, Broken, AfterCreate, BeforeAcquire, AfterRelease, BeforeClose, IsFatal}

// Validate checks that each name in the request is what it must be, so that nothing but a name can reach
// the generated code.
func (r Request) Validate() error {
	if canonical, err := ParseType(r.Type); err != nil {
		return err
	} else if canonical != r.Type {
		return fmt.Errorf("-type=%q: write it %s", r.Type, canonical)
	}
	if r.Prefix != "" && !isName(r.Prefix) {
		return fmt.Errorf("-prefix=%q: not a Go identifier; give one to start the generated names with", r.Prefix)
	}
	if r.Size < 0 || r.Size > 1<<20 {
		return fmt.Errorf("-size=%d: out of range; give the number of places, 1 to %d", r.Size, 1<<20)
	}
	if r.Observer != "" && !isName(r.Observer) {
		return fmt.Errorf("-observer=%q: not the name of a type; give the name of a type of this package, such as -observer=MyObserver", r.Observer)
	}
	if r.Keyed != "" && !r.Groups.has(*Groups.find("stats")) {
		return fmt.Errorf("-keyed=%s: a set of pools needs the feature group stats; add it with -with=stats", r.Keyed)
	}
	if r.Keyed != "" && !isTypeName(r.Keyed) {
		return fmt.Errorf("-keyed=%q: not the name of a type; give the type of the keys, such as -keyed=string or -keyed=netip.AddrPort", r.Keyed)
	}
	if r.Output != "" && !isGoFile(r.Output) {
		return fmt.Errorf("-output=%q: not the name of a Go file; give one that ends in .go", r.Output)
	}
	for _, kind := range Kinds {
		name, ok := r.Hooks[kind]
		if ref, valid := parseReference(name); ok && (!valid || ref.Args != "") {
			return fmt.Errorf("-%s=%q: not the name of a function or method; give one such as Dial, Server.Dial, pgx.ConnectConfig or amqp.Connection.Channel, or %s", kind, name, none)
		}
	}
	return nil
}

// prefix is how the generated names begin.
func (r Request) prefix() string { return cmp.Or(r.Prefix, r.ownPrefix()) }

// ownPrefix is how they begin if the request does not say: with the type's name and, if that is another package's, the
// name of that. What both have in common comes once: ImapClient for imapclient.Client, PgConn for pgconn.PgConn.
func (r Request) ownPrefix() string {
	ref, _ := parseReference(r.Type)
	if ref.local() {
		return ref.Name
	}
	pkg, name := guessName(ref.Path), strings.ToLower(ref.Name)
	if strings.HasPrefix(name, pkg) {
		return ref.Name
	}
	return upperFirst(strings.TrimSuffix(pkg, name)) + ref.Name
}

// isGoFile reports whether a path is one of a file that go build takes for the package's.
func isGoFile(path string) bool {
	base := filepath.Base(path)
	return strings.HasSuffix(base, ".go") && base[0] != '_' && base[0] != '.' && !strings.ContainsFunc(path, unicode.IsControl)
}

func isName(s string) bool { return token.IsIdentifier(s) && s != "_" }

// isTypeName reports whether s is the name of a type, which may be that of another package.
func isTypeName(s string) bool {
	pkg, name, qualified := strings.Cut(s, ".")
	return isName(pkg) && (!qualified || isName(name))
}

// flags is the canonical command line of the request, as the header has it. The output is not part of
// it: that is the file with the header.
func (r Request) flags() string {
	args := []string{"-type=" + r.Type}
	if r.Prefix != "" && r.Prefix != r.ownPrefix() {
		args = append(args, "-prefix="+r.Prefix)
	}
	if r.Size > 0 {
		args = append(args, "-size="+strconv.Itoa(r.Size))
	}
	if r.Observer != "" {
		args = append(args, "-observer="+r.Observer)
	}
	if r.Keyed != "" {
		args = append(args, "-keyed="+r.Keyed)
	}
	args = append(args, r.Groups.flags()...)
	for _, kind := range Kinds {
		if name := r.Hooks[kind]; name != "" {
			args = append(args, "-"+string(kind)+"="+name)
		}
	}
	return strings.Join(args, " ")
}

// parseFlags is the inverse of flags.
func parseFlags(line string) (Request, error) {
	r := Request{Hooks: map[Kind]string{}}
	var with, without []string
	for arg := range strings.FieldsSeq(line) {
		name, value, ok := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		switch {
		case !ok:
			return r, fmt.Errorf("%q in the header is not a flag", arg)
		case name == "type":
			r.Type = value
		case name == "prefix":
			r.Prefix = value
		case name == "size":
			size, err := strconv.Atoi(value)
			if err != nil {
				return r, fmt.Errorf("%q in the header: %w", arg, err)
			}
			r.Size = size
		case name == "observer":
			r.Observer = value
		case name == "keyed":
			r.Keyed = value
		case name == "with":
			with = strings.Split(value, ",")
		case name == "without":
			without = strings.Split(value, ",")
		case slices.Contains(Kinds, Kind(name)):
			r.Hooks[Kind(name)] = value
		default:
			return r, fmt.Errorf("%q in the header is not a flag of poolgen", arg)
		}
	}
	choice, err := Groups.Choose(with, without)
	if err != nil {
		return r, fmt.Errorf("in the header: %w", err)
	}
	r.Groups = choice
	return r, r.Validate()
}
