package generator

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
)

// needsCheck is a package with a needs-check. Its source is the body of a method of MyConn, or a function, or
// files that go beside conn.go.
type needsCheck struct{ name, source string }

// connFile declares what the needs-checks look at.
const connFile = `package app

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/app/other"
)

type MyConn struct {
	id, max       int
	name          string
	broken        bool
	used          time.Time
	ttl           time.Duration
	closed        atomic.Bool
	last          atomic.Int64
	current       atomic.Pointer[MyConn]
	birth         *time.Time
	count         *atomic.Int64
	stamp         struct{ *time.Time }
	own           mine
	err, cause    error
	what          any
	peer          *MyConn
	raw           *other.Conn
	foreign       other.Conn
	flag          other.Flag
	month         time.Month
	moon, full    moon
	stats, before stats
	list          []int
	all           []stats
	ask           func() bool
	done          chan bool
	mu            sync.Mutex
	nested
	*remote
}

type (
	level  int
	moon   time.Month
	stats  struct{ uses int; last any }
	nested struct{ depth int; inner }
	inner  struct{ bottom int }
	remote struct{ port int }
	mine   struct{ err error }
	Limits struct{ idle time.Duration }
	Small  struct{ id int }
)

const maxUses = 7

var maxIdle = 5 * time.Second

func NewMyConn() (*MyConn, error)           { return new(MyConn), nil }
func (c *MyConn) HealthCheck() error        { return nil }
func (c *MyConn) isOld() bool               { return c.peer.id > 3 }
func isOld(c *MyConn) bool                  { return c.peer.id > 3 }
func (m mine) Load() int                    { return len(m.err.Error()) }
func (m mine) Since(time.Time) int          { return len(m.err.Error()) }
func NewSmall() (*Small, error)             { return new(Small), nil }
func HealthCheckSmall(*Small) error         { return nil }

var _ = runtime.Goexit
`

// otherFile is a package of which poolgen knows nothing.
const otherFile = `package other

import "time"

const (
	Second = time.Second
	Limit  = 3
)

type (
	Conn int
	Flag bool
)

func IsOld(id int) bool             { return 8/id > 3 }
func Since(t time.Time) time.Duration { panic(t) }
`

// write writes the package with its pool and returns that.
func (n needsCheck) write(t *testing.T, dir string) string {
	t.Helper()
	files := txtar.Parse([]byte(n.source))
	if source := n.source; len(files.Files) == 0 {
		if !strings.HasPrefix(source, "func ") {
			source = "func (c *MyConn) NeedsHealthCheck() bool {\n\t" + source + "\n}"
		}
		files.Comment, files.Files = nil, []txtar.File{{Name: "conn.go", Data: []byte(connFile + source)}}
	} else {
		files.Files = append([]txtar.File{{Name: "conn.go", Data: []byte(connFile)}}, files.Files...)
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	for _, file := range files.Files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file.Name), file.Data, 0o644))
	}
	request := Request{Dir: dir, Type: "MyConn"}
	if strings.Contains(n.source, "Small") {
		request.Type = "Small"
	}
	pool, err := Generate(context.Background(), request)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(pool.Path, pool.Text, 0o644))
	return string(pool.Text)
}

var recoverGuard = regexp.MustCompile(`Error\{Op: "needs health check", Err: fmt\.Errorf\(\w+, recover\(\)`)

// The guard against a needs-check that does not return costs more than most of them do.
func TestOnlyANeedsCheckThatMightNotReturnIsGuarded(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/app\n\ngo 1.25\n", "other/other.go": otherFile} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	t.Run("each", func(t *testing.T) {
		for i, n := range slices.Concat(provenToReturn, notProven) {
			t.Run(n.name, func(t *testing.T) {
				t.Parallel()
				pool := n.write(t, filepath.Join(root, strings.ReplaceAll(n.name, " ", "_")))
				require.Regexp(t, `due := |for !s\.ready && `, pool)
				require.Equal(t, i >= len(provenToReturn), recoverGuard.MatchString(pool))
			})
		}
	})
	vet := exec.Command("go", "vet", "./...") // the needs-checks, too: one that does not compile proves nothing
	vet.Dir = root
	vet.Env = append(os.Environ(), "GOWORK=off", "GOPROXY=off", "GOTOOLCHAIN=local")
	out, err := vet.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// These always return, so there is nothing to guard.
