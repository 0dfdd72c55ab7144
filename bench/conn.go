// Package bench measures generated pools. Its connections do nothing, so that nothing but the pool is
// measured.
package bench

// Bare is a connection that is only created.
type Bare struct{ N int }

//go:generate go tool poolgen -type=Bare,Checked

// NewBare creates a Bare.
func NewBare() (*Bare, error) { return new(Bare), nil }

// Checked is a connection with a trivial answer to whether its health check is due.
type Checked struct{ N int }

// NewChecked creates a Checked.
func NewChecked() (*Checked, error) { return new(Checked), nil }

// NeedsHealthCheck is never true here, but the compiler can't know that.
func (c *Checked) NeedsHealthCheck() bool { return c.N > 100 }

// HealthCheck is never called here.
func (c *Checked) HealthCheck() error { return nil }

// Close closes nothing.
func (c *Checked) Close() error { return nil }
