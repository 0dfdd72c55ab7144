package generator

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const constructor = "func NewConn() (*Conn, error) { return nil, nil }\n"

// hostile are packages that are made to keep poolgen busy for ever, to exhaust it, or to break it.
var hostile = map[string]string{
	"a type that contains itself":            "type Conn struct{ Conn }\n" + constructor,
	"types that contain each other":          "type Conn struct{ A }\ntype A struct{ B }\ntype B struct{ Conn }\n" + constructor,
	"an alias of itself":                     "type Conn = Conn\n" + constructor,
	"an instance within itself, for ever":    "type Conn struct{ next *Node[int] }\ntype Node[T any] struct{ next *Node[Node[T]] }\n" + constructor,
	"an array of more than there is":         "type Conn struct{ all [1 << 62][1 << 62]int }\n" + constructor,
	"a constant that takes long":             "const n = 1 << 500 << 500 << 500 << 500\ntype Conn struct{ all [n * n * n / n]int }\n" + constructor,
	"a type nested deeply":                   "type Conn " + strings.Repeat("[]", 200_000) + "int\n" + constructor,
	"an expression nested deeply":            "var x = " + strings.Repeat("(", 200_000) + "1" + strings.Repeat(")", 200_000) + "\ntype Conn int\n" + constructor,
	"blocks nested deeply":                   "func f() " + strings.Repeat("{", 200_000) + strings.Repeat("}", 200_000) + "\ntype Conn int\n" + constructor,
	"a long chain of embedded types":         chain(3_000) + "type Conn struct{ *T2999 }\n" + constructor,
	"many methods":                           "type Conn int\n" + constructor + strings.Repeat("func (c *Conn) M() {}\n", 50_000),
	"a name that is long":                    "type Conn int\n" + constructor + "func (c *Conn) Clos" + strings.Repeat("e", 1<<20) + "() {}\n",
	"a comment that is long":                 "// " + strings.Repeat("x", 4<<20) + "\ntype Conn int\n" + constructor,
	"a needs-check hook that calls itself":   "type Conn int\n" + constructor + "func (c *Conn) HealthCheck() error { return nil }\nfunc (c *Conn) NeedsHealthCheck() bool { return c.NeedsHealthCheck() }\n",
	"a needs-check hook that goes far":       "type Conn int\n" + constructor + "func (c *Conn) HealthCheck() error { return nil }\nfunc (c *Conn) NeedsHealthCheck() bool { return c.f0() }\n" + callees(2_000),
	"a file of zeros":                        strings.Repeat("\x00", 1<<20),
	"what is no UTF-8":                       "type Conn int\n" + constructor + "// \xff\xfe\n",
	"a string that does not end":             "type Conn int\n" + constructor + "var s = `" + strings.Repeat("x", 1<<20),
	"a line that pretends to be another":     "//line /etc/passwd:1\ntype Conn int\n" + constructor,
	"a parameter of a type of many names":    "type Conn int\nfunc NewConn(c struct{ " + strings.Repeat("a, ", 100_000) + "b int }) (*Conn, error) { return nil, nil }\n",
	"a parameter of a function of functions": "type Conn int\nfunc NewConn(c " + strings.Repeat("func(", 5_000) + strings.Repeat(")", 5_000) + ") (*Conn, error) { return nil, nil }\n",
}

// chain are types each of which embeds the one before.
func chain(n int) string {
	var b strings.Builder
	b.WriteString("type T0 struct{ n int }\n")
	for i := 1; i < n; i++ {
		b.WriteString(numbered("type T# struct{ *T@ }\n", i))
	}
	return b.String()
}

// callees are methods each of which is called by the one before, twice.
func callees(n int) string {
	var b strings.Builder
	for i := 1; i < n; i++ {
		b.WriteString(numbered("func (c *Conn) f@() bool { return c.f#() || c.f#() }\n", i))
	}
	return b.String() + numbered("func (c *Conn) f@() bool { return *c > 3 }\n", n)
}

// numbered puts i in place of each #, and the number before it in place of each @.
func numbered(format string, i int) string {
	return strings.NewReplacer("#", strconv.Itoa(i), "@", strconv.Itoa(i-1)).Replace(format)
}

// Whatever a package holds, the outcome is an error that says where, or a pool, in a few seconds.
func TestHostilePackagesEndSoon(t *testing.T) {
	for name, source := range hostile {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			conn := filepath.Join(dir, "conn.go")
			require.NoError(t, os.WriteFile(conn, []byte("package app\n\n"+source), 0o644))
			request := Request{Type: "Conn"}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			begun := time.Now()
			pkg, err := read(ctx, &listing{Name: "app", PkgPath: "example.com/app", GoFiles: []string{conn}}, request, dir, "")
			if err == nil {
				_, err = generate(pkg, request, filepath.Join(dir, "conn_pool.go"))
			}
			t.Logf("%v: %.200v", time.Since(begun), err)
			require.Less(t, time.Since(begun), 20*time.Second)
			if err != nil {
				require.NotContains(t, err.Error(), "poolgen is broken")
				require.NotContains(t, err.Error(), "passwd:", "a position that the file has made up")
				require.Less(t, len(err.Error()), 1<<16)
			}
		})
	}
}