var provenToReturn = []needsCheck{
	{"a constant", `return false`},
	{"a field", `return c.broken`},
	{"a comparison", `return c.id > 100`},
	{"the time since", `return time.Since(c.used) > c.ttl`},
	{"the time until", `return time.Until(c.used.Add(time.Hour)) < 5*time.Second`},
	{"methods of times", `return c.used.IsZero() || c.used.Before(time.Now()) || c.ttl.Seconds() > 1.5`},
	{"logic", `return !c.broken && (c.id == 0 || -c.id+1 != 4*c.max-2)`},
	{"an if", "if c.broken {\n\t\treturn true\n\t}\n\treturn c.id > 3"},
	{"an if with else", "if age := time.Since(c.used); age > c.ttl {\n\t\treturn true\n\t} else if c.broken {\n\t\treturn c.id > 3\n\t} else {\n\t\treturn false\n\t}"},
	{"a definition", "idle := time.Now().Sub(c.used)\n\treturn idle >= time.Minute"},
	{"a variable called time", "time := c.used\n\treturn time.IsZero()"},
	{"atomics", `return c.closed.Load() || time.Now().UnixNano()-c.last.Load() > int64(time.Minute)`},
	{"an atomic pointer", `return c.current.Load() == nil`},
	{"arguments that are calls", `return time.Since(time.Unix(0, c.last.Load())) > c.ttl`},
	{"an error that is nil", `return c.err != nil`},
	{"pointers", `return c.peer != nil && nil != c.raw && c.peer != c`},
	{"a field of a field", `return c.stats.uses > maxUses`},
	{"a field of an embedded field", `return c.depth > 3`},
	{"a variable of the package", `return time.Since(c.used) > maxIdle`},
	{"operators with constants", `return c.id/2 > 3 && c.id%maxUses == 1 && c.id<<2 > c.id>>1 && c.id/int(time.Second/time.Millisecond) > 1`},
	{"conversions", `return float64(c.id)*1.5 > 2 && level(c.id) > 1 && int64(c.ttl) != c.last.Load()`},
	{"strings", `return c.name == "" || c.name > "b"`},
	{"parentheses", `return (((c)).id) > (3)`},
	{"a value receiver", `func (c Small) NeedsHealthCheck() bool { return c.id > 3 }`},
	{"a function", `func NeedsHealthCheckMyConn(c *MyConn) bool { return c.id > 3 }`},
	{"a function of a value", `func NeedsHealthCheckSmall(c Small) bool { return c.id > 3 }`},
	{"a pool context that is a value", `func (c *MyConn) NeedsHealthCheck(l Limits) bool { return time.Since(c.used) > l.idle }`},
	{"a pool context that is looked at only", `func (c *MyConn) NeedsHealthCheck(l *Limits) bool { return l == nil }`},
	{"a method of a pool context that is a value", `func (l Limits) NeedsHealthCheckMyConn(c *MyConn) bool { return time.Since(c.used) > l.idle }`},
	{"an import by another name", "-- a.go --\npackage app\nimport clock \"time\"\nfunc (c *MyConn) NeedsHealthCheck() bool { return clock.Since(c.used) > clock.Second }"},
	{"an import by a dot", "-- a.go --\npackage app\nimport . \"time\"\nfunc (c *MyConn) NeedsHealthCheck() bool { return Since(c.used) > Second }"},
}

