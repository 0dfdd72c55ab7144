package generator

import (
	"encoding/json"
	"go/token"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An outline is all that the text of a pool depends on, save for names of the user's that could as well be others: these
// are marks in it, and what they stand for is kept apart. Pools of one outline differ in these names only, so that the
// template is specialised, parsed and verified once for all of them: see draft.
type outline struct {
	*Connection // as far as it matters
	features    features
	names       names           // of the output
	allowed     map[string]bool // the names that it may declare
	key         string          // which tells outlines apart
}

// A mark is a letter that stands for a name of the user's, and may be part of a longer name, as in ⲀPool. There are 32 of
// them, in capitals for exported names and in small letters for others: ⲀⲁⲂⲃ and so on.
const (
	firstMark = 'Ⲁ'
	markBegin = "\xe2\xb2" // how all of them begin in UTF-8
	marks     = 32         // how many there are
)

// marker gives marks to names.
type marker struct {
	off      bool // give none
	reserved func(name string) bool
	marked   values
}

// values are what the marks stand for.
type values []string

// part is a mark for what is a part of names.
func (m *marker) part(name string) string {
	if m.off {
		return name
	}
	letter := rune(firstMark + 2*len(m.marked))
	m.marked = append(m.marked, name)
	if !token.IsExported(name) {
		letter++
	}
	return string(letter)
}

// name is a mark for an identifier, or pointer to one. What is more than that stays as it is, and so does a name that the
// template uses, too: whether that does any harm depends on where.
func (m *marker) name(name string) string {
	if star, base, ok := strings.Cut(name, "*"); ok && star == "" {
		return "*" + m.name(base)
	}
	if !isName(name) || m.reserved(name) {
		return name
	}
	return m.part(name)
}

// fill puts what the marks stand for in their place.
func (v values) fill(text string) string {
	return string(v.append(make([]byte, 0, len(text)+len(text)/4), text))
}

// append appends a text in which that is done.
func (v values) append(to []byte, text string) []byte {
	if len(v) == 0 {
		return append(to, text...)
	}
	for {
		before, after, found := strings.Cut(text, markBegin)
		to = append(to, before...)
		if !found {
			return to
		}
		to = append(to, v[(after[0]-0x80)/2]...)
		text = after[1:]
	}
}

// Names that stand for others of the same length tell which ones: they begin with standsFor and a letter.
const standsFor = "Zq"

// standFor makes a name of a length, at least 3, that stands for the i-th.
func standFor(i, length int) string {
	return standsFor + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"[i:i+1] + strings.Repeat("x", length-len(standsFor)-1)
}

// like makes names that stand for those with the given indexes, and a key for their lengths. It returns nil if there is
// a name for which this can't be done: one that is too short, or in letters that are longer for gofmt than on the screen.
func (v values) like(indexes []int) (names values, lengths string) {
	if len(v) == 0 {
		return nil, ""
	}
	names = make(values, len(v))
	for _, i := range indexes {
		n := len(v[i])
		if n <= len(standsFor) || n != utf8.RuneCountInString(v[i]) {
			return nil, ""
		}
		names[i] = standFor(i, n)
		lengths += strconv.Itoa(n) + " "
	}
	return names, lengths
}

// unfill is the inverse of fill.
func (v values) unfill(text string) string {
	var pairs []string
	for i, name := range v {
		if name != "" {
			pairs = append(pairs, name, string(firstMark+rune(2*i)))
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// stem is what the names of a pool are made with: its prefix, and that in upper and in lower case.
type stem struct{ as, upper, lower string }

func newStem(prefix string) stem {
	return stem{prefix, upperFirst(prefix), lowerFirst(prefix)}
}

// outline makes the outline of a connection's pool, and tells what its marks stand for.
func (t *template) outline(c *Connection, f features, prefix string) (*outline, values) {
	used, _ := templateNames() // which fails if there is no template
	m := &marker{reserved: func(name string) bool { return used[name] != "" }}
	s := newStem(prefix)
	for _, name := range append(c.named(), prefix) {
		m.off = m.off || strings.Contains(name, markBegin) // a name in Coptic
	}
	s.as, s.upper, s.lower = m.part(s.as), m.part(s.upper), m.part(s.lower)
	marked := &Connection{
		Type: m.name(c.Type), Interface: c.Interface, ByValue: c.ByValue, Context: m.name(c.Context), Key: m.name(c.Key),
		Observer: m.name(c.Observer), Observes: c.Observes, Absent: c.Absent, Unobserved: c.Unobserved, Hooks: map[Kind]*Hook{},
	}
	for _, kind := range Kinds {
		if h := c.Hooks[kind]; h != nil {
			marked.Hooks[kind] = &Hook{Kind: kind, Name: m.name(h.Name), Call: m.name(h.Call), Method: h.Method, OfContext: h.OfContext,
				Params: h.Params, Variadic: h.Variadic, Result: h.Result, Value: h.Value, Cleanup: h.Cleanup, Named: h.Named, Fails: h.Fails}
		}
	}
	key, _ := json.Marshal(marked) // which it can be
	o := &outline{Connection: marked, features: f, names: outputNames(t.ids.declared, s, marked.Type).fit(f, s), key: string(key) + s.as + " " + f.key()}
	o.allow()
	return o, m.marked
}

// named are the names of the user's that may be in the text of a pool.
func (c *Connection) named() []string {
	list := []string{c.Type, c.Context, c.Key, c.Observer}
	for _, h := range c.Hooks {
		list = append(list, h.Name, h.Call)
	}
	return list
}

// allow notes which names the output may declare.
func (o *outline) allow() {
	o.allowed = map[string]bool{"_": true}
	for from, to := range o.names {
		o.allowed[to] = from != "Conn"
	}
}
