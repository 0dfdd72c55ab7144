package main

import (
	"context"
	"errors"
	"time"
)

//go:generate go tool poolgen -type=Full -with=all -observer=Watch -keyed=string
//go:generate go tool poolgen -type=Usual -with=barging
//go:generate go tool poolgen -type=Lean -with=none

// Full is a connection with all hooks, each of which may go wrong, in a pool of all feature groups.
type Full struct{ *connection }

// NewFull is a hook.
func NewFull(ctx context.Context, s *Site) (*Full, error) {
	if err := s.dawdle(ctx, "create"); err != nil {
		return nil, err
	}
	c, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	return &Full{c}, nil
}

// AfterCreate is a hook.
func (c *Full) AfterCreate(ctx context.Context, s *Site) error { return s.dawdle(ctx, "after-create") }

// NeedsHealthCheck is a hook.
func (c *Full) NeedsHealthCheck(s *Site) bool {
	return s.stumble("needs-check") != nil || time.Since(c.used) > checkAfter
}

// HealthCheck is a hook.
func (c *Full) HealthCheck(ctx context.Context, s *Site) error {
	if err := s.dawdle(ctx, "check"); err != nil {
		return err
	}
	return c.check(ctx)
}

// BeforeAcquire is a hook.
func (c *Full) BeforeAcquire(s *Site) error { return s.stumble("before-acquire") }

// Broken is a hook.
func (c *Full) Broken(s *Site) bool { return s.stumble("broken") != nil || c.failed() }

// AfterRelease is a hook.
func (c *Full) AfterRelease(s *Site) error { return s.stumble("after-release") }

// Reset is a hook.
func (c *Full) Reset(ctx context.Context, s *Site) error { return s.dawdle(ctx, "reset") }

// IsFatal is a hook.
func (c *Full) IsFatal(_ error, s *Site) bool { return s.stumble("is-fatal") != nil || c.failed() }

// BeforeClose is a hook.
func (c *Full) BeforeClose(s *Site) { _ = s.stumble("before-close") }

// Close is a hook. Whatever goes wrong in it, the connection is closed.
func (c *Full) Close(ctx context.Context, s *Site) error {
	err := c.shut(ctx)
	return errors.Join(s.dawdle(ctx, "close"), err)
}

// Watch is the observer of a pool.
type Watch struct{ site *Site }

// Created is called for each connection.
func (w Watch) Created(time.Duration) { w.site.created.Add(1) }

// Retired is called for each connection.
func (w Watch) Retired(string) { w.site.retired.Add(1) }

// Usual is a connection in a pool of the default set.
type Usual struct{ *connection }

// NewUsual is a hook.
func NewUsual(ctx context.Context, s *Site) (*Usual, error) {
	c, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	return &Usual{c}, nil
}

// NeedsHealthCheck is a hook.
func (c *Usual) NeedsHealthCheck() bool { return time.Since(c.used) > checkAfter }

// HealthCheck is a hook.
func (c *Usual) HealthCheck(ctx context.Context) error { return c.check(ctx) }

// Broken is a hook.
func (c *Usual) Broken() bool { return c.failed() }

// Close is a hook.
func (c *Usual) Close(ctx context.Context) error { return c.shut(ctx) }

// Lean is a connection in a pool of the bare core, which has no more than these hooks.
type Lean struct{ *connection }

// NewLean is a hook.
func NewLean(ctx context.Context, s *Site) (*Lean, error) {
	c, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	return &Lean{c}, nil
}

// Broken is a hook.
func (c *Lean) Broken() bool { return c.failed() }

// Close is a hook.
func (c *Lean) Close(ctx context.Context) error { return c.shut(ctx) }

// checkAfter is how long a connection may be unused before it has to be checked.
const checkAfter = 100 * time.Millisecond

// check sends the server a number like any other request's.
func (c *connection) check(ctx context.Context) error {
	c.checking.Lock()
	defer c.checking.Unlock()
	id := c.site.ledger.nextID()
	got, err := c.echo(ctx, id)
	if err == nil && got != id {
		c.site.ledger.violated("%s: check %d got the answer of %d", c.site.name, id, got)
	}
	return err
}