// These might not return, or nobody can tell.
var notProven = []needsCheck{
	{"a panic", "panic(c.id)"},
	{"the end of the goroutine", "runtime.Goexit()\n\treturn false"},
	{"a loop", "for {\n\t}"},
	{"a loop behind an if", "if c.broken {\n\t\tfor {\n\t\t}\n\t}\n\treturn false"},
	{"a loop behind an else", "if c.broken {\n\t\treturn true\n\t} else {\n\t\tfor {\n\t\t}\n\t}"},
	{"a channel", `return <-c.done`},
	{"a lock", "c.mu.Lock()\n\tdefer c.mu.Unlock()\n\treturn c.broken"},
	{"a field behind a pointer", `return c.peer.id > 3`},
	{"that in the condition of an if", "if c.peer.broken {\n\t\treturn true\n\t}\n\treturn false"},
	{"that in the definition of an if", "if id := c.peer.id; id > 3 {\n\t\treturn true\n\t}\n\treturn false"},
	{"that in a definition", "id := c.peer.id\n\treturn id > 3"},
	{"that in an argument", `return time.Since(c.peer.used) > 3`},
	{"that to the left", `return c.peer.id == 3`},
	{"that to the right", `return 3 == c.peer.id`},
	{"that in a negation", `return !c.peer.broken`},
	{"that in a conversion", `return int64(c.peer.id) > 3`},
	{"that in parentheses", `return (c.peer.id) > 3`},
	{"that below a method", `return c.peer.used.IsZero()`},
	{"a pointer", `return *c.birth == time.Time{}`},
	{"a variable that is a pointer", "peer := c.peer\n\treturn peer.id > 3"},
	{"a variable called like the receiver", "if c := c.peer; c.id > 3 {\n\t\treturn true\n\t}\n\treturn false"},
	{"a receiver that gets another value", "c, broken := c.peer, true\n\treturn broken && c.id > 3"},
	{"a receiver that is assigned to", "c = c.peer\n\treturn c.id > 3"},
	{"an embedded pointer", `return c.port > 3`},
	{"a field that may be hidden", `return c.bottom > 3`},
	{"a time behind a pointer", `return c.birth.IsZero()`},
	{"an atomic behind a pointer", `return c.count.Load() > 3`},
	{"a time in a struct behind a pointer", `return c.stamp.IsZero()`},
	{"a time zone", `return c.used.Hour() > 3`},
	{"a method with the name of another", `return c.own.Load() > 3`},
	{"a method value", "text := c.err.Error\n\treturn text != nil"},
	{"a method expression", "-- a.go --\npackage app\nimport . \"time\"\nfunc (c *MyConn) NeedsHealthCheck() bool { return Time.IsZero(c.used) }"},
	{"a package called time", "-- a.go --\npackage app\nimport time \"example.com/app/other\"\nfunc (c *MyConn) NeedsHealthCheck() bool { return time.Since(c.used) > 3 }"},
	{"a homemade package called time", "-- conn.go --\npackage time\n\ntype MyConn struct{ id int }\n\nfunc NewMyConn() (*MyConn, error) { return new(MyConn), nil }\nfunc (c *MyConn) Ping() error { return nil }\nfunc Since(c *MyConn) int { return 8 / c.id }\nfunc (c *MyConn) NeedsHealthCheck() bool { return Since(c) > 3 }"},
	{"a variable with the methods of time", "time := c.own\n\treturn time.Since(c.used) > 3"},
	{"a division", `return c.id/c.max > 3`},
	{"a remainder", `return c.id%c.max > 3`},
	{"a shift to the left", `return 1<<c.max > 3`},
	{"a shift to the right", `return c.id>>c.max > 3`},
	{"interfaces", `return c.err == c.cause`},
	{"an interface and a number", `return c.what == 3`},
	{"structs", `return c.stats == c.before`},
	{"an element", `return c.list[0] > 3`},
	{"a field of an element", `return c.all[0].uses > 3`},
	{"an array of a slice", "array := (*[4]int)(c.list)\n\treturn array != nil"},
	{"a type assertion", `return c.what.(bool)`},
	{"a function value", `return c.ask != nil && c.ask()`},
	{"a function literal", `return func() bool { return c.broken }()`},
	{"another method", `return c.isOld()`},
	{"another function", `return isOld(c)`},
	{"a foreign function", `return other.IsOld(c.id)`},
	{"a foreign constant", `return c.id > other.Limit`},
	{"a foreign type", `return c.foreign == 3`},
	{"an unknown type", `return time.Duration(c.month) > 3`},
	{"a type made of an unknown one", `return c.moon == c.full`},
	{"a foreign type in a condition", "if !c.flag {\n\t\treturn true\n\t}\n\treturn false"},
	{"a result with a name", "-- a.go --\npackage app\nfunc (c *MyConn) NeedsHealthCheck() (due bool) { return }"},
	{"no body", "-- a.go --\npackage app\nfunc (c *MyConn) NeedsHealthCheck() bool\n-- a.s --\n"},
	{"a pool context that may be nil", `func (c *MyConn) NeedsHealthCheck(l *Limits) bool { return time.Since(c.used) > l.idle }`},
	{"a method of a pool context that may be nil", `func (l *Limits) NeedsHealthCheckMyConn(c *MyConn) bool { return time.Since(c.used) > l.idle }`},
	{"a method of an embedded type", `func (n nested) NeedsHealthCheck() bool { return n.depth > 3 }`},
	{"a method behind an embedded pointer", `func (r remote) NeedsHealthCheck() bool { return true }`},
	{"a file for one system", "-- a_" + runtime.GOOS + ".go --\npackage app\n-- b.go --\npackage app\nfunc (c *MyConn) NeedsHealthCheck() bool { return c.id > 3 }"},
	{"a file for some builds", "-- a.go --\n//go:build !none\n\npackage app\n-- b.go --\npackage app\nfunc (c *MyConn) NeedsHealthCheck() bool { return c.id > 3 }"},
}
