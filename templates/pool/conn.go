package pool

import (
	"context"
	"time"
)

// Conn, Context and the functions below stand for what the user declares. The
// generator replaces the types by the user's and each call of a function by a
// call of the user's hook, at the place where it stands.

// Conn is the connection of the template's own tests.
type Conn struct {
	id int
}

// Context is the pool context: here, the server that the tests script.
type Context = *server

// Key is what tells the pools of a set apart.
type Key = string

// server scripts what the hooks do.
type server struct {
	create func(ctx context.Context) (*Conn, error)
	needs  func(c *Conn) bool
	check  func(ctx context.Context, c *Conn) error
	close  func(ctx context.Context, c *Conn) error
	clean  func(c *Conn) func()
	reset  func(ctx context.Context, c *Conn) error
	broken func(c *Conn) bool

	afterCreate   func(ctx context.Context, c *Conn) error
	beforeAcquire func(ctx context.Context, c *Conn) error
	afterRelease  func(c *Conn) error
	beforeClose   func(c *Conn)
	fatal         func(err error, c *Conn) bool
}

// Observer is told what happens: here, it does not listen unless a test says so.
type Observer = *observer

type observer struct {
	created       func(took time.Duration)
	createFailed  func(err error)
	acquired      func(waited time.Duration)
	acquireFailed func(err error)
	released      func()
	retired       func(reason string)
	checkFailed   func(err error)
}

func observeCreated(o Observer, took time.Duration)    { o.created(took) }
func observeCreateFailed(o Observer, err error)        { o.createFailed(err) }
func observeAcquired(o Observer, waited time.Duration) { o.acquired(waited) }
func observeAcquireFailed(o Observer, err error)       { o.acquireFailed(err) }
func observeReleased(o Observer)                       { o.released() }
func observeRetired(o Observer, reason string)         { o.retired(reason) }
func observeCheckFailed(o Observer, err error)         { o.checkFailed(err) }

// none is no connection.
var none *Conn

func createConn(ctx context.Context, s Context) (*Conn, func(), error) {
	conn, err := s.create(ctx)
	if conn == nil || s.clean == nil {
		return conn, nil, err
	}
	return conn, s.clean(conn), err
}

func needsHealthCheck(c *Conn, s Context) bool                  { return s.needs(c) }
func healthCheck(ctx context.Context, c *Conn, s Context) error { return s.check(ctx, c) }
func closeConn(ctx context.Context, c *Conn, s Context) error   { return s.close(ctx, c) }
func resetConn(ctx context.Context, c *Conn, s Context) error   { return s.reset(ctx, c) }
func isBroken(c *Conn, s Context) bool                          { return s.broken(c) }

func afterCreate(ctx context.Context, c *Conn, s Context) error   { return s.afterCreate(ctx, c) }
func beforeAcquire(ctx context.Context, c *Conn, s Context) error { return s.beforeAcquire(ctx, c) }
func afterRelease(c *Conn, s Context) error                       { return s.afterRelease(c) }
func beforeClose(c *Conn, s Context)                              { s.beforeClose(c) }
func isFatal(err error, c *Conn, s Context) bool                  { return s.fatal(err, c) }
