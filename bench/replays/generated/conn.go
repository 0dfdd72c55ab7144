// Package generated holds the generated pools that are put through the replays.
package generated

import (
	"context"

	"github.com/poolgen/poolgen/bench/replays/faulty"
)

//go:generate go tool poolgen -type=Plain,Checked
//go:generate go tool poolgen -type=Full -with=lifetime,breaker,background,histogram,holds

// Plain is a connection that is only created and closed, in a pool of the default set.
type Plain struct{ *faulty.Conn }

// DialPlain connects.
func DialPlain(ctx context.Context, s *faulty.Server) (*Plain, error) {
	conn, err := s.Dial(ctx)
	return &Plain{conn}, err
}

// Checked is a connection that is checked before each lease, in a pool of the default set.
type Checked struct{ *faulty.Conn }

// DialChecked connects.
func DialChecked(ctx context.Context, s *faulty.Server) (*Checked, error) {
	conn, err := s.Dial(ctx)
	return &Checked{conn}, err
}

// HealthCheck asks the server something.
func (c *Checked) HealthCheck(ctx context.Context) error { return hook(c.Conn, "check", c.Query(ctx)) }

// Full is a connection that has every hook, in a pool that has what the default set has not and the replays need. Its
// check is due only in the background.
type Full struct{ *faulty.Conn }

// DialFull connects.
func DialFull(ctx context.Context, s *faulty.Server) (*Full, error) {
	conn, err := s.Dial(ctx)
	return &Full{conn}, err
}

// hook panics if the server says so.
func hook(c *faulty.Conn, name string, err error) error {
	c.Server().Hook(name)
	return err
}

// NeedsHealthCheck is never true.
func (c *Full) NeedsHealthCheck() bool {
	c.Server().Hook("needs-check")
	return false
}

// HealthCheck asks the server something.
func (c *Full) HealthCheck(ctx context.Context) error { return hook(c.Conn, "check", c.Query(ctx)) }

// Reset does nothing.
func (c *Full) Reset() error { return hook(c.Conn, "reset", nil) }

// Broken is never true.
func (c *Full) Broken() bool { return hook(c.Conn, "broken", nil) != nil }

// AfterCreate does nothing.
func (c *Full) AfterCreate() error { return hook(c.Conn, "after-create", nil) }

// BeforeAcquire does nothing.
func (c *Full) BeforeAcquire() error { return hook(c.Conn, "before-acquire", nil) }

// AfterRelease does nothing.
func (c *Full) AfterRelease() error { return hook(c.Conn, "after-release", nil) }

// BeforeClose does nothing.
func (c *Full) BeforeClose() { c.Server().Hook("before-close") }
