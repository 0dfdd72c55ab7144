// Package histories holds generated pools to what they promise: it records what many goroutines do with a pool and looks
// for an order that explains it, and compares a pool to a model of it after each operation. See docs/testing.md.
package histories

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

//go:generate go tool poolgen -type=Full -with=all
//go:generate go tool poolgen -type=Lean -with=none,try,outside,detach,insert,reset,resize
//go:generate go tool poolgen -type=Barging -with=none,try,outside,detach,insert,reset,resize,barging

// Full is a connection with hooks for everything.
type Full struct{ connection }

// Lean is a connection whose pool has no more than it must, so that a release is a compare-and-swap.
type Lean struct{ connection }

// Barging is a connection whose pool lets requesters go before those who wait.
type Barging struct{ connection }

// connection is what the server knows of one.
type connection struct {
	id     int
	closes atomic.Int32
	closed atomic.Int64 // when the close hook was called first, in nanoseconds after the server's beginning
}

// Server is the pool context. It scripts the hooks.
type Server struct {
	script func(ctx context.Context, hook string, c *connection) error
	needs  func(c *connection) bool
	began  time.Time
	ids    atomic.Int64 // creates that have begun

	mu    sync.Mutex
	conns []*connection // that there are or were
}

func (s *Server) create(ctx context.Context, c *connection) error {
	c.id = int(s.ids.Add(1))
	if err := s.script(ctx, "create", c); err != nil {
		return err
	}
	s.register(c)
	return nil
}

func (s *Server) register(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = append(s.conns, c)
}

func (s *Server) close(ctx context.Context, c *connection) error {
	c.closed.CompareAndSwap(0, int64(time.Since(s.began)))
	c.closes.Add(1)
	return s.script(ctx, "close", c)
}

// NewFull is the create hook of Full.
func NewFull(ctx context.Context, s *Server) (*Full, error) {
	c := new(Full)
	if err := s.create(ctx, &c.connection); err != nil {
		return nil, err
	}
	return c, nil
}

// NeedsHealthCheck is a hook.
func (c *Full) NeedsHealthCheck(s *Server) bool { return s.needs(&c.connection) }

// HealthCheck is a hook.
func (c *Full) HealthCheck(ctx context.Context, s *Server) error {
	return s.script(ctx, "check", &c.connection)
}

// Reset is a hook, which the pool calls in a goroutine of its own.
func (c *Full) Reset(ctx context.Context, s *Server) error {
	return s.script(ctx, "reset", &c.connection)
}

// Broken is a hook.
func (c *Full) Broken(s *Server) bool {
	return s.script(context.Background(), "broken", &c.connection) != nil
}

// Close is a hook.
func (c *Full) Close(ctx context.Context, s *Server) error { return s.close(ctx, &c.connection) }

// NewLean is the create hook of Lean.
func NewLean(ctx context.Context, s *Server) (*Lean, error) {
	c := new(Lean)
	if err := s.create(ctx, &c.connection); err != nil {
		return nil, err
	}
	return c, nil
}

// Close is a hook.
func (c *Lean) Close(ctx context.Context, s *Server) error { return s.close(ctx, &c.connection) }

// NewBarging is the create hook of Barging.
func NewBarging(ctx context.Context, s *Server) (*Barging, error) {
	c := new(Barging)
	if err := s.create(ctx, &c.connection); err != nil {
		return nil, err
	}
	return c, nil
}

// Close is a hook.
func (c *Barging) Close(ctx context.Context, s *Server) error { return s.close(ctx, &c.connection) }

var errRefused = errors.New("connection refused")
