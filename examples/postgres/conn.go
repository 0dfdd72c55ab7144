package main

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Config is what a Conn needs to know. The pool hands it to DialConn.
type Config struct {
	Postgres   *pgx.ConnConfig
	CheckAfter time.Duration // how long a connection may be unused before it has to be checked
}

// Conn is a connection to PostgreSQL, with what a pool needs to know about it.
type Conn struct {
	*pgx.Conn
	checkAfter time.Duration
	released   time.Time
}

// DialConn connects to the server. Here the pool finds its create hook.
func DialConn(ctx context.Context, cfg *Config) (*Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, cfg.Postgres)
	if err != nil {
		return nil, err
	}
	return &Conn{Conn: conn, checkAfter: cfg.CheckAfter, released: time.Now()}, nil
}

// NeedsHealthCheck reports whether the connection has not been used for a while: the pool then has Ping check it.
func (c *Conn) NeedsHealthCheck() bool { return time.Since(c.released) > c.checkAfter }

// Ping has the server answer an empty query.
func (c *Conn) Ping(ctx context.Context) error { return c.Conn.Ping(ctx) }

// AfterRelease looks at what the requester has left behind. A transaction that is still open is rolled back by
// discarding the connection: that takes no round trip here, on the requester's goroutine, and leaves no settings,
// locks or temporary tables of a code path that has gone wrong. So does a result that was not read to its end.
func (c *Conn) AfterRelease() error {
	c.released = time.Now()
	switch {
	case c.PgConn().IsClosed():
		return errClosed
	case c.PgConn().IsBusy():
		return errBusy
	case c.PgConn().TxStatus() != 'I':
		return errTransaction
	}
	return nil
}

var (
	errClosed      = errors.New("the connection has failed")
	errBusy        = errors.New("a result was not read to its end")
	errTransaction = errors.New("a transaction was left open")
)

// IsFatal tells errors after which the connection is of no use from those that are the statement's alone. The pool asks
// that of the error that ReleaseErr is given.
func (c *Conn) IsFatal(err error) bool {
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return c.PgConn().IsClosed()
	}
	// A server that shuts down, or has crashed, or became a standby of the one that we want.
	const readOnlyTransaction = "25006"
	return said.Code == readOnlyTransaction || len(said.Code) == 5 && said.Code[:3] == "57P"
}

// Close says goodbye to the server, and waits until the connection is gone: if a context ended during a query,
// pgx asks the server to cancel it, in the background. A new connection before that would be one too many.
func (c *Conn) Close(ctx context.Context) error {
	err := c.Conn.Close(ctx)
	select {
	case <-c.PgConn().CleanupDone():
		return err
	case <-ctx.Done(): // pgx would take up to 15 seconds
		return errors.Join(ctx.Err(), c.PgConn().Conn().Close())
	}
}
