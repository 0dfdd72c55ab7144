package generator

import (
	"go/token"
	"strings"
	texttemplate "text/template"
)

// start is a declaration of a connection type to start from.
func (p *Package) start(request Request, ref reference) ([]byte, error) {
	if obj := p.types.Scope().Lookup(ref.Name); obj != nil {
		return nil, at(p.position(obj.Pos()), "%s is declared already: generate its pool with poolgen -type=%s, or see what it has for that with poolgen explain -type=%s",
			ref.Name, ref.Name, ref.Name)
	}
	verb := "New"
	if !token.IsExported(ref.Name) {
		verb = "new"
	}
	pool, newPool := request.poolNames()
	var b strings.Builder
	err := startText.Execute(&b, map[string]string{
		"Package":  p.Name,
		"Generate": "//go:generate go tool poolgen " + request.flags(), // not below, where go generate would see it
		"Type":     ref.Name,
		"Create":   verb + upperFirst(ref.Name),
		"Config":   ref.Name + "Config",
		"Pool":     pool,
		"NewPool":  newPool,
	})
	if err != nil {
		return nil, err
	}
	return formattedFile(b.String())
}

// startText is a connection over TCP, which works as it is.
var startText = texttemplate.Must(texttemplate.New("").Parse(`package {{.Package}}

import (
	"context"
	"net"
	"time"
)

{{.Generate}}

// {{.Config}} is the pool context: what a connection is created from. {{.NewPool}} takes it, and each hook below
// may have it as a parameter. It may be of any other type, or be deleted with the parameter.
type {{.Config}} struct {
	Addr string // host:port
}

// {{.Type}} is a connection. The pool, {{.Pool}}, keeps some of them open, and calls the functions and methods below.
type {{.Type}} struct {
	conn  net.Conn
	known time.Time // when it was last known to work
}

// {{.Create}} creates a connection: the pool calls it when one is needed and none is idle, and ends ctx after the
// option CreateTimeout. It can't be deleted.
func {{.Create}}(ctx context.Context, cfg *{{.Config}}) (*{{.Type}}, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", cfg.Addr)
	if err != nil {
		return nil, err
	}
	return &{{.Type}}{conn: conn, known: time.Now()}, nil
}

// NeedsHealthCheck reports whether a connection is due for a health check. The pool asks whenever it is about to lease
// an idle connection, so this had better be quick. Delete it to have them checked every time.
func (c *{{.Type}}) NeedsHealthCheck() bool { return time.Since(c.known) > 10*time.Second }

// HealthCheck checks that a connection works. If it returns an error, the pool closes the connection and creates another
// one in its place. Delete it, with NeedsHealthCheck, if idle connections don't break.
func (c *{{.Type}}) HealthCheck(ctx context.Context) error {
	// TODO: ask the server something that is cheap to answer, and return the error.
	c.known = time.Now()
	return ctx.Err()
}

// Close closes a connection: the pool calls it when it has no more use for one. Delete it if there is nothing to close.
func (c *{{.Type}}) Close() error { return c.conn.Close() }
`))

// poolNames are the names of the pool and of its constructor.
func (r Request) poolNames() (pool, newPool string) {
	pool = r.prefix() + "Pool"
	if !token.IsExported(pool) {
		return pool, "new" + upperFirst(pool)
	}
	return pool, "New" + pool
}
